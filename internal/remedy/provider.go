package remedy

import "github.com/mailverdict/mailverdict/internal/provider"

// SetUp is a step of setting a domain up with a provider.
func SetUp(p *provider.Provider, step provider.Fix, name string) Fix {
	step = step.For(name)
	f := Fix{Text: step.Text, Note: step.Note, Provider: p.ID}
	for _, r := range step.Records {
		f.Changes = append(f.Changes, Below(ActionAdd, r.Host, name, r.Type, r.Value))
	}
	return f
}

package inspect

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/resolver"
)

// publish does to a zone what a fix says. It reports what cannot be done to it.
func publish(t *testing.T, zone resolver.Zone, f *Fix) resolver.Zone {
	t.Helper()
	zone = maps.Clone(zone)
	for _, c := range f.Changes {
		r := zone[c.Name]
		if c.Type == "TXT" {
			r.TXT = slices.Clone(r.TXT)
		}
		switch {
		case c.Action == remedy.ActionAdd && c.Type == "TXT":
			r.TXT = append(r.TXT, c.Value)
		case c.Action == remedy.ActionAdd && c.Type == "MX":
			r.MX = append(slices.Clone(r.MX), c.Value)
		case c.Action == remedy.ActionAdd && c.Type == "CNAME":
			r.CNAME = c.Value
		case c.Action == remedy.ActionReplace && c.Type == "TXT":
			i := slices.Index(r.TXT, c.Old)
			if i < 0 {
				t.Errorf("%q is to be replaced at %s, which has %q", c.Old, c.Name, r.TXT)
				continue
			}
			r.TXT[i] = c.Value
		case c.Action == remedy.ActionDelete && c.Type == "TXT":
			i := slices.Index(r.TXT, c.Value)
			if i < 0 {
				t.Errorf("%q is to be deleted at %s, which has %q", c.Value, c.Name, r.TXT)
				continue
			}
			r.TXT = slices.Delete(r.TXT, i, i+1)
		case c.Action == remedy.ActionDelete && c.Type == "MX":
			r.MX = slices.DeleteFunc(slices.Clone(r.MX), func(mx string) bool { return mx == c.Value })
		default:
			t.Errorf("nobody can %s a record of type %s", c.Action, c.Type)
		}
		zone[c.Name] = r
	}
	return zone
}

func TestWhoPublishesWhatIsAdvisedIsRidOfTheFinding(t *testing.T) {
	tried := 0
	for n, fixture := range fixtures {
		if fixture.name != "" {
			continue
		}
		before := inspected(t, fixture.has, "good.example", fixture.selectors...)
		for _, f := range before.Findings {
			if f.Fix == nil || len(f.Fix.Changes) == 0 || slices.ContainsFunc(f.Fix.Changes, func(c Change) bool { return len(c.Placeholders) > 0 }) {
				continue
			}
			tried++
			name := fmt.Sprintf("%s, fixture %d (%s)", f.ID, n, fixture.id)
			after := inspected(t, publish(t, fixture.has, f.Fix), "good.example", fixture.selectors...)
			for _, g := range after.Findings {
				if g.ID == f.ID && g.Message == f.Message {
					t.Errorf("%s: it is still there after %+v", name, f.Fix.Changes)
				}
				if g.Severity == SeverityError && findingOf(before, g.ID) == nil {
					t.Errorf("%s: what is advised makes an error: %v (%s)", name, g, g.Evidence)
				}
			}
		}
	}
	t.Logf("%d fixes tried", tried)
	if tried < 50 {
		t.Errorf("only %d fixes have records", tried)
	}
}

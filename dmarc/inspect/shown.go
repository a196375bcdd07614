package inspect

import (
	"strings"

	"github.com/mailverdict/mailverdict/internal/remedy"
)

// This file leaves out of findings what a reader of the whole report has read already.

// A shownFinding is a finding as Text and HTML lay it out.
type shownFinding struct {
	*Finding
	Evidence string
	Fix      *Fix // escaped
}

// shownFindings are the findings, each record to publish once, and no evidence that stands in the fix
// again.
func (r *Report) shownFindings() []shownFinding {
	seen := map[string]bool{}
	var list []shownFinding
	for i := range r.Findings {
		s := shownFinding{Finding: &r.Findings[i], Evidence: r.Findings[i].Evidence}
		if s.Finding.Fix != nil {
			fix := escaped(*s.Finding.Fix)
			if b := fix.Broken; b != nil && strings.HasPrefix(s.Evidence, textOf(b)) {
				s.Evidence = ""
			}
			leaveOutRepeated(&fix, seen)
			s.Fix = &fix
		}
		list = append(list, s)
	}
	return list
}

// textOf returns the whole text of a record that is shown in parts.
func textOf(b *remedy.Broken) string {
	var text strings.Builder
	for _, part := range b.Parts {
		text.WriteString(part.Text)
	}
	return text.String()
}

// maxShownChanges is how many changes of a finding are laid out.
const maxShownChanges = 12

// leaveOutRepeated leaves out changes that an earlier finding has, and those that are too many to be
// read, and notes so.
func leaveOutRepeated(f *Fix, seen map[string]bool) {
	var changes []Change
	var repeated []string
	for _, c := range f.Changes {
		key := strings.Join([]string{c.Action.String(), c.Name, c.Type, c.Value}, "\n")
		if seen[key] {
			repeated = append(repeated, c.Type+" "+c.Name)
			continue
		}
		seen[key] = true
		changes = append(changes, c)
	}
	if more := len(changes) - maxShownChanges; more > 0 {
		changes = changes[:maxShownChanges]
		f.Note = strings.TrimSpace("And so on: " + remedy.Plural(more, "further record", "further records") + ". " + f.Note)
	}
	f.Changes = changes
	if len(repeated) > 0 {
		f.Note = strings.TrimSpace("As above: " + remedy.List(repeated) + ". " + f.Note)
	}
}

// rivals says that several findings have another record for the same name, of which one can be
// published. It is empty where none have.
func (r *Report) rivals() string {
	values := map[string]string{}
	listed := map[string]bool{}
	var names []string
	for i := range r.Findings {
		f := r.Findings[i].Fix
		if f == nil {
			continue
		}
		for _, c := range f.Changes {
			key := c.Type + " " + c.Name
			if c.Action != remedy.ActionReplace {
				continue
			}
			if old, known := values[key]; known && old != c.Value && !listed[key] {
				names, listed[key] = append(names, key), true
			}
			values[key] = c.Value
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "More than one finding has a new text for the same record (" + remedy.List(names) + "). Each corrects one thing: publish the first, and inspect again."
}

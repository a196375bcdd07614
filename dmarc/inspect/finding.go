package inspect

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // mail is refused or a forger is let in because of it
	SeverityWarning Severity = "warning" // it does harm, or will
	SeverityInfo    Severity = "info"    // nothing is wrong; something is to be known
)

// String returns the word.
func (s Severity) String() string { return string(s) }

// severities are in the order in which findings are listed.
var severities = []Severity{SeverityError, SeverityWarning, SeverityInfo}

// A Finding is one thing that is wrong with what a domain publishes, or to be known of it. Its
// texts are escaped: they are fit for a terminal or a log line as they are.
type Finding struct {
	ID       string   `json:"id"` // of Rules; never renamed
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`            // what is wrong, in plain words
	Evidence string   `json:"evidence,omitempty"` // the record, the name, or the numbers that show it

	// Publish is the first record of Fix that is to be published; nil where there is none.
	Publish *Change `json:"publish,omitempty"`

	// Fix is what to do, with all records that it takes.
	Fix *Fix `json:"fix,omitempty"`
}

// String returns the finding in one line.
func (f Finding) String() string { return f.Severity.String() + " " + f.ID + ": " + f.Message }

// A Fix is one thing to do, and the DNS records that it takes.
type Fix = remedy.Fix

// A Change is a DNS record to add, to replace or to delete.
type Change = remedy.Change

// A Rule is one of the things that are looked for.
type Rule struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	When     string   `json:"when"` // what it is found for
}

// Rules returns everything that is looked for in a domain, by subject.
func Rules() []Rule { return slices.Clone(rules) }

// findings are collected here.
type findings struct{ list []Finding }

// maxPerRule is how many findings of one rule are kept.
const maxPerRule = 5

// add adds a finding of a rule. The fix may be the zero Fix.
func (f *findings) add(id, message, evidence string, fix Fix) {
	same := 0
	for i := range f.list {
		if f.list[i].ID == id {
			same++
		}
	}
	if same == maxPerRule {
		return
	}
	n := Finding{ID: id, Severity: severityOf(id), Message: visible.Line(message), Evidence: visible.Value(evidence)}
	if fix.Text != "" || len(fix.Changes) > 0 {
		fix = remedy.Clone([]Fix{fix})[0]
		fix.Escape()
		n.Fix = &fix
		for i := range fix.Changes {
			if fix.Changes[i].Action != remedy.ActionDelete {
				n.Publish = &fix.Changes[i]
				break
			}
		}
	}
	f.list = append(f.list, n)
}

// has reports whether there is a finding of one of the ids.
func (f *findings) has(ids ...string) bool {
	return slices.ContainsFunc(f.list, func(n Finding) bool { return slices.Contains(ids, n.ID) })
}

// hasError reports whether there is an error whose id begins with a prefix.
func (f *findings) hasError(prefix string) bool {
	return slices.ContainsFunc(f.list, func(n Finding) bool { return n.Severity == SeverityError && strings.HasPrefix(n.ID, prefix) })
}

// sorted returns the findings, the worst first. If DNS failed where it matters, that comes before all
// that is no error.
func (f *findings) sorted(open bool) []Finding {
	rank := func(n *Finding) int {
		if open && n.ID == "dns-unanswered" {
			return 1
		}
		return 2 * slices.Index(severities, n.Severity)
	}
	slices.SortStableFunc(f.list, func(a, b Finding) int { return rank(&a) - rank(&b) })
	return f.list
}

func severityOf(id string) Severity {
	for _, r := range rules {
		if r.ID == id {
			return r.Severity
		}
	}
	return SeverityError // a test sees to it that every id is among the rules
}

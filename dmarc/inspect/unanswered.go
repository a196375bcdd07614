package inspect

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// An Unanswered is a question that DNS did not answer.
type Unanswered struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Reason string `json:"reason"`

	// Matters says that SPF, DMARC, or a key that was asked for depends on it.
	Matters bool `json:"matters"`
}

// open is on questions that DNS did not answer.
func (in *inspection) open() {
	list := in.dns.log.list
	if len(list) == 0 {
		return
	}
	in.found.add("dns-unanswered", "DNS gave no answer to "+remedy.Plural(len(list), "question", "questions")+". Nothing is said here of what depends on it.",
		unansweredText(list), Fix{Text: "Inspect the domain again later. If that does not help, see that its name servers answer."})
}

// maxUnanswered is how many questions with the same reason are named.
const maxUnanswered = 5

// unansweredText names questions, those that matter first, under the reasons why they have no answer.
func unansweredText(list []Unanswered) string {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Unanswered) int {
		switch {
		case a.Matters == b.Matters:
			return 0
		case a.Matters:
			return -1
		}
		return 1
	})
	var reasons []string
	names := map[string][]string{}
	for _, u := range list {
		reason, _, _ := strings.Cut(u.Reason, ": ") // behind it stand ports and the like
		if names[reason] == nil {
			reasons = append(reasons, reason)
		}
		names[reason] = append(names[reason], visible.Line(u.Name)+" "+u.Type)
	}
	var texts []string
	for _, reason := range reasons {
		some := names[reason]
		if more := len(some) - maxUnanswered; more > 0 {
			some = append(some[:maxUnanswered:maxUnanswered], remedy.Plural(more, "other", "others"))
		}
		texts = append(texts, reason+": "+remedy.List(some))
	}
	return strings.Join(texts, "; ")
}

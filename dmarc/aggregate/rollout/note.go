package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/figure"
)

// notes returns what else to know.
func notes(in Input, p *Plan) (list []string) {
	if p.P.Forwarded > 0 && p.P.Policy != "reject" {
		list = append(list, fmt.Sprintf("%s messages came by way of forwarders and lists and fail. Under reject they would be lost, unless the receiver knows the forwarder.", figure.Of(p.P.Forwarded)))
	}
	list = append(list, "Only receivers that send reports are counted. How much of the mail that is, nobody can tell.")
	if doubts := doubtful(in); len(doubts) > 0 && p.SP.Policy != "reject" {
		list = append(list, fmt.Sprintf("Mail that proves nothing came in names below the domain: %s. Set up those that are yours. If none of them sends mail, sp=reject is safe for them.", largestOf(doubts)))
	}
	if in.NoMail && !enough(in) && p.SP.Messages == 0 && p.SP.Policy != "reject" {
		list = append(list, "If no name below the domain sends mail either, sp=reject is safe too.")
	}
	if p.SP.Own() > 0 && p.P.Policy != "none" && p.SP.Policy != "reject" {
		list = append(list, "Names below the domain send mail. One that is ready for a stricter policy than sp can have a record of its own, and then sp is for the other ones.")
	}
	if silent := unasked(in); len(silent) > 0 && p.NP.Policy != "reject" {
		list = append(list, fmt.Sprintf("DNS did not say whether these names below the domain exist, which np=reject would be for: %s.", largestOf(silent)))
	}
	if in.Missing == nil && p.SP.Messages > 0 {
		list = append(list, "DNS was not asked which names exist: all names below the domain are counted under sp.")
	}
	return list
}

// largestOf lists names with their numbers of messages: the five with the most.
func largestOf(names map[string]int64) string {
	const most = 5
	var list []string
	for name := range names {
		list = append(list, name)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(names[b], names[a]), cmp.Compare(a, b)) })
	more := len(list) - most
	list = list[:min(len(list), most)]
	for i, name := range list {
		list[i] = fmt.Sprintf("%s (%s messages)", name, figure.Of(names[name]))
	}
	text := strings.Join(list, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

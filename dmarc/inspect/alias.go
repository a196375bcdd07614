package inspect

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
)

// aliases notes where a record is to be published at a name that is an alias: no other record may stand
// beside a CNAME record (RFC 1034, section 3.6.2). Companies that manage DMARC for others have _dmarc
// as such an alias, and shops have www.
func (in *inspection) aliases() {
	var ahead []resolver.Question
	for _, f := range in.found.list {
		for _, name := range placesOf(f.Fix) {
			ahead = append(ahead, question(name, resolver.TypeCNAME))
		}
	}
	in.dns.ahead(ahead...)
	for _, f := range in.found.list {
		for _, name := range placesOf(f.Fix) {
			answer, _ := in.dns.get(question(name, resolver.TypeCNAME), false)
			if answer.CNAME != "" {
				f.Fix.Note = strings.TrimSpace(visible.Line(name) + " is an alias (CNAME) of " + visible.Line(answer.CNAME) +
					", and no other record can stand there. Have it published at that name, or delete the CNAME record first. " + f.Fix.Note)
			}
		}
	}
}

// placesOf are the names at which a fix has something else than an alias published.
func placesOf(f *Fix) []string {
	if f == nil {
		return nil
	}
	var places []string
	for _, c := range f.Changes {
		if c.Type != "CNAME" && c.Action != remedy.ActionDelete && domain.Check(c.Name) == nil && !slices.Contains(places, c.Name) {
			places = append(places, c.Name)
		}
	}
	return places
}

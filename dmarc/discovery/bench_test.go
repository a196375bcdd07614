package discovery

import (
	"testing"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
)

// What one message takes of this package where its answers are in memory and its record was
// parsed before.
func BenchmarkSearch(b *testing.B) {
	for _, bb := range []struct{ name, author, identifier string }{
		{"own record", "shop.example", "shop.example"},
		{"record above", "news.shop.example", "bounce.shop.example"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			zone := suite.Policies(map[string]string{"shop.example": "v=DMARC1; p=reject; rua=mailto:d@shop.example"})
			identifiers := []Identifier{{Domain: bb.identifier, Authenticated: true}}
			var records Records
			b.ReportAllocs()
			for b.Loop() {
				var s Search
				var g ask.Group
				budget := resolver.Budget{Resolver: zone}
				g.Begin(b.Context(), &budget)
				s.Begin(&g, Options{}, &records, bb.author)
				s.Expect(bb.identifier)
				if r := s.Finish(identifiers); r.Err != nil {
					b.Fatal(r.Err)
				}
				g.Close()
			}
		})
	}
}

// What the owner of an Author Domain that signs as another one below it can make this package
// do: every question fails but one, so that all answers to the others are considered.
func BenchmarkHostileFailures(b *testing.B) {
	const author, identifier = "a.b.c.d.e.f.shop.example", "g.h.i.j.k.l.shop.example"
	zone := map[string]string{author: "v=DMARC1; p=reject"}
	for _, name := range names(names(nil, author), identifier)[1:] {
		zone[name] = "SERVFAIL"
	}
	policies := suite.Policies(zone)
	for b.Loop() {
		r := Discover(b.Context(), policies, author, Options{}, Identifier{Domain: identifier, Authenticated: true})
		if o := r.Organization(identifier); o.Alignment != AlignmentOpen {
			b.Fatal(o)
		}
	}
}

package discovery_test

import (
	"context"
	"fmt"

	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/resolver"
)

func Example() {
	zone := resolver.Zone{ // leave it out to ask the system's DNS
		"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject; sp=quarantine"}},
	}
	signer := discovery.Identifier{Domain: "bounce.shop.example", Tag: discovery.TagSPF, Authenticated: true}

	result := discovery.Discover(context.Background(), zone, "news.shop.example", discovery.Options{}, signer)
	fmt.Println(result)
	mode, aligned := result.Align(signer)
	fmt.Println(mode, aligned)
	for _, query := range result.Queries {
		fmt.Println(query)
	}
	// Output:
	// tree-walk for news.shop.example: sp=quarantine of shop.example
	// relaxed yes
	// _dmarc.news.shop.example: no record
	// _dmarc.shop.example: "v=DMARC1; p=reject; sp=quarantine"
	// _dmarc.example: no record
	// _dmarc.bounce.shop.example: no record
}

// The owner of kent.sch.uk publishes nothing, and that of sch.uk a record: by the letter of
// the RFC all schools are one organization. The public suffix list knows better.
func Example_floor() {
	zone := resolver.Zone{"_dmarc.sch.uk": {TXT: []string{"v=DMARC1; p=reject"}}}
	stranger := discovery.Identifier{Domain: "other.devon.sch.uk", Tag: discovery.TagDKIM, Authenticated: true}
	for _, mode := range []discovery.Mode{discovery.TreeWalk, discovery.TreeWalkLiteral} {
		r := discovery.Discover(context.Background(), zone, "school.kent.sch.uk", discovery.Options{Mode: mode}, stranger)
		o := r.Organization("school.kent.sch.uk")
		_, aligned := r.Align(stranger)
		fmt.Printf("%s: %s by %s (%s), aligned: %s, policy of %s\n", mode, o.Organizational, o.Rule, o.Suffix, aligned, r.PolicyDomain)
	}
	// Output:
	// tree-walk: school.kent.sch.uk by floor (kent.sch.uk), aligned: no, policy of sch.uk
	// tree-walk-literal: sch.uk by shortest (), aligned: yes, policy of sch.uk
}

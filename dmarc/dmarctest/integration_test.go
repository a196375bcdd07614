//go:build integration

package dmarctest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/realdns"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// All of DNS of a message is served as the root zone, once without DNSSEC and once with it.
func TestRealServersGiveTheVerdictsOfTheZone(t *testing.T) {
	const dir = "../../testdata"
	for _, f := range Load(t, dir) {
		records, err := os.ReadFile(filepath.Join(dir, f.Name+".zone"))
		if err != nil {
			t.Fatal(err)
		}
		spoiled, others := failing(f.Zone)
		for _, tt := range []struct {
			name string
			zone realdns.Zone
			want resolver.Authentic
		}{
			{"unsigned", realdns.Zone{Records: string(records)}, resolver.AuthenticNo},
			{"signed", realdns.Zone{Records: string(records), Signed: true, Spoiled: spoiled}, resolver.AuthenticYes},
		} {
			t.Run(f.Name+"/"+tt.name, func(t *testing.T) {
				switch {
				case others:
					t.Skip("the sidecar plants faults that no signature can stand for")
				case len(spoiled) > 0 && !tt.zone.Signed:
					t.Skip("the sidecar plants faults, and without DNSSEC nothing can be bogus")
				}
				want := outcomeOf(f.Verify(t))
				r := verifyOver(t, f, realdns.Start(t, map[string]realdns.Zone{".": tt.zone}))
				if got := outcomeOf(r); got != want {
					t.Errorf("got  %s\nwant %s\n%s", got, want, explanation(r))
				}
				// Nobody vouches for an answer that never came.
				if len(spoiled) == 0 && r.Authentic != tt.want {
					t.Errorf("authentic: %v, want %v", r.Authentic, tt.want)
				}
			})
		}
	}
}

// verifyOver verifies a message as a mail server does: over the network, with a cache.
func verifyOver(t *testing.T, f *Fixture, s *realdns.Servers) *dmarc.Result {
	client := &resolver.Client{Servers: []string{s.Address}}
	t.Cleanup(client.CloseIdleConnections)
	real := *f
	real.Configure = func(v *dmarc.Verifier) { v.Resolver = &resolver.Cache{Resolver: client} }
	return real.Verify(t)
}

// outcomeOf returns what a receiver acts on and writes down.
func outcomeOf(r *dmarc.Result) string {
	var signatures []dkim.Status
	for _, d := range r.DKIM {
		signatures = append(signatures, d.Status)
	}
	helo := spf.StatusNone
	if r.HELO != nil {
		helo = r.HELO.Status
	}
	return fmt.Sprintf("verdict=%v disposition=%v spf=%v helo=%v dkim=%v", r.DMARC.Status, r.DMARC.Disposition, spfStatus(r), helo, signatures)
}

// failing returns the names whose TXT records a sidecar lets fail, to be bogus here whatever
// the failure is there, and whether it plants other faults.
func failing(zone resolver.Zone) (names []string, others bool) {
	for name, records := range zone {
		if records.Fault != (resolver.Fault{}) {
			others = true
		}
		for qtype, fault := range records.Faults {
			if qtype == resolver.TypeTXT && len(records.TXT) > 0 && resolver.Temporary(fault.Err) && fault.Delay == 0 {
				names = append(names, name)
			} else {
				others = true
			}
		}
	}
	return names, others
}

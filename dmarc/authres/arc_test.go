package authres_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
)

func TestAChainOfSealsHasAResult(t *testing.T) {
	for _, tt := range []struct {
		chain *arc.Result
		want  string // "" if there is none
	}{
		{nil, ""},
		{&arc.Result{}, ""},
		{&arc.Result{Status: arc.StatusPass, OldestPass: 2}, `arc=pass smtp.remote-ip="2001:db8::1" header.oldest-pass=2`},
		{&arc.Result{Status: arc.StatusFail, Err: arc.ErrSets}, `arc=fail smtp.remote-ip="2001:db8::1"`},
		{&arc.Result{Status: arc.StatusTempError, Err: arc.ErrDNS}, `arc=fail smtp.remote-ip="2001:db8::1"`},
	} {
		field := authres.Format("mx.example", &dmarc.Result{Envelope: dmarc.Envelope{IP: netip.MustParseAddr("2001:db8::1")}, ARC: tt.chain})
		got := ""
		parsed, err := authres.Parse(field)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range parsed.Results {
			if r.Method == "arc" {
				got = r.String()
			}
		}
		if got != tt.want || strings.Contains(field, "temperror") {
			t.Errorf("got %q, want %q in %s", got, tt.want, field)
		}
	}
}

package authres

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/spf"
)

func TestReceivedSPF(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(r *dmarc.Result)
		want   string
	}{
		{"a pass", func(r *dmarc.Result) {}, `
Received-SPF: pass (mail.provider.example allows 192.0.2.1)
	client-ip=192.0.2.1; envelope-from="bounces+42@mail.provider.example";
	helo=out.provider.example; identity=mailfrom;
	receiver=mx.receiver.example`},
		{"an IPv6 client stands in quotes", func(r *dmarc.Result) {
			r.Envelope.IP = netip.MustParseAddr("2001:db8::1")
			r.Envelope.MailFrom = ""
			r.SPF = &spf.Result{Status: spf.StatusFail, Domain: "out.provider.example"}
		}, `
Received-SPF: fail (out.provider.example does not allow 2001:db8::1)
	client-ip="2001:db8::1"; helo=out.provider.example; identity=mailfrom;
	receiver=mx.receiver.example`},
		{"nothing is known", func(r *dmarc.Result) {
			r.Envelope = dmarc.Envelope{}
			r.SPF = &spf.Result{Domain: "victim.example", Err: cause.Wrap(spf.ErrNoDomain, "", nil)}
		}, `
Received-SPF: none identity=mailfrom; receiver=mx.receiver.example`},
		{"SPF was not checked", func(r *dmarc.Result) { r.SPF = nil }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := shop()
			r.Envelope.IP = netip.MustParseAddr("192.0.2.1")
			test.change(r)
			want := strings.ReplaceAll(strings.TrimPrefix(test.want, "\n"), "\n", "\r\n")
			if got := ReceivedSPF(ours, r); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestNoHostileValueLeavesReceivedSPF(t *testing.T) {
	for _, s := range hostile {
		r := shop()
		r.Envelope = dmarc.Envelope{IP: netip.MustParseAddr("fe80::1").WithZone(s), HELO: s, MailFrom: s}
		r.SPF = &spf.Result{Domain: s, Sender: s, Mechanism: s, Explanation: s, Record: s}
		checkReceivedSPF(t, r, ReceivedSPF(s, r))
		r.Envelope.MailFrom = s + "@victim.example"
		checkReceivedSPF(t, r, ReceivedSPF(s, r))
	}
}

// checkReceivedSPF reports what no field may be: one with a line end or a character that
// could part it, outside of what this package puts there.
func checkReceivedSPF(t *testing.T, r *dmarc.Result, field string) {
	t.Helper()
	plain := strings.ReplaceAll(field, foldMark, " ")
	for i := range len(plain) {
		if plain[i] < ' ' || plain[i] > '~' {
			t.Fatalf("%#x in %q", plain[i], field)
		}
	}
	if strings.Count(plain, "(") > 1 || strings.Count(plain, ")") > 1 || strings.Count(plain, `"`) > 4 ||
		strings.Count(plain, ";") > 4 || !strings.HasPrefix(plain, "Received-SPF: "+r.SPF.Status.String()+" ") {
		t.Fatalf("more than one field in %q", field)
	}
}

//go:build integration

package resolver

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/realdns"
)

// The zones that nsd serves; bogus.example is altered after it was signed.
var realZones = map[string]realdns.Zone{
	"plain.example": {Records: `
@           TXT   "v=spf1 " "mx -all"
@           TXT   "octets \000\255\"\\"
@           MX    10 mx
@           MX    20 MX2.plain.example.
mx          A     192.0.2.1
mx          AAAA  2001:db8::1
null        MX    0 .
alias       CNAME alias2
alias2      CNAME mx
across      CNAME signed.example.
dangling    CNAME nowhere
loop        CNAME loop2
loop2       CNAME loop
a.deep      TXT   "below an empty non-terminal"
*.wild      TXT   "wild"
known.wild  A     192.0.2.2
x.ent.wild  A     192.0.2.3
host        PTR   MX.plain.example.
ann\+x\061y._spf  A    127.0.0.2
o\'b\032\"c\"/d\;\(e\)\064\\f  TXT  "every kind of octet"
a\.b        TXT   "a dot inside of a label"
to-odd      CNAME o\'b\032\"c\"/d\;\(e\)\064\\f
to-dot      MX    10 a\.b
to-dot      MX    20 mx
-hyphens-   TXT   "hyphens"
moved       DNAME target
x.target    TXT   "behind a DNAME"
y\+z.target TXT   "an odd name behind a DNAME"
zero   0    TXT   "not to be kept"
zero-alias 0 CNAME mx
srv         SRV   0 0 25 my\032host
long        TXT   ` + longTXT + "\n"},
	"any.example": {Records: `
*           TXT   "any"
`},
	"signed.example": {Signed: true, Records: `
@           TXT   "v=spf1 -all"
mx          A     192.0.2.1
alias       CNAME mx
insecure    CNAME mx.plain.example.
*.wild      TXT   "wild"
`},
	"bogus.example": {Signed: true, Spoiled: []string{"bogus.example"}, Records: `
@           TXT   "before"
`},
}

// longTXT is one record of 4 KB.
var longTXT = strings.Repeat(`"`+strings.Repeat("x", 250)+`" `, 16)

func TestRealServers(t *testing.T) {
	d := realdns.Start(t, realZones)
	var mu sync.Mutex
	var networks []string
	c := &Client{Servers: []string{d.Address}, dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		networks = append(networks, network)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer c.CloseIdleConnections()

	t.Run("answers are those of a Zone of the same files", func(t *testing.T) {
		z := Zone{}
		for name, zone := range realZones {
			if name == "bogus.example" {
				continue
			}
			more, err := ParseZone(strings.NewReader(zone.File(name)), name)
			if err != nil {
				t.Fatal(err)
			}
			z.Add(more)
		}
		var names []string
		for name := range z {
			names = append(names, strings.Replace(name, "*", "some", 1), strings.Replace(name, "*", "some.other", 1), "below."+strings.TrimPrefix(name, "*."))
		}
		names = append(names, "deep.plain.example", "ent.wild.plain.example", "x.moved.plain.example", "y+z.moved.plain.example", "none.moved.plain.example",
			"no+such=name.plain.example", `back\slash.plain.example`, "a.b.plain.example", "x.known.wild.plain.example", "y.ent.wild.plain.example", "wild.plain.example")
		for _, name := range names {
			for _, qt := range []Type{TypeA, TypeAAAA, TypeMX, TypePTR, TypeTXT} {
				q := Question{name, qt}
				want, wantErr := z.Resolve(t.Context(), q)
				got, err := c.Resolve(t.Context(), q)
				slices.Sort(want.TXT)
				slices.Sort(got.TXT)
				slices.SortFunc(got.MX, func(a, b MX) int { return int(a.Preference) - int(b.Preference) })
				want.TTL, want.Authentic, got.TTL, got.Authentic = 0, 0, 0, 0
				if !equalAnswers(got, want) || kindOf(err) != kindOf(wantErr) {
					t.Errorf("%v: %+v, %v; the Zone says %+v, %v", q, got, err, want, wantErr)
				}
			}
		}
	})

	t.Run("the AD bit is told", func(t *testing.T) {
		for _, tt := range []struct {
			q    Question
			want Authentic
			err  error
		}{
			{Question{"signed.example", TypeTXT}, AuthenticYes, nil},
			{Question{"alias.signed.example", TypeA}, AuthenticYes, nil},
			{Question{"x.wild.signed.example", TypeTXT}, AuthenticYes, nil},
			{Question{"absent.signed.example", TypeTXT}, AuthenticYes, ErrNXDomain},
			{Question{"signed.example", TypeMX}, AuthenticYes, ErrNoData},
			{Question{"plain.example", TypeTXT}, AuthenticNo, nil},
			{Question{"absent.plain.example", TypeTXT}, AuthenticNo, ErrNXDomain},
			{Question{"insecure.signed.example", TypeA}, AuthenticNo, nil},
			{Question{"across.plain.example", TypeTXT}, AuthenticNo, nil},
		} {
			a, err := c.Resolve(t.Context(), tt.q)
			got := a.Authentic
			if failure, ok := errors.AsType[*Error](err); ok {
				got = failure.Authentic
			}
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%v: %v, %v; want %v, %v", tt.q, got, err, tt.want, tt.err)
			}
		}
	})

	t.Run("TTLs are those of the zone", func(t *testing.T) {
		if a, err := c.Resolve(t.Context(), Question{"plain.example", TypeTXT}); err != nil || a.TTL <= 0 || a.TTL > 300*time.Second {
			t.Errorf("answer: %v, %v", a.TTL, err)
		}
		_, err := c.Resolve(t.Context(), Question{"absent.plain.example", TypeTXT})
		if failure, ok := errors.AsType[*Error](err); !ok || failure.TTL <= 0 || failure.TTL > 60*time.Second {
			t.Errorf("absence: %v", err)
		}
	})

	t.Run("every printable octet can be asked for", func(t *testing.T) {
		for _, name := range everyOctet() {
			name = strings.TrimSuffix(name, "example") + "any.example"
			for _, r := range []Resolver{c, netOver(d.Address)} {
				if a, err := r.Resolve(t.Context(), Question{name, TypeTXT}); err != nil || !slices.Equal(a.TXT, []string{"any"}) {
					t.Errorf("%T: %q: %v, %v", r, name, a, err)
				}
			}
		}
	})

	t.Run("a TTL of zero is zero, and the Cache keeps nothing", func(t *testing.T) {
		for _, q := range []Question{{"zero.plain.example", TypeTXT}, {"zero-alias.plain.example", TypeA}} {
			r := counting(c)
			cache := &Cache{Resolver: r}
			for range 2 {
				if a, err := cache.Resolve(t.Context(), q); err != nil || a.TTL != 0 {
					t.Errorf("%v: TTL %v, %v", q, a.TTL, err)
				}
			}
			if n := r.count(q); n != 2 {
				t.Errorf("%v was asked %d times, want each time", q, n)
			}
		}
	})

	t.Run("a TXT record of 4 KB comes over TCP", func(t *testing.T) {
		mu.Lock()
		networks = nil
		mu.Unlock()
		c.CloseIdleConnections()
		a, err := c.Resolve(t.Context(), Question{"long.plain.example", TypeTXT})
		if err != nil || len(a.TXT) != 1 || len(a.TXT[0]) != 4000 {
			t.Errorf("%d records, %v", len(a.TXT), err)
		}
		if !slices.Equal(networks, []string{"udp", "tcp"}) {
			t.Errorf("asked over %v", networks)
		}
	})

	t.Run("a bogus signature is a failure that names DNSSEC", func(t *testing.T) {
		_, err := c.Resolve(t.Context(), Question{"bogus.example", TypeTXT})
		if !errors.Is(err, ErrServFail) || !Temporary(err) || !strings.Contains(err.Error(), "DNSSEC") {
			t.Errorf("%v, want %v", err, ErrServFail)
		}
	})

	t.Run("Net answers the same", func(t *testing.T) {
		r := netOver(d.Address)
		for q, want := range map[Question]error{
			{"plain.example", TypeTXT}:           nil,
			{"plain.example", TypeMX}:            nil,
			{"mx.plain.example", TypeA}:          nil,
			{"long.plain.example", TypeTXT}:      nil,
			{"absent.plain.example", TypeTXT}:    ErrNXDomain,
			{"mx.plain.example", TypeTXT}:        ErrNoData,
			{"-hyphens-.plain.example", TypeTXT}: nil,
			{"dangling.plain.example", TypeTXT}:  ErrNXDomain,
			{"alias.plain.example", TypeTXT}:     ErrNoData,
			{"plain.example", TypeA}:             ErrNoData,
			{"bogus.example", TypeTXT}:           ErrServFail,
			{"bogus.example", TypeA}:             ErrNotFound,
		} {
			if _, err := r.Resolve(t.Context(), q); !errors.Is(err, want) {
				t.Errorf("%v: %v, want %v", q, err, want)
			}
		}
	})

	t.Run("a slow server is left for a second one that answers", func(t *testing.T) {
		mute, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer mute.Close()
		c := &Client{Servers: []string{mute.LocalAddr().String(), d.Address}, Timeout: 200 * time.Millisecond}
		if a, err := c.Resolve(t.Context(), Question{"plain.example", TypeTXT}); err != nil || a.Count() != 2 {
			t.Errorf("%+v, %v", a, err)
		}
	})

	t.Run("a server that is down is a failure, and answers once it is back", func(t *testing.T) {
		d.Down()
		_, err := c.Resolve(t.Context(), Question{"plain.example", TypeTXT})
		if !Temporary(err) || !strings.Contains(err.Error(), d.Address) {
			t.Errorf("down: %v", err)
		}
		d.Up()
		if a, err := c.Resolve(t.Context(), Question{"plain.example", TypeTXT}); err != nil || a.Count() != 2 {
			t.Errorf("back: %+v, %v", a, err)
		}
	})
}

// kindOf tells apart what a caller acts on.
func kindOf(err error) string {
	switch {
	case err == nil:
		return "answer"
	case errors.Is(err, ErrNXDomain):
		return "no such name"
	case errors.Is(err, ErrNoData):
		return "no data"
	}
	return "failure"
}

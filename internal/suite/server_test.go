package suite

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
)

func TestAServerAnswersAsItsZone(t *testing.T) {
	zone := resolver.Zone{
		"example.com":                {TXT: []string{strings.Repeat("long \x00\xff\"\\.", 300)}, A: []string{"192.0.2.1"}, AAAA: []string{"2001:db8::1"}, MX: []string{"10 a b.example.com", "0 ."}},
		"a+b=c \"\\.example.com":     {A: []string{"192.0.2.2"}},
		"1.2.0.192.in-addr.arpa":     {PTR: []string{"a+b.example.com", "b.example.com"}},
		"alias.example.com":          {CNAME: "example.com"},
		"broken.example.com":         {Fault: resolver.Fault{Err: resolver.ErrServFail}},
		"far.away.below.example.com": {A: []string{"192.0.2.3"}},
	}
	client := &resolver.Client{Servers: []string{Serve(t, zone)}}
	defer client.CloseIdleConnections()
	for _, name := range []string{
		"example.com", "a+b=c \"\\.example.com", "1.2.0.192.in-addr.arpa", "alias.example.com",
		"broken.example.com", "below.example.com", "gone.example.com",
	} {
		for _, kind := range []resolver.Type{resolver.TypeA, resolver.TypeAAAA, resolver.TypeMX, resolver.TypeTXT, resolver.TypePTR} {
			q := resolver.Question{Name: name, Type: kind}
			got, gotErr := client.Resolve(t.Context(), q)
			want, wantErr := zone.Resolve(t.Context(), q)
			got.TTL, want.TTL, got.Authentic, want.Authentic = 0, 0, 0, 0
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%v: got %v, want %v", q, got, want)
			}
			for _, err := range []error{resolver.ErrNXDomain, resolver.ErrNoData, resolver.ErrServFail} {
				if errors.Is(gotErr, err) != errors.Is(wantErr, err) {
					t.Errorf("%v: got %v, want %v", q, gotErr, wantErr)
				}
			}
		}
	}
}

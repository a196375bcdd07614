//go:build integration

package realdns

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// ask returns the answer to a question about TXT records.
func ask(t *testing.T, s *Servers, name string) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, dns.TypeTXT)
	m.AuthenticatedData = true
	r, err := dns.Exchange(m, s.Address)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outcome returns what matters of an answer, in words.
func outcome(m *dns.Msg) string {
	words := []string{dns.RcodeToString[m.Rcode]}
	if m.AuthenticatedData {
		words = append(words, "ad")
	}
	for _, rr := range m.Answer {
		if txt, ok := rr.(*dns.TXT); ok {
			words = append(words, txt.Txt...)
		}
	}
	return strings.Join(words, " ")
}

func TestRealServersHaveAllOfDNSInARootZone(t *testing.T) {
	names := []string{
		"www.example.com.", "x.test.", "x.invalid.", "x.onion.", "x.home.arpa.", "localhost.",
		"1.2.0.192.in-addr.arpa.", "1.100.51.198.in-addr.arpa.", "1.113.0.203.in-addr.arpa.", "1.0.0.10.in-addr.arpa.",
		"1." + strings.Repeat("0.", 23) + "8.b.d.0.1.0.0.2.ip6.arpa.",
	}
	records := "bogus.example.com. TXT \"altered\"\nbogus.example.com. TXT \"xaltered\"\n"
	for _, name := range names {
		records += name + " TXT \"found\"\n"
	}
	for _, tt := range []struct {
		name                 string
		zone                 Zone
		found, absent, bogus string
	}{
		{"unsigned", Zone{Records: records}, "NOERROR found", "NXDOMAIN", "NOERROR altered xaltered"},
		{"signed", Zone{Records: records, Signed: true, Spoiled: []string{"bogus.example.com"}}, "NOERROR ad found", "NXDOMAIN ad", "SERVFAIL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Start(t, map[string]Zone{".": tt.zone})
			for _, name := range names {
				if got := outcome(ask(t, s, name)); got != tt.found {
					t.Errorf("%s: %s, want %s", name, got, tt.found)
				}
			}
			for _, name := range []string{"absent.example.com.", "com.invalid.", "2.2.0.192.in-addr.arpa."} {
				if got := outcome(ask(t, s, name)); got != tt.absent {
					t.Errorf("%s: %s, want %s", name, got, tt.absent)
				}
			}
			bogus := strings.Fields(outcome(ask(t, s, "bogus.example.com.")))
			slices.Sort(bogus[1:]) // records come in any order
			if got := strings.Join(bogus, " "); got != tt.bogus {
				t.Errorf("bogus.example.com: %s, want %s", got, tt.bogus)
			}
		})
	}
}

package resolver

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"
)

// Answers as large as DNS can carry: 64 KB, over TCP.
func TestClientReadsTheLargestAnswers(t *testing.T) {
	var many []string
	for n := range 2000 {
		many = append(many, fmt.Sprintf(`q.example. 60 IN TXT "record %d"`, n))
	}
	for _, tt := range []struct {
		name    string
		records []string
		count   int
		length  int // of the first record
	}{
		{"one record of 500 strings", []string{"q.example. 60 IN TXT" + strings.Repeat(` "`+strings.Repeat("a", 129)+`"`, 500)}, 1, 500 * 129},
		{"one record of 16,000 strings of one octet", []string{"q.example. 60 IN TXT" + strings.Repeat(` "a"`, 16_000)}, 1, 16_000},
		{"2000 records", many, 2000, len("record 0")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := func(protocol string, query *dns.Msg) [][]byte {
				m := reply(query, dns.RcodeSuccess, tt.records, nil)
				m.Compress = true
				if protocol == "udp" {
					m.Answer, m.Truncated = nil, true
				}
				return pack(m)
			}
			synctest.Test(t, func(t *testing.T) {
				c := Client{Servers: []string{"192.0.2.53"}, dial: network{"192.0.2.53:53": answer}.dial}
				defer c.CloseIdleConnections()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				a, err := c.Resolve(t.Context(), Question{Name: "q.example", Type: TypeTXT})
				runtime.ReadMemStats(&after)
				if err != nil || len(a.TXT) != tt.count || len(a.TXT[0]) != tt.length {
					t.Fatalf("%d records (%v), want %d", len(a.TXT), err, tt.count)
				}
				// Most of it is what the server of this test takes.
				if octets := after.TotalAlloc - before.TotalAlloc; octets > 16<<20 {
					t.Errorf("%d KB of memory for 64 KB", octets>>10)
				}
			})
		})
	}
}

// A server may send more than it was told to, and not say that it is truncated.
func TestClientReadsTheLargestDatagrams(t *testing.T) {
	answer := func(protocol string, query *dns.Msg) [][]byte {
		if protocol != "udp" {
			t.Error("asked again over TCP")
		}
		text := strings.Repeat(" \""+query.Question[0].Name[:1]+strings.Repeat("a", 249)+"\"", 240)
		return pack(reply(query, dns.RcodeSuccess, []string{query.Question[0].Name + " 60 TXT" + text}, nil))
	}
	synctest.Test(t, func(t *testing.T) {
		c := Client{Servers: []string{"192.0.2.53"}, dial: network{"192.0.2.53:53": answer}.dial}
		var answers []Answer
		for _, name := range []string{"q.example", "r.example"} {
			a, err := c.Resolve(t.Context(), Question{Name: name, Type: TypeTXT})
			if err != nil || a.Count() != 1 || len(a.TXT[0]) != 240*250 {
				t.Fatalf("%d records, %v", a.Count(), err)
			}
			answers = append(answers, a)
		}
		// What the second was read into is not what the first consists of.
		if want := strings.Repeat("q"+strings.Repeat("a", 249), 240); answers[0].TXT[0] != want {
			t.Error("the first answer has changed")
		}
	})
}

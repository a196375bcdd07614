package trace_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
)

func ExampleWith() {
	dns := &resolver.Cache{Resolver: resolver.Zone{"example.com": {A: []string{"192.0.2.1"}}}}
	ctx := trace.With(context.Background(), func(e trace.Event) {
		fmt.Println(e.Question, e.Answer.Addrs, "cached:", e.Cached)
	})
	for range 2 {
		if _, err := dns.Resolve(ctx, resolver.Question{Name: "example.com", Type: resolver.TypeA}); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// example.com A [192.0.2.1] cached: false
	// example.com A [192.0.2.1] cached: true
}

var (
	question = resolver.Question{Name: "ann+x._spf.example.com", Type: resolver.TypeTXT}
	answered = trace.Event{
		Question: question,
		Answer:   resolver.Answer{TXT: []string{"x\n"}, TTL: time.Second, Authentic: resolver.AuthenticYes},
		Server:   "192.0.2.53:53", Duration: time.Millisecond,
	}
	failed = trace.Event{
		Question: question, Err: &resolver.Error{Question: question, Err: resolver.ErrNXDomain, Server: "192.0.2.53:53"},
		Server: "192.0.2.53:53", Cached: true,
	}
	stale = trace.Event{Question: question, Answer: answered.Answer, Cached: true, Stale: true}
)

func TestAnEventIsOneLine(t *testing.T) {
	for want, e := range map[string]trace.Event{
		`ann\043x._spf.example.com TXT: "x\n", TTL 1s, authentic (server 192.0.2.53:53, 1ms)`: answered,
		`ann\043x._spf.example.com TXT: no such domain name (server 192.0.2.53:53) (cached)`:  failed,
		`ann\043x._spf.example.com TXT: "x\n", TTL 1s, authentic (stale)`:                     stale,
	} {
		if got := e.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestAnEventIsLoggedByItsFields(t *testing.T) {
	for want, e := range map[string]trace.Event{
		`dns.answer="\"x\\n\", TTL 1s, authentic" dns.server=192.0.2.53:53 dns.duration=1ms`:                                                              answered,
		`dns.error="ann\\043x._spf.example.com TXT: no such domain name (server 192.0.2.53:53)" dns.server=192.0.2.53:53 dns.duration=0s dns.cached=true`: failed,
		`dns.duration=0s dns.cached=true dns.stale=true`:                                                                                                  stale,
	} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("asked", "dns", e)
		if got := log.String(); !strings.Contains(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestAnEventKeepsItsErrorThroughJSON(t *testing.T) {
	for want, e := range map[string]trace.Event{
		`{"question":{"name":"ann+x._spf.example.com","type":"TXT"},"answer":{"txt":["x\n"],"ttl":1000000000,"authentic":"yes"},` +
			`"server":"192.0.2.53:53","start":"0001-01-01T00:00:00Z","duration":1000000}`: answered,
		`{"question":{"name":"ann+x._spf.example.com","type":"TXT"},"answer":{"authentic":"unknown"},` +
			`"server":"192.0.2.53:53","start":"0001-01-01T00:00:00Z","cached":true,` +
			`"reason":"ann\\043x._spf.example.com TXT: no such domain name (server 192.0.2.53:53)","cause":"nxdomain"}`: failed,
	} {
		got, err := json.Marshal(e)
		if err != nil || string(got) != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
		if byPointer, err := json.Marshal(&e); err != nil || !bytes.Equal(byPointer, got) {
			t.Errorf("by pointer: %s, %v", byPointer, err)
		}
		var back trace.Event
		if err := json.Unmarshal(got, &back); err != nil || !errors.Is(back.Err, e.Err) && !errors.Is(e.Err, resolver.ErrNXDomain) {
			t.Errorf("%v, %v", back, err)
		}
		if e.Err != nil && (!errors.Is(back.Err, resolver.ErrNXDomain) || back.Err.Error() != e.Err.Error()) {
			t.Errorf("error came back as %v", back.Err)
		}
		if back.Err, e.Err = nil, nil; !reflect.DeepEqual(back, e) {
			t.Errorf("came back as %+v, want %+v", back, e)
		}
	}
}

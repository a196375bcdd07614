package dmarctest

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

func TestAFaultIsPlantedAtATypeOrAtAName(t *testing.T) {
	zone := resolver.Zone{"example.com": {TXT: []string{"x"}, A: []string{"192.0.2.1"}}}
	clone := maps.Clone(zone)
	Plant(t, zone, "Example.COM. txt", resolver.Fault{Err: resolver.ErrServFail})
	Plant(t, zone, "_dmarc.example.com", resolver.Fault{Err: resolver.ErrTimeout})
	again := maps.Clone(zone)
	Plant(t, again, "example.com A", resolver.Fault{Err: resolver.ErrRefused})
	for _, tt := range []struct {
		zone resolver.Zone
		q    resolver.Question
		want error
	}{
		{zone, resolver.Question{Name: "example.com", Type: resolver.TypeTXT}, resolver.ErrServFail},
		{zone, resolver.Question{Name: "example.com", Type: resolver.TypeA}, nil},
		{zone, resolver.Question{Name: "_dmarc.example.com", Type: resolver.TypeTXT}, resolver.ErrTimeout},
		{zone, resolver.Question{Name: "_dmarc.example.com", Type: resolver.TypeMX}, resolver.ErrTimeout},
		{clone, resolver.Question{Name: "example.com", Type: resolver.TypeTXT}, nil},
		{again, resolver.Question{Name: "example.com", Type: resolver.TypeA}, resolver.ErrRefused},
		{again, resolver.Question{Name: "example.com", Type: resolver.TypeTXT}, resolver.ErrServFail},
	} {
		if _, err := tt.zone.Resolve(t.Context(), tt.q); !errors.Is(err, tt.want) {
			t.Errorf("%v: %v, want %v", tt.q, err, tt.want)
		}
	}
}

// The tree walk of RFC 9989 and the mechanism "exists" of SPF see the difference.
func TestAFaultLeavesOpenWhetherTheNameExists(t *testing.T) {
	zone := resolver.Zone{
		"example.com":     {TXT: []string{"x"}},
		"*.w.example.com": {A: []string{"192.0.2.1"}},
		"empty.example":   {},
		"a.sub.example":   {A: []string{"192.0.2.1"}},
	}
	names := []string{"example.com", "y.example.com", "y.w.example.com", "x.y.w.example.com", "x.y.example.com", "empty.example", "sub.example"}
	outcomes := func(zone resolver.Zone) map[string]error {
		m := map[string]error{}
		for _, name := range names {
			_, err := zone.Resolve(t.Context(), resolver.Question{Name: name, Type: resolver.TypeA})
			for _, kind := range []error{resolver.ErrNXDomain, resolver.ErrNoData} {
				if errors.Is(err, kind) {
					err = kind
				}
			}
			m[name] = err
		}
		return m
	}
	want := outcomes(zone)
	if want["y.example.com"] != resolver.ErrNXDomain || want["y.w.example.com"] != nil || want["empty.example"] != resolver.ErrNoData {
		t.Fatal(want)
	}
	byPlant, bySidecar := maps.Clone(zone), &Fixture{Zone: maps.Clone(zone)}
	for _, name := range []string{"example.com", "y.example.com", "y.w.example.com", "empty.example", "sub.example"} {
		for range 2 { // the second fault takes the place of the first
			Plant(t, byPlant, name+" TXT", resolver.Fault{Err: resolver.ErrServFail})
		}
		if err := bySidecar.readSidecar([]byte(`{"faults": {"` + name + ` TXT": "servfail"}}`)); err != nil {
			t.Fatal(err)
		}
		for way, zone := range map[string]resolver.Zone{"Plant": byPlant, "a sidecar": bySidecar.Zone} {
			if _, err := zone.Resolve(t.Context(), resolver.Question{Name: name, Type: resolver.TypeTXT}); !errors.Is(err, resolver.ErrServFail) {
				t.Errorf("%s: %s TXT: %v", way, name, err)
			}
		}
	}
	if got := outcomes(byPlant); !maps.Equal(got, want) {
		t.Errorf("Plant:\n%v\nwant\n%v", got, want)
	}
	if got := outcomes(bySidecar.Zone); !maps.Equal(got, want) {
		t.Errorf("a sidecar:\n%v\nwant\n%v", got, want)
	}
}

func TestAKeyThatIsPublishedWhereAFaultIsPlantedExists(t *testing.T) {
	zone := resolver.Zone{}
	Plant(t, zone, "test._domainkey.shop.example A", resolver.Fault{Err: resolver.ErrServFail})
	Sign(t, zone, Message{From: "orders@shop.example"}.Bytes(t), Signature{Domain: "shop.example"})
	if _, err := zone.Resolve(t.Context(), resolver.Question{Name: "test._domainkey.shop.example", Type: resolver.TypeTXT}); err != nil {
		t.Error(err)
	}
}

func TestAFaultAtNoQuestionFailsTheTest(t *testing.T) {
	for _, question := range []string{"", "a..b", "example.com SOA", "example.com  TXT", "TXT example.com"} {
		if got := failure(t, func(t testing.TB) { Plant(t, resolver.Zone{}, question, resolver.Fault{}) }); got == "" {
			t.Errorf("%q is a question", question)
		}
	}
}

func TestFaultsAreReadFromWords(t *testing.T) {
	for _, tt := range []struct {
		text string
		want resolver.Fault
	}{
		{"servfail", resolver.Fault{Err: resolver.ErrServFail}},
		{"nxdomain", resolver.Fault{Err: resolver.ErrNXDomain}},
		{"3s", resolver.Fault{Delay: 3 * time.Second}},
		{"1m30s timeout", resolver.Fault{Delay: 90 * time.Second, Err: resolver.ErrTimeout}},
	} {
		if got, err := parseFault(tt.text); err != nil || got != tt.want {
			t.Errorf("%q: %v, %v; want %v", tt.text, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "fail", "3", "-3s", "0s", "timeout 3s", "3s 3s", "servfail refused", "3s timeout x"} {
		if f, err := parseFault(text); err == nil {
			t.Errorf("%q is %v", text, f)
		}
	}
}

func TestASlowServerIsSlowForEveryQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Slow(resolver.Zone{"example.com": {TXT: []string{"x"}}}, time.Second)
		for _, q := range []resolver.Question{
			{Name: "example.com", Type: resolver.TypeTXT},
			{Name: "absent.example", Type: resolver.TypeTXT},
		} {
			start := time.Now()
			if _, err := r.Resolve(t.Context(), q); resolver.Temporary(err) || time.Since(start) != time.Second {
				t.Errorf("%v: %v after %v", q, err, time.Since(start))
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := r.Resolve(ctx, resolver.Question{Name: "example.com", Type: resolver.TypeTXT})
		if !errors.Is(err, resolver.ErrTimeout) || time.Since(start) != time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

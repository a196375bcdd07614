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

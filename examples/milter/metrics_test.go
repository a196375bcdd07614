package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
)

// get asks the server of a daemon's metrics.
func get(d *daemon, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.metrics.handler(func() bool { return !d.draining.Load() }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestMetricsCountWhatWasDone(t *testing.T) {
	d := testDaemon(t, `reject = "always"`)
	for _, ip := range []string{"192.0.2.7", "198.51.100.9", "198.51.100.9", "127.0.0.1"} {
		connect(t, d, ip).send("a@bank.test", append([]string{"X-DMARC-Disposition: none"}, fromBank...), "u@example.com")
	}
	got := get(d, "/metrics").Body.String()
	for _, want := range []string{
		`messages_total{action="accept",client="other",verdict="pass"} 1`,
		`messages_total{action="reject",client="other",verdict="fail"} 2`,
		`skipped_total{client="local"} 1`,
		`forged_fields_total 3`,
		`failures_total{kind="panic"} 0`,
		`reloads_total{outcome="failed"} 0`,
		`messages_under_way 0`,
		`connections 4`,
		`stage_seconds_count{stage="answer"} 3`,
	} {
		if !strings.Contains(got, "mailverdict_milter_"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if w := get(d, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("health: %d", w.Code)
	}
	d.drain()
	if w := get(d, "/healthz"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("health after the end: %d", w.Code)
	}
}

func TestMetricsCountWhereAnotherFilterAgrees(t *testing.T) {
	d := testDaemon(t, "shadow = \"other.test\"\nreject = \"always\"")
	m := connect(t, d, "198.51.100.9")
	for _, word := range []string{"pass", "fail", "fail"} {
		m.send("a@bank.test", append([]string{"Authentication-Results: other.test; dmarc=" + word + " header.from=bank.test"}, fromBank...), "u@example.com")
	}
	d.drain()
	got := get(d, "/metrics").Body.String()
	for _, want := range []string{
		`shadow_total{agrees="true",method="dmarc"} 2`, `shadow_total{agrees="false",method="dmarc"} 1`, `shadow_actions_total{action="reject"} 3`,
	} {
		if !strings.Contains(got, "mailverdict_milter_"+want+"\n") {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// With MEASURE=1 it sends 100,000 messages.
func TestMemoryIsFlatOverManyMessages(t *testing.T) {
	rounds, each := 3, 500
	if os.Getenv("MEASURE") != "" {
		rounds, each = 10, 10_000
	}
	d := testDaemon(t, `reject = "always"`)
	defer d.drain()
	m := connect(t, d, "198.51.100.9")
	send := func() uint64 {
		for range each {
			m.send("a@bank.test", fromBank, "u@example.com")
		}
		runtime.GC()
		runtime.GC() // pools are empty after the second
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	first, last := send(), uint64(0)
	for range rounds - 1 {
		last = send()
	}
	t.Logf("%d kB in use after %d messages, %d kB after %d", first>>10, each, last>>10, rounds*each)
	if last > first+1<<20 {
		t.Error("memory grows")
	}
}

package main

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// Memory and goroutines stay as they are, however many messages have come. MESSAGES says how many: 10,000
// take half a minute.
func TestMemoryIsFlat(t *testing.T) {
	messages := 500
	if n, err := strconv.Atoi(os.Getenv("MESSAGES")); err == nil {
		messages = n
	}
	dns, err := demoDNS()
	if err != nil {
		t.Fatal(err)
	}
	r := startWith(t, dns.(paced).zone, func(s *server) { s.limits.mails, s.limits.visitorsByClient = messages+1, 50 })
	var visitors []string
	for range 20 {
		visitors = append(visitors, r.session(t).Address)
	}
	c := r.dial(t)
	defer c.Close()
	measure := func(sent int) (heap uint64, goroutines int) {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		heap, goroutines = m.HeapAlloc, runtime.NumGoroutine()
		t.Logf("after %5d messages: %5.1f MiB of heap in use, %5.1f MiB from the system, %d goroutines", sent, float64(heap)/(1<<20), float64(m.Sys)/(1<<20), goroutines)
		return heap, goroutines
	}
	var heap uint64
	var goroutines int
	began := time.Now()
	for n := range messages {
		if n == messages/2 { // every visitor has the messages that are kept
			heap, goroutines = measure(n)
		}
		if err := c.Mail("me@laptop.example", nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Rcpt(visitors[n%len(visitors)], nil); err != nil {
			t.Fatal(err)
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(mine)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	last, now := measure(messages)
	t.Logf("%.0f messages a second", float64(messages)/time.Since(began).Seconds())
	if last > heap+heap/5+1<<20 || now > goroutines+5 {
		t.Errorf("the second half of the messages brought the heap from %d to %d octets, and the goroutines from %d to %d", heap, last, goroutines, now)
	}
}

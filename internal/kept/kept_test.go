package kept

import (
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestATextIsParsedOnce(t *testing.T) {
	var m Map[int]
	parsed := 0
	parse := func(text string) int { parsed++; return len(text) }
	for range 3 {
		if got := m.Get("abc", parse) + m.Get("de", parse); got != 5 {
			t.Errorf("got %d", got)
		}
	}
	if parsed != 2 {
		t.Errorf("parsed %d times, want 2", parsed)
	}
}

func TestAMapIsBounded(t *testing.T) {
	var m Map[int]
	for n := range 2 * maxTexts {
		if got := m.Get(strconv.Itoa(n), func(string) int { return n }); got != n {
			t.Fatalf("got %d, want %d", got, n)
		}
	}
	if n := m.size(); n > maxTexts || n < maxTexts/2 {
		t.Errorf("%d texts are kept, want at most %d", n, maxTexts)
	}
	for _, tt := range []struct {
		octets int
		kept   bool
	}{{maxOctets, true}, {maxOctets + 1, false}} {
		parsed := 0
		for range 2 {
			m.Get(strings.Repeat("x", tt.octets), func(string) int { parsed++; return 0 })
		}
		if parsed == 1 != tt.kept {
			t.Errorf("a text of %d octets is parsed %d times", tt.octets, parsed)
		}
	}
}

func TestATextThatIsFoundOftenTakesNoLock(t *testing.T) {
	var m Map[int]
	parse := func(text string) int { return len(text) }
	for n := range maxTexts {
		m.Get(strconv.Itoa(n), parse)
	}
	for range maxTexts {
		m.Get("busy", parse)
	}
	m.mu.Lock() // who needs it waits for ever
	defer m.mu.Unlock()
	if m.Get("busy", parse) != 4 {
		t.Error("another value")
	}
}

func TestAMapIsSafeForConcurrentUse(t *testing.T) {
	var m Map[int]
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for n := range 3 * maxTexts {
				text := strconv.Itoa(n % (maxTexts + 10))
				if got := m.Get(text, func(text string) int { n, _ := strconv.Atoi(text); return n }); strconv.Itoa(got) != text {
					t.Errorf("%s: got %d", text, got)
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkMapOnAllProcessors(b *testing.B) {
	var m Map[int]
	text := strings.Repeat("v=DMARC1; p=reject; ", 5)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Get(text, func(text string) int { return len(text) })
		}
	})
}

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
	if len(m.values) != maxTexts {
		t.Errorf("%d texts are kept, want %d", len(m.values), maxTexts)
	}
	kept := len(m.values)
	m.Get(strings.Repeat("x", maxOctets+1), func(string) int { return 0 })
	if _, ok := m.values[strings.Repeat("x", maxOctets+1)]; ok || len(m.values) != kept {
		t.Error("a text that is too long is kept")
	}
	m.Get(strings.Repeat("x", maxOctets), func(string) int { return 0 })
	if _, ok := m.values[strings.Repeat("x", maxOctets)]; !ok {
		t.Error("a text of the greatest length is not kept")
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

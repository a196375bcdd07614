package header

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// A header is kept up to its limit, whatever comes and in whatever pieces.
func TestAHeaderOverALimitIsNotKept(t *testing.T) {
	const size = 10 << 20
	for _, tt := range []struct {
		name string
		text string
		want error
	}{
		{"one line", "a", ErrFieldLimit},
		{"folded lines", " a\r\n", ErrFieldLimit},
		{"fields", "X: 1\r\n", ErrFieldsLimit},
		{"long fields", "X: " + strings.Repeat("a", 1000) + "\r\n", ErrBlockLimit},
		{"bare LF", "x\n\r", ErrFieldsLimit},
	} {
		for _, piece := range []int{1 << 10, size} {
			t.Run(tt.name, func(t *testing.T) {
				message := []byte(strings.Repeat(tt.text, size/len(tt.text)))
				var s Splitter
				var err error
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for rest := message; len(rest) > 0 && err == nil; {
					n := min(piece, len(rest))
					for p := rest[:n]; len(p) > 0 && err == nil; {
						_, p, err = s.Next(p)
					}
					rest = rest[n:]
				}
				runtime.ReadMemStats(&after)
				if !errors.Is(err, tt.want) {
					t.Errorf("in pieces of %d: %v, want %v", piece, err, tt.want)
				}
				if octets := after.TotalAlloc - before.TotalAlloc; octets > 6*DefaultBlock {
					t.Errorf("in pieces of %d: %d KB of memory", piece, octets>>10)
				}
			})
		}
	}
}

func TestParseAllocatesWithTheFieldsAndNotWithTheirSquare(t *testing.T) {
	octets := func(block []byte) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		Parse(block)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, text := range []string{"X: 1\r\n", " \r\n", "no colon\r\n", ":\r\n", "\r", "\n", "X\r\n :\r\n"} {
		few, many := octets([]byte(strings.Repeat(text, 1000))), octets([]byte(strings.Repeat(text, 8000)))
		// A slice that grows takes up to three times its size.
		if many > 3*8*few+64<<10 {
			t.Errorf("%q: %d octets for 8000, %d for 1000", text, many, few)
		}
	}
}

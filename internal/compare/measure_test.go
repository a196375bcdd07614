package compare

import (
	"bytes"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"
)

// A contestant does a job over a message, or fails the benchmark with an error.
type contestant struct {
	name string
	run  func(message io.Reader) error
}

// A race is one job and those who do it: ours first, then the peer, and then, where
// there is cryptography in it, the floor.
type race struct {
	message     []byte // nil where the job takes none
	contestants []contestant
}

// bench runs a benchmark for each contestant. That of ours also reports how its time
// relates to that of the others.
func (r race) bench(b *testing.B) {
	for i, c := range r.contestants {
		b.Run("by="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(r.message)))
			message := newReader()
			for b.Loop() {
				if err := c.run(message.of(r.message)); err != nil {
					b.Fatal(err)
				}
			}
			if r.message != nil && c.name != "floor" {
				b.ReportMetric(float64(peak(b, c, r.message)), "peak-B")
			}
			if i == 0 {
				r.relate(b)
			}
		})
	}
}

// relate reports ours/peer and ours/floor: the medians over rounds in which the
// contestants take turns, so that what else the machine does meets all alike.
func (r race) relate(b *testing.B) {
	rounds, turn := 15, 10*time.Millisecond
	if b.N == 1 {
		rounds, turn = 1, 0 // -benchtime 1x: only to see that it works
	}
	message := newReader()
	times := make([][]float64, len(r.contestants))
	runs := make([]int, len(r.contestants)) // in a turn
	for i := range runs {
		runs[i] = 1
	}
	for range rounds {
		for i, c := range r.contestants {
			start := time.Now()
			for range runs[i] {
				if err := c.run(message.of(r.message)); err != nil {
					b.Fatal(err)
				}
			}
			took := time.Since(start) / time.Duration(runs[i])
			times[i] = append(times[i], float64(took))
			runs[i] = 1 + int(turn/max(took, 1))
		}
	}
	for i, c := range r.contestants[1:] {
		relations := make([]float64, rounds)
		for round := range rounds {
			relations[round] = times[0][round] / times[1+i][round]
		}
		unit := "ours/peer"
		if c.name == "floor" {
			unit = "ours/floor"
		}
		b.ReportMetric(median(relations), unit)
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// A reader reads a message and has no other method, as a connection.
type reader struct {
	io.Reader
	bytes *bytes.Reader
}

func newReader() *reader {
	r := bytes.NewReader(nil)
	return &reader{Reader: r, bytes: r}
}

func (r *reader) of(message []byte) io.Reader {
	r.bytes.Reset(message)
	return r
}

// peak returns how much of the heap, in octets, is in use at once while the job is
// done: looked at when the message begins, at every MiB of it, and when it has been
// read. Collecting the garbage first makes it what is in use, not what was allocated.
func peak(b *testing.B, c contestant, message []byte) uint64 {
	runtime.GC()
	p := &peakReader{message: message, before: heap()}
	if err := c.run(p); err != nil {
		b.Fatal(err)
	}
	return p.most
}

type peakReader struct {
	message      []byte
	at, looked   int
	before, most uint64
}

func (p *peakReader) Read(to []byte) (int, error) {
	n := copy(to, p.message[p.at:])
	p.at += n
	if n == 0 || p.looked == 0 || p.at-p.looked >= 1<<20 {
		p.looked = p.at
		runtime.GC()
		p.most = max(p.most, heap()-min(p.before, heap()))
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

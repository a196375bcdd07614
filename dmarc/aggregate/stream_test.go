package aggregate_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

// endless returns a reader of a report with n rows, of which it holds one.
func endless(n int) io.Reader {
	before, after, _ := strings.Cut(document, oneRow)
	return io.MultiReader(strings.NewReader(before), &rowReader{left: n}, strings.NewReader(after))
}

type rowReader struct {
	left int
	row  string
}

func (r *rowReader) Read(p []byte) (int, error) {
	if r.row == "" {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		r.row = oneRow
	}
	n := copy(p, r.row)
	r.row = r.row[n:]
	return n, nil
}

func TestAHundredMegabytesAreReadInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 100 MB")
	}
	n := 100_000_000/len(oneRow) + 1
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rows, most := 0, uint64(0)
	r := aggregate.Reader{
		Limits: aggregate.Limits{Size: -1, Rows: -1},
		Row: func(*aggregate.Report, aggregate.Row) error {
			if rows++; rows%(n/8) == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
			return nil
		},
	}
	reports, err := r.Read(endless(n))
	if err != nil || len(reports) != 1 || rows != n || len(reports[0].Rows) != 0 {
		t.Fatalf("%d rows, reports %v, error %v", rows, reports, err)
	}
	if most > before.HeapAlloc+1<<20 {
		t.Errorf("%d KiB are held while reading", (most-before.HeapAlloc)>>10)
	}
}

func TestARowHasItsReportBesideIt(t *testing.T) {
	var got []string
	r := aggregate.Reader{Row: func(r *aggregate.Report, row aggregate.Row) error {
		got = append(got, r.Org+" "+r.Policy.Domain+" "+row.HeaderFrom)
		return nil
	}}
	if _, err := r.Read(strings.NewReader(document)); err != nil || len(got) != 1 || got[0] != "Receiver example.com example.com" {
		t.Errorf("rows %q, error %v", got, err)
	}
}

func TestAnErrorOfRowEndsTheReading(t *testing.T) {
	enough := errors.New("enough")
	n := 0
	r := aggregate.Reader{Row: func(*aggregate.Report, aggregate.Row) error { n++; return enough }}
	text := multipart(mail("text/xml", withRows(5)), mail("text/xml", document))
	reports, err := r.Read(strings.NewReader(text))
	if err != enough || n != 1 || len(reports) != 1 || reports[0].Err != enough {
		t.Errorf("%d rows, reports %v, error %v", n, reports, err)
	}
}

func TestAnErrorOfTheReaderIsReturned(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, text := range []string{document, gzipped(withRows(200)), mail("text/xml", document), multipart(mail("text/xml", document), "\r\nx")} {
		for _, part := range []int{0, 10, len(text) / 2, len(text)} {
			in := io.MultiReader(strings.NewReader(text[:part]), iotest.ErrReader(broken))
			if _, err := new(aggregate.Reader).Read(in); !errors.Is(err, broken) {
				t.Errorf("after %d octets of %.20q: %v", part, text, err)
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	text := withRows(1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := new(aggregate.Reader).Read(strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}

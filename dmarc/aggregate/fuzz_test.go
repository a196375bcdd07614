package aggregate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

// addSeeds adds the conformance data, as far as it is there.
func addSeeds(f *testing.F, pattern string) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "conformance", "reports", pattern))
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil {
			f.Add(text)
		}
	}
}

// checkRead reads what may be anything, and checks what holds for every report.
func checkRead(t *testing.T, text []byte) {
	limits := aggregate.Limits{Size: 1 << 20, Rows: 100, Text: 1000}
	reports, err := (&aggregate.Reader{Limits: limits}).Read(bytes.NewReader(text))
	if len(reports) == 0 && err == nil {
		t.Fatal("no report and no error")
	}
	for _, r := range reports {
		if r.Err != nil && err == nil {
			t.Errorf("a report has the error %v, and nobody says so", r.Err)
		}
		if len(r.Rows) > 100 || len(r.Problems) > 100 || len(r.Errors) > 100 {
			t.Errorf("%d rows, %d problems", len(r.Rows), len(r.Problems))
		}
		if strings.ContainsAny(r.String(), "\r\n\x1b") {
			t.Errorf("%q", r.String())
		}
		for _, row := range r.Rows {
			if row.Count < 0 || len(row.AuthDKIM) > 100 || len(row.AuthSPF) > 100 {
				t.Errorf("row %+v", row)
			}
			for _, s := range []string{row.HeaderFrom, row.Disposition, r.Org} {
				if !utf8.ValidString(s) || len(s) > 1000 || strings.ContainsAny(s, "\x00\x1b\ufffe") {
					t.Errorf("text %q", s)
				}
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(document))
	f.Add([]byte(gzipped(document)))
	f.Add([]byte(zipped(f, document)))
	for _, pattern := range []string{"*.xml", "*.gz", "*.zip"} {
		addSeeds(f, pattern)
	}
	f.Fuzz(checkRead)
}

func FuzzReadMail(f *testing.F) {
	f.Add([]byte(mail("application/gzip", gzipped(document))))
	f.Add([]byte(multipart("\r\nHello.", mail("text/xml", document))))
	addSeeds(f, "*.eml")
	f.Fuzz(checkRead)
}

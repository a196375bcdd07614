package explain_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/dmarc/explain"
)

var update = flag.Bool("update", false, "write testdata/*.txt as they are now")

// Each message that ships with the repository has its explanation in testdata. They are
// for reading aloud.
func TestTheMessagesOfTheRepositoryAreExplained(t *testing.T) {
	for _, f := range dmarctest.Load(t, "../../testdata") {
		t.Run(f.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b strings.Builder
				if err := explain.Explain(f.Verify(t)).Text(&b, explain.TextOptions{}); err != nil {
					t.Fatal(err)
				}
				golden(t, f.Name+".txt", b.String())
			})
		})
	}
}

// golden compares text with a file of testdata, or writes it there.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

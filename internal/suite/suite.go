// Package suite runs conformance suites that are not part of this repository: it
// finds their folder, runs each case as a subtest, and prints one line of counts
// for each suite. It is for tests only.
package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Dir returns the folder of the conformance data: that of the environment variable
// CONFORMANCE_DIR, or ../shared/conformance beside the repository. It skips the
// test where there is none.
func Dir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("CONFORMANCE_DIR")
	if dir == "" {
		dir = filepath.Join(root(t), "..", "shared", "conformance")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("conformance data is not here (set CONFORMANCE_DIR): %v", err)
	}
	return dir
}

// module is the module line of the repository's root, which has modules below it.
const module = "module github.com/mailverdict/mailverdict\n"

// root returns the root of the repository, above the package that is tested.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), module) {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			t.Fatal("no go.mod of mailverdict above the package")
		}
		dir = above
	}
}

// A Suite counts the cases of one suite.
type Suite struct {
	t                       *testing.T
	passed, failed, skipped int
}

// New begins a suite. When t ends, the line "NAME: N passed, N failed, N skipped"
// is logged.
func New(t *testing.T, name string) *Suite {
	s := &Suite{t: t}
	t.Cleanup(func() {
		t.Logf("%s: %d passed, %d failed, %d skipped", name, s.passed, s.failed, s.skipped)
	})
	return s
}

// Run runs a case as a subtest. A case that is not to be run calls t.Skip with the
// reason.
func (s *Suite) Run(name string, f func(t *testing.T)) {
	s.t.Run(name, func(t *testing.T) {
		defer func() {
			switch {
			case t.Failed():
				s.failed++
			case t.Skipped():
				s.skipped++
			default:
				s.passed++
			}
		}()
		f(t)
	})
}

package suite

import (
	"os"
	"path/filepath"
	"testing"
)

func TestASuiteCountsPassedAndSkippedCases(t *testing.T) {
	s := New(t, "suite")
	s.Run("passes", func(t *testing.T) {})
	s.Run("is skipped", func(t *testing.T) { t.Skip("to be counted") })
	if s.passed != 1 || s.failed != 0 || s.skipped != 1 {
		t.Errorf("got %d passed, %d failed, %d skipped", s.passed, s.failed, s.skipped)
	}
}

func TestTheEnvironmentNamesTheFolder(t *testing.T) {
	want := t.TempDir()
	t.Setenv("CONFORMANCE_DIR", want)
	if got := Dir(t); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheRootIsTheRepositorysFromModulesBelowItToo(t *testing.T) {
	for _, from := range []string{".", "../compare", "../../examples"} {
		t.Run(from, func(t *testing.T) {
			t.Chdir(from)
			if _, err := os.Stat(filepath.Join(root(t), "SECURITY.md")); err != nil {
				t.Error(err)
			}
		})
	}
}

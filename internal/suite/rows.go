package suite

import (
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Rows reads a file of the conformance data, YAML or JSON, that holds a list. The name is
// relative to Dir.
func Rows[T any](t testing.TB, name string) []T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Dir(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	var rows []T
	if err := yaml.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

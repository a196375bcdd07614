package tagvalue

import (
	"strings"
	"testing"
)

// What All promises for lists that are as large as they can come.
func TestReadingAllocatesNothing(t *testing.T) {
	for name, text := range map[string]string{
		"200 KB in one tag":       "v=" + strings.Repeat("a", 200<<10),
		"200 KB in a name":        strings.Repeat("a", 200<<10) + "=v",
		"200 KB of tags":          strings.Repeat("a=b;", 50<<10),
		"200 KB of semicolons":    strings.Repeat(";", 200<<10),
		"200 KB of equals signs":  strings.Repeat("=", 200<<10),
		"200 KB of folds":         "v=" + strings.Repeat("\r\n ", 68<<10) + "a",
		"200 KB of folds in vain": strings.Repeat("\r\n ", 68<<10),
	} {
		n := testing.AllocsPerRun(2, func() {
			for tag, err := range All(text) {
				if err == nil && tag.Start > tag.End {
					t.Error("a value that ends before it starts")
				}
			}
			for range Items(text, ';') {
				continue
			}
		})
		if n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

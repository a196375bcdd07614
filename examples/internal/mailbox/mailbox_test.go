package mailbox

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

func FuzzLines(f *testing.F) {
	f.Add("From a\nFrom b\n\nFrom c\r\n\r\nFrom d")
	f.Fuzz(func(t *testing.T, text string) {
		escaped, err := io.ReadAll(&lines{r: bufio.NewReaderSize(strings.NewReader(text), 16)})
		if err != nil {
			t.Fatal(err)
		}
		all := "\n" + string(escaped)
		if strings.ReplaceAll(all, "\n>From ", "\nFrom ") != strings.ReplaceAll("\n"+text, "\n>From ", "\nFrom ") {
			t.Errorf("%q became %q", text, escaped)
		}
	})
}

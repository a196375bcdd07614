package canon

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// plainField is the canonical form of a field by the words of RFC 6376, sections
// 3.4.1 and 3.4.2.
func plainField(form Form, field string) string {
	if form == Simple {
		return field
	}
	name, value, _ := strings.Cut(field, ":")
	value = strings.ReplaceAll(strings.ReplaceAll(value, "\r\n", ""), "\t", " ")
	for strings.Contains(value, "  ") {
		value = strings.ReplaceAll(value, "  ", " ")
	}
	lower := []byte(strings.TrimRight(name, " \t\r\n"))
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c | 0x20
		}
	}
	return string(lower) + ":" + strings.Trim(value, " ")
}

// isField reports whether every CRLF in a text is that of a fold.
func isField(text string) bool {
	return !strings.Contains(strings.NewReplacer("\r\n ", "", "\r\n\t", "").Replace(text), "\r\n")
}

func canonicalField(form Form, field string) string {
	name, value, _ := strings.Cut(field, ":")
	return string(AppendField(nil, form, []byte(name), []byte(value)))
}

func TestFieldCanonicalizationIsThatOfThePlainWordsOfTheRFC(t *testing.T) {
	pieces := []string{"a", "Word", " ", "  ", "\t", "\r\n ", "\r\n\t", "\r\n  \r\n ", "\r", "\n", ":", "\u212a", strings.Repeat("long ", 30), "\x00"}
	names := []string{"Subject", "x-a ", "X\t", "From\r\n ", "\u212aey", "Z[@`{"}
	random := rand.New(rand.NewPCG(7, 8))
	for range 20_000 {
		field := names[random.IntN(len(names))] + ":"
		for range random.IntN(12) {
			field += pieces[random.IntN(len(pieces))]
		}
		if !isField(field) {
			continue
		}
		for _, form := range []Form{Simple, Relaxed} {
			if got, want := canonicalField(form, field), plainField(form, field); got != want {
				t.Fatalf("form %d: %q becomes %q, want %q", form, field, got, want)
			}
		}
	}
}

func TestAFieldIsAppended(t *testing.T) {
	if got := string(AppendField([]byte("a:b\r\n"), Relaxed, []byte("C "), []byte(" d"))); got != "a:b\r\nc:d" {
		t.Errorf("got %q", got)
	}
}

func FuzzField(f *testing.F) {
	f.Add("Subject : \r\n\t Hello \t World \r\n ")
	f.Add(":")
	f.Fuzz(func(t *testing.T, field string) {
		if !strings.Contains(field, ":") || !isField(field) {
			return
		}
		for _, form := range []Form{Simple, Relaxed} {
			got := canonicalField(form, field)
			if want := plainField(form, field); got != want {
				t.Fatalf("form %d: %q becomes %q, want %q", form, field, got, want)
			}
		}
	})
}

// Package mend reads TXT records that were meant to be SPF, DMARC or DKIM records, says what
// is wrong with them, and what their owner probably meant.
//
// [SPF], [DMARC] and [Key] each read one record. They are forgiving where the parsers of
// packages spf, dmarc/record and dkim are not, and so may decide nothing: what they return is
// advice. A Mended text is always one that those parsers take.
package mend

import (
	"slices"
	"strings"
)

// A Record is a TXT record as it is published, and what it should be.
type Record struct {
	Text string `json:"text"`

	// Faults are what is wrong, in the order of the text. None: nothing is, as far as this
	// package knows.
	Faults []Fault `json:"faults,omitempty"`

	// Mended is the record without its faults. It is empty where the owner alone can
	// know what is meant.
	Mended string `json:"mended,omitempty"`
}

// A Fault is one place where a record is wrong.
type Fault struct {
	Kind Kind `json:"kind"`

	// Begin and End are the octets of the record that are wrong: Text[Begin:End]. They
	// are the same where something is missing between two octets.
	Begin int `json:"begin"`
	End   int `json:"end"`

	// Text says what is wrong in a short sentence. It may quote the record: not safe to
	// print as it is.
	Text string `json:"text"`
}

// Kind says what is wrong, in a word that programs can rely on.
type Kind string

const (
	KindVersion   Kind = "version"   // what the record begins with
	KindCharacter Kind = "character" // quotes, backslashes, and other characters that do not belong
	KindSeparator Kind = "separator" // what parts terms or tags
	KindName      Kind = "name"      // of a term or tag
	KindValue     Kind = "value"     // of a term or tag
	KindMissing   Kind = "missing"   // a term or tag that has to be there
	KindRepeated  Kind = "repeated"
	KindCut       Kind = "cut" // the end of the record is not there
)

// String returns the word.
func (k Kind) String() string { return string(k) }

// add adds a fault, unless one of that kind and text is there already: a backslash before each
// of ten semicolons is one fault.
func (r *Record) add(k Kind, begin, end int, text string) {
	for _, f := range r.Faults {
		if f.Kind == k && f.Text == text {
			return
		}
	}
	r.Faults = append(r.Faults, Fault{k, begin, max(begin, end), text})
}

// finish puts the faults in order and drops a mended text where there is nothing to mend.
func (r *Record) finish() {
	slices.SortStableFunc(r.Faults, func(a, b Fault) int { return a.Begin - b.Begin })
	if len(r.Faults) == 0 || r.Mended == r.Text {
		r.Mended = ""
	}
}

// A source is the text of a record without characters that do not belong. Each octet knows
// where it stood.
type source struct {
	text string
	at   []int // one more than text has octets: the last is the length of the record
}

// characters that are easily taken for others, or that stand for nothing.
var (
	quotes = []string{`"`, "'", "`", "\u201c", "\u201d", "\u201e", "\u2018", "\u2019", "\u00ab", "\u00bb", "&quot;"}
	dashes = []string{"\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212"}
	blanks = []string{"\u00a0", "\u2002", "\u2003", "\u2009", "\u202f", "\u3000", "\t", "\r", "\n", "&nbsp;"}
	ghosts = []string{"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"}
)

// clean takes the characters out of a record that do not belong into it.
func (r *Record) clean() source {
	var b strings.Builder
	var at []int
	put := func(text string, pos int) {
		for range len(text) {
			at = append(at, pos)
		}
		b.WriteString(text)
	}
	for pos := 0; pos < len(r.Text); {
		rest := r.Text[pos:]
		size := 1
		switch n := prefix(rest, quotes); {
		case n > 0:
			size = n
			r.add(KindCharacter, pos, pos+n, "The quotation marks are part of the record. They do not belong there.")
		case rest[0] == '\\':
			r.add(KindCharacter, pos, pos+1, "The backslash is part of the record. It does not belong there.")
		case prefix(rest, dashes) > 0:
			size = prefix(rest, dashes)
			r.add(KindCharacter, pos, pos+size, "This dash is not the minus sign of the keyboard.")
			put("-", pos)
		case prefix(rest, blanks) > 0:
			size = prefix(rest, blanks)
			if rest[0] != '\t' {
				r.add(KindCharacter, pos, pos+size, "This blank is not the space of the keyboard.")
			}
			put(" ", pos)
		case prefix(rest, ghosts) > 0:
			size = prefix(rest, ghosts)
			r.add(KindCharacter, pos, pos+size, "An invisible character stands here.")
		default:
			put(rest[:1], pos)
		}
		pos += size
	}
	return source{b.String(), append(at, len(r.Text))}
}

// prefix returns the length of the first of the words that text begins with, or 0.
func prefix(text string, words []string) int {
	for _, word := range words {
		if strings.HasPrefix(text, word) {
			return len(word)
		}
	}
	return 0
}

// A span is a part of a source.
type span struct{ begin, end int }

// in returns the text of a span.
func (s span) in(src source) string { return src.text[s.begin:s.end] }

// faultAt adds a fault at a span of a source.
func (r *Record) faultAt(src source, s span, k Kind, text string) {
	end := src.at[s.end]
	if s.end > s.begin {
		end = src.at[s.end-1] + 1
	}
	r.add(k, src.at[s.begin], end, text)
}

// trim returns the span without spaces around it.
func (s span) trim(src source) span {
	for s.begin < s.end && src.text[s.begin] == ' ' {
		s.begin++
	}
	for s.begin < s.end && src.text[s.end-1] == ' ' {
		s.end--
	}
	return s
}

// nearest returns the word that is most like the given one, or "" where none is like it: a
// letter or two wrong, missing, or swapped, of three letters at least.
func nearest(word string, words []string) string {
	best, found := 3, ""
	for _, w := range words {
		most := 2
		if len(w) < 5 {
			most = 1
		}
		if d := distance(word, w); d <= most && d < best && len(w) >= 3 {
			best, found = d, w
		}
	}
	return found
}

// distance returns how many letters have to be changed, put in, left out or swapped with their
// neighbours to make b of a. Long words are not compared.
func distance(a, b string) int {
	const far = 100
	if len(a) > 32 || len(b) > 32 {
		return far
	}
	var d [33][33]int
	for i := range len(a) + 1 {
		d[i][0] = i
	}
	for j := range len(b) + 1 {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// letter reports whether c is an ASCII letter or digit.
func letter(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' }

package author

import (
	"iter"
	"strings"

	"github.com/mailverdict/mailverdict/internal/enum"
)

// A Problem is what is wrong with a From field that was taken all the same, since it
// leaves one possible domain.
type Problem struct {
	Kind   ProblemKind `json:"kind"`
	Detail string      `json:"detail"` // the same in a few words, none of which is the sender's
}

// String returns the kind and the detail.
func (p Problem) String() string { return p.Kind.String() + ": " + p.Detail }

// ProblemKind says what is wrong with a From field.
type ProblemKind uint8

const (
	ProblemUnquotedComma ProblemKind = iota
	ProblemStrayQuote
	ProblemStrayParenthesis
	ProblemLoneComment
	ProblemBackslash
	ProblemSquareBracket
	ProblemAngleBracket
	ProblemStrayColon
	ProblemStraySemicolon
	ProblemBareAddress
	ProblemWideAt
	ProblemSyntax // another one
	problemKinds  // how many there are
)

var problemKindWords = []string{
	"from-unquoted-comma", "from-stray-quote", "from-stray-parenthesis", "from-lone-comment", "from-backslash", "from-square-bracket",
	"from-angle-bracket", "from-stray-colon", "from-stray-semicolon", "from-bare-address", "from-wide-at", "from-syntax",
}

// String returns a word such as "from-unquoted-comma".
func (k ProblemKind) String() string { return enum.String(problemKindWords, k) }

// MarshalText returns the word of String.
func (k ProblemKind) MarshalText() ([]byte, error) { return enum.MarshalText(problemKindWords, k) }

// UnmarshalText reads a word that MarshalText wrote.
func (k *ProblemKind) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(problemKindWords, k, text)
}

// problemDetails say what is wrong, for each kind.
var problemDetails = [problemKinds]string{
	ProblemUnquotedComma:    "a comma in a name that is not quoted, or a name without an address beside it",
	ProblemStrayQuote:       "a quotation mark that nothing closes",
	ProblemStrayParenthesis: "a parenthesis that nothing opens or closes",
	ProblemLoneComment:      "a comment in place of an address",
	ProblemBackslash:        "a backslash outside of quotes and comments",
	ProblemSquareBracket:    "a square bracket outside of quotes and comments",
	ProblemAngleBracket:     `"<" and ">" are no pair around the address`,
	ProblemStrayColon:       `a ":" begins no group, or one without its ";"`,
	ProblemStraySemicolon:   `a ";" ends no group`,
	ProblemBareAddress:      "words before an address without angle brackets",
	ProblemWideAt:           `a character that reads as "@" stands in its place`,
	ProblemSyntax:           "no list of mailboxes as RFC 5322, section 3.4, has it",
}

// looseProblems says what is wrong with a From field whose one "@" is tokens[at].
func looseProblems(tokens []token, at int) []Problem {
	var count [256]int // of tokens, by kind
	var found [problemKinds]bool
	brackets := ""
	for _, t := range tokens {
		count[t.kind]++
		switch t.kind {
		case atom:
			found[ProblemBackslash] = found[ProblemBackslash] || strings.Contains(t.text, `\`)
			found[ProblemSquareBracket] = found[ProblemSquareBracket] || strings.ContainsAny(t.text, "[]")
		case '<', '>', '@':
			brackets += string(rune(t.kind))
		}
	}
	found[ProblemStrayQuote] = count['"'] > 0
	found[ProblemStrayParenthesis] = count['('] > 0 || count[')'] > 0
	found[ProblemStrayColon] = count[':'] > count[';']
	found[ProblemStraySemicolon] = count[';'] > count[':']
	found[ProblemAngleBracket] = brackets != "@" && brackets != "<@>"
	found[ProblemWideAt] = tokens[at].text != "@"
	for e := range looseElements(tokens) {
		found[ProblemBareAddress] = found[ProblemBareAddress] || e.at && brackets == "@" && e.before > 1
		found[ProblemUnquotedComma] = found[ProblemUnquotedComma] || !e.at && e.words > 0 && count[','] > 0
		found[ProblemLoneComment] = found[ProblemLoneComment] || !e.at && e.words == 0 && e.comments > 0
	}
	return listProblems(found)
}

// listProblems lists what was found, or else that something is wrong.
func listProblems(found [problemKinds]bool) []Problem {
	var list []Problem
	for kind, is := range found {
		if is {
			list = append(list, Problem{ProblemKind(kind), problemDetails[kind]})
		}
	}
	if list == nil {
		list = append(list, Problem{ProblemSyntax, problemDetails[ProblemSyntax]})
	}
	return list
}

// A looseElement is what one element of a list of addresses has.
type looseElement struct {
	at       bool // the "@"
	before   int  // words before it
	words    int
	comments int
}

// looseElements yields the elements of a list, but for the names of groups.
func looseElements(tokens []token) iter.Seq[looseElement] {
	return func(yield func(looseElement) bool) {
		var e looseElement
		for _, t := range tokens {
			switch t.kind {
			case ',', ';':
				if !yield(e) {
					return
				}
				e = looseElement{}
			case ':':
				e = looseElement{}
			case '@':
				e.at, e.before = true, e.words
			case comment:
				e.comments++
			case space, '<', '>':
			default:
				e.words++
			}
		}
		yield(e)
	}
}

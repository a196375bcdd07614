package dmarc

import (
	"iter"
	"strings"
)

// A Problem is what is wrong with a From field that was taken all the same, since it
// leaves one possible domain.
type Problem struct {
	Kind   string `json:"kind"`   // a word: "from-unquoted-comma"
	Detail string `json:"detail"` // the same in a few words, none of which is the sender's
}

// fromProblem is an index in fromProblems.
type fromProblem int

const (
	unquotedComma fromProblem = iota
	strayQuote
	strayParenthesis
	loneComment
	backslash
	squareBracket
	angleBracket
	strayColon
	straySemicolon
	bareAddress
	wideAt
	otherSyntax
)

// fromProblems are all kinds of Problem, in the order in which they are listed.
var fromProblems = [...]Problem{
	unquotedComma:    {"from-unquoted-comma", "a comma in a name that is not quoted, or a name without an address beside it"},
	strayQuote:       {"from-stray-quote", "a quotation mark that nothing closes"},
	strayParenthesis: {"from-stray-parenthesis", "a parenthesis that nothing opens or closes"},
	loneComment:      {"from-lone-comment", "a comment in place of an address"},
	backslash:        {"from-backslash", "a backslash outside of quotes and comments"},
	squareBracket:    {"from-square-bracket", "a square bracket outside of quotes and comments"},
	angleBracket:     {"from-angle-bracket", `"<" and ">" are no pair around the address`},
	strayColon:       {"from-stray-colon", `a ":" begins no group, or one without its ";"`},
	straySemicolon:   {"from-stray-semicolon", `a ";" ends no group`},
	bareAddress:      {"from-bare-address", "words before an address without angle brackets"},
	wideAt:           {"from-wide-at", `a character that reads as "@" stands in its place`},
	otherSyntax:      {"from-syntax", "no list of mailboxes as RFC 5322, section 3.4, has it"},
}

// looseProblems says what is wrong with a From field whose one "@" is tokens[at].
func looseProblems(tokens []fromToken, at int) []Problem {
	var count [256]int // of tokens, by kind
	var found [len(fromProblems)]bool
	brackets := ""
	for _, t := range tokens {
		count[t.kind]++
		switch t.kind {
		case atom:
			found[backslash] = found[backslash] || strings.Contains(t.text, `\`)
			found[squareBracket] = found[squareBracket] || strings.ContainsAny(t.text, "[]")
		case '<', '>', '@':
			brackets += string(rune(t.kind))
		}
	}
	found[strayQuote] = count['"'] > 0
	found[strayParenthesis] = count['('] > 0 || count[')'] > 0
	found[strayColon] = count[':'] > count[';']
	found[straySemicolon] = count[';'] > count[':']
	found[angleBracket] = brackets != "@" && brackets != "<@>"
	found[wideAt] = tokens[at].text != "@"
	for e := range looseElements(tokens) {
		found[bareAddress] = found[bareAddress] || e.at && brackets == "@" && e.before > 1
		found[unquotedComma] = found[unquotedComma] || !e.at && e.words > 0 && count[','] > 0
		found[loneComment] = found[loneComment] || !e.at && e.words == 0 && e.comments > 0
	}
	return listProblems(found)
}

func listProblems(found [len(fromProblems)]bool) []Problem {
	var list []Problem
	for kind, is := range found {
		if is {
			list = append(list, fromProblems[kind])
		}
	}
	if list == nil {
		list = append(list, fromProblems[otherSyntax])
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
func looseElements(tokens []fromToken) iter.Seq[looseElement] {
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

package author

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/authordomain"
)

// readOneAt returns the domain of a From field with exactly one "@", whatever else is wrong
// with it, and what is wrong. It returns "" where readers could see two domains, or none: the
// "@" is not that of an address, or they could see its domain end in different places.
func readOneAt(body string) (string, []Problem) {
	if countAts(body)+encodedAts(body) != 1 || hasControl(body) ||
		strings.Count(body, "<") > 1 || strings.Count(body, ">") > 1 {
		return "", nil
	}
	tokens := looseTokens(body)
	at := indexAt(tokens)
	if at < 1 || at+1 == len(tokens) {
		return "", nil
	}
	local, name := tokens[at-1], tokens[at+1]
	if local.kind != quoted && local.kind != atom || strings.ContainsAny(local.text, `[]\`) || isEncodedWord(local.text) {
		return "", nil
	}
	if !beginsAddress(tokens[:at]) || name.kind != atom || !endsAddress(tokens[at+2:]) {
		return "", nil
	}
	domain, err := authordomain.Canonical(name.text)
	if err != nil {
		return "", nil
	}
	return domain, looseProblems(tokens, at)
}

// beginsAddress reports whether the address is the first thing in its angle brackets, where
// it has some.
func beginsAddress(before []token) bool {
	for _, t := range slices.Backward(before) {
		switch t.kind {
		case '<':
			return true
		case ':', ',', ';':
			return !slices.ContainsFunc(before, func(t token) bool { return t.kind == '<' })
		}
	}
	return true
}

// endsAddress reports whether the address certainly ends before those tokens.
func endsAddress(behind []token) bool {
	behind = skipCFWS(behind)
	if len(behind) > 0 && behind[0].kind == '>' {
		behind = skipCFWS(behind[1:])
	}
	return len(behind) == 0 || behind[0].kind == ',' || behind[0].kind == ';'
}

func skipCFWS(tokens []token) []token {
	for len(tokens) > 0 && (tokens[0].kind == space || tokens[0].kind == comment) {
		tokens = tokens[1:]
	}
	return tokens
}

// encodedAts returns how often "@" stands encoded in what could be encoded-words: some
// readers decode them where they take them for an address. It counts more rather than less.
func encodedAts(body string) int {
	_, words, ok := strings.Cut(body, "=?")
	if !ok {
		return 0
	}
	lower := strings.ToLower(words)
	n := strings.Count(lower, "=40") + strings.Count(lower, "=ef=bc=a0") + strings.Count(lower, "=ef=b9=ab")
	n += strings.Count(lower, "utf-7") // where it is written +AEA-
	parts := strings.Split(words, "?")
	for i, part := range parts[1:] {
		if parts[i] == "b" || parts[i] == "B" {
			n += countAts(decodeLoosely(part))
		}
	}
	return n
}

// decodeLoosely decodes base64 as far as it goes, and passes over what is none.
func decodeLoosely(text string) string {
	text = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '+' || r == '/' {
			return r
		}
		return -1
	}, text)
	octets, _ := base64.RawStdEncoding.DecodeString(text)
	return string(octets)
}

// Kinds of token that only looseTokens has, besides the specials @ < > , ; : and the quotes
// and parentheses that nothing closes.
const (
	space   = ' '
	comment = 'c'
)

// Bounds on what is read with faults. A quote that nothing closes is searched for to the end
// of the field.
const (
	maxLooseTokens = 1000
	maxStray       = 8
)

// looseTokens cuts the whole of a From field into tokens, white space and comments included.
// A quote or a parenthesis that nothing closes is a token of its own, and a backslash outside
// of quotes and comments quotes nothing. It returns nil for a field of very many tokens.
func looseTokens(body string) []token {
	var tokens []token
	for strays := 0; body != ""; {
		t := looseToken(body)
		if t.kind == '"' || t.kind == '(' {
			strays++
		}
		if len(tokens) == maxLooseTokens || strays > maxStray {
			return nil
		}
		tokens = append(tokens, t)
		body = body[len(t.text):]
	}
	return tokens
}

// looseToken returns the token that body begins with.
func looseToken(body string) token {
	kind, n := body[0], 1
	switch body[0] {
	case ' ', '\t', '\r', '\n':
		kind = space
	case '(':
		if length := commentLength(body); length > 0 {
			kind, n = comment, length
		}
	case '"':
		if length := quotedLength(body); length > 0 {
			kind, n = quoted, length
		}
	case ')', '<', '>', ',', ';', ':':
	default:
		if n = atLength(body); n > 0 {
			kind = '@'
			break
		}
		for kind = atom; n < len(body) && !strings.Contains(delimiters, body[n:n+1]) && atLength(body[n:]) == 0; {
			n++
		}
	}
	return token{kind: kind, text: body[:n]}
}

// delimiters end a run of text.
const delimiters = " \t\r\n()<>,;:\""

// atLength returns the length of the "@", or of what some readers take for it, that text
// begins with, or 0.
func atLength(text string) int {
	if text[0] == '@' {
		return 1
	}
	for _, wide := range wideAts {
		if strings.HasPrefix(text, wide) {
			return len(wide)
		}
	}
	return 0
}

package dmarc

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// Bounds on a From field. Real ones have one mailbox and no nested comment.
const (
	maxMailboxes = 20
	maxNesting   = 100
)

// readFrom finds the domains of all mailboxes in the body of a From field, in order
// and each once, in canonical form. RFC 5322, section 3.4, with its obsolete forms and
// the groups of RFC 6854:
//
//	address-list = address *("," address)
//	address      = mailbox / group
//	mailbox      = addr-spec / [phrase] "<" [route ":"] addr-spec ">"
//	group        = phrase ":" [address-list] ";"
//
// It is lenient in what only people read (phrases, comments, charsets, raw octets above
// ASCII) and strict in the address: a text that two programs could read as two different
// addresses is an error, not a guess. It reads the body once, left to right, without
// recursion. What was found before an error is returned beside it.
func readFrom(body string) (domains []string, mailboxes int, err error) {
	p := fromParser{lexer: fromLexer{rest: body}}
	for done := false; !done; {
		if done, err = p.address(); err != nil {
			return p.domains, p.mailboxes, err
		}
	}
	if p.mailboxes == 0 {
		return nil, 0, ErrNoMailbox
	}
	return p.domains, p.mailboxes, nil
}

type fromParser struct {
	lexer     fromLexer
	group     bool // after "phrase:" and before its ";"
	mailboxes int
	domains   []string
}

// tokenRoom is memory for the tokens of nearly every address.
type tokenRoom [16]fromToken

// address reads one element of the list and the delimiter behind it. It is done at the
// end of the body.
func (p *fromParser) address() (done bool, err error) {
	var room tokenRoom
	tokens, delimiter, err := p.until(room[:0])
	if err != nil {
		return false, err
	}
	switch delimiter {
	case ':':
		if p.group || len(tokens) == 0 {
			return false, fromSyntax(`":" where no group begins`)
		}
		p.group = true
		return false, nil
	case '>':
		return false, fromSyntax(`">" without "<"`)
	case '<':
		if delimiter, err = p.angle(tokens); err != nil {
			return false, err
		}
	default:
		if len(tokens) == 0 {
			break // an empty element of an obsolete list, or the end of a group
		}
		name, err := addressDomain(tokens)
		if err != nil {
			return false, err
		}
		if err := p.add(name); err != nil {
			return false, err
		}
	}
	if delimiter == ';' {
		if !p.group {
			return false, fromSyntax(`";" outside of a group`)
		}
		p.group = false
	}
	return delimiter == end, nil
}

// angle reads an address in angle brackets, after its "<", and returns the delimiter
// behind it. Phrase is what stood before.
func (p *fromParser) angle(phrase []fromToken) (delimiter byte, err error) {
	claims := phraseDomains(phrase)
	var room tokenRoom
	tokens, delimiter, err := p.until(room[:0])
	// An obsolete route, "<@a,@b:address>", is to be ignored: RFC 5322, section 4.4.
	for err == nil && (delimiter == ',' || delimiter == ':') && len(tokens) > 0 && tokens[0].kind == '@' {
		tokens, delimiter, err = p.until(room[:0])
	}
	if err != nil {
		return 0, err
	}
	if delimiter != '>' {
		return 0, fromSyntax(`"<" without one address and ">"`)
	}
	name, err := addressDomain(tokens)
	if err != nil {
		return 0, err
	}
	for _, claim := range claims {
		// Some programs show the first and others answer to the second. The same
		// domain in both is common, and harmless.
		if claim != name {
			return 0, fromSyntax("an unquoted address of another domain before the address")
		}
	}
	if err := p.add(name); err != nil {
		return 0, err
	}
	tokens, delimiter, err = p.until(room[:0])
	if err == nil && (len(tokens) > 0 || delimiter != ',' && delimiter != ';' && delimiter != end) {
		err = fromSyntax("text after the address")
	}
	return delimiter, err
}

// until reads tokens up to a delimiter, one of < > , ; : or the end, and appends them to
// tokens.
func (p *fromParser) until(tokens []fromToken) (_ []fromToken, delimiter byte, err error) {
	for {
		token, err := p.lexer.next()
		if err != nil {
			return nil, 0, err
		}
		switch token.kind {
		case '<', '>', ',', ';', ':', end:
			return tokens, token.kind, nil
		}
		tokens = append(tokens, token)
	}
}

// add takes the domain of a mailbox.
func (p *fromParser) add(name string) error {
	if p.mailboxes++; p.mailboxes > maxMailboxes {
		return ErrTooManyMailboxes
	}
	if !slices.Contains(p.domains, name) {
		p.domains = append(p.domains, name)
	}
	return nil
}

// addressDomain returns the domain of an addr-spec: local-part "@" domain. Dots may
// stand anywhere in the local part, as some providers once sold such addresses, but
// words without a dot between them are not one address.
func addressDomain(tokens []fromToken) (string, error) {
	at := slices.IndexFunc(tokens, func(t fromToken) bool { return t.kind == '@' })
	if at < 0 {
		return "", fromSyntax(`a mailbox without "@"`)
	}
	if at == 0 {
		return "", fromSyntax("an address without a local part")
	}
	for i := range at - 1 {
		if tokens[i].kind != '.' && tokens[i+1].kind != '.' {
			return "", fromSyntax("a local part of several words")
		}
	}
	if len(tokens) == at+2 && tokens[at+1].kind == literal {
		return "", ErrAddressLiteral
	}
	text, rest := domainText(tokens[at+1:])
	if len(rest) > 0 {
		return "", fromSyntax("a domain of several words")
	}
	return authorDomain(text)
}

// authorDomain returns a name as an Author Domain. One whose last label is a number is an
// address.
func authorDomain(text string) (string, error) {
	name, err := domain.Canonical(text)
	if err != nil {
		return "", cause.Wrap(ErrFromDomain, "", err)
	}
	if strings.Trim(domain.Last(name, 1), "0123456789") == "" {
		return "", cause.Wrap(ErrFromDomain, "its last label is a number", nil)
	}
	return name, nil
}

// domainText joins the atoms and dots at the start of tokens, which comments and white
// space may part, and returns the tokens after them.
func domainText(tokens []fromToken) (text string, rest []fromToken) {
	n, octets := 0, 0
	for dotted := true; n < len(tokens); n++ {
		if t := tokens[n]; t.kind != '.' && (t.kind != atom || !dotted) {
			break
		}
		dotted = tokens[n].kind == '.'
		octets += max(len(tokens[n].text), len("."))
	}
	var b strings.Builder
	b.Grow(octets)
	for _, t := range tokens[:n] {
		if t.kind == '.' {
			b.WriteByte('.')
		}
		b.WriteString(t.text) // of a dot, nothing
	}
	return b.String(), tokens[n:]
}

// phraseDomains returns what reads as the domains of addresses in a phrase: an "@" with a
// name of two labels or more behind it. Usually there is none.
func phraseDomains(phrase []fromToken) (names []string) {
	for i, t := range phrase {
		if t.kind != '@' {
			continue
		}
		text, _ := domainText(phrase[i+1:])
		if !strings.Contains(strings.Trim(text, "."), ".") {
			continue
		}
		name, err := domain.Canonical(text)
		if err != nil {
			name = text // not the domain of any address, and so a difference
		}
		names = append(names, name)
	}
	return names
}

func fromSyntax(what string) error { return cause.Wrap(ErrFromSyntax, what, nil) }

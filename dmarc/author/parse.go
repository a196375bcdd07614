package author

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/authordomain"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// Bounds on a From field. Real ones have one mailbox and no nested comment.
const (
	maxMailboxes = 20
	maxNesting   = 100
)

// readField finds the domains of all mailboxes in the body of a From field. The test is
// whether two readers could see two domains. A field of one mailbox that breaks the grammar
// in a way that leaves one possible domain is taken, with Problems; otherwise what breaks it
// is an error, and Domains are those that were read before.
func (a *Author) readField(body string) {
	p := parser{lexer: lexer{body: body, rest: body}}
	a.Err = p.addresses()
	a.Domains, a.Mailboxes = p.domains, p.mailboxes
	if a.Err == nil {
		return
	}
	if name, problems := readOneAt(body); name != "" {
		a.Err, a.Domains, a.Mailboxes, a.Problems = nil, []string{name}, 1, problems
	}
}

// parser reads the body of a From field as RFC 5322, section 3.4, has it, with its
// obsolete forms and the groups of RFC 6854:
//
//	address-list = address *("," address)
//	address      = mailbox / group
//	mailbox      = addr-spec / [phrase] "<" [route ":"] addr-spec ">"
//	group        = phrase ":" [address-list] ";"
//
// It reads the body once, left to right, without recursion. Raw octets above ASCII may stand
// in phrases. Encoded-words are not decoded: to this grammar they are atoms.
type parser struct {
	lexer     lexer
	group     bool // after "phrase:" and before its ";"
	closed    bool // directly after that ";"
	mailboxes int
	domains   []string // each once, in canonical form
}

// addresses reads the whole list.
func (p *parser) addresses() error {
	for done := false; !done; {
		var err error
		if done, err = p.address(); err != nil {
			return err
		}
	}
	switch {
	case p.group:
		return syntax("a group without an end")
	case p.mailboxes == 0:
		return ErrNoMailbox
	}
	return nil
}

// tokenRoom is memory for the tokens of nearly every address.
type tokenRoom [8]token

// address reads one element of the list and the delimiter behind it. It is done at the
// end of the body.
func (p *parser) address() (done bool, err error) {
	var room tokenRoom
	p.lexer.commented = false
	text := p.lexer.rest
	tokens, delimiter, err := p.until(room[:0])
	if err != nil {
		return false, err
	}
	if p.closed && (len(tokens) > 0 || delimiter != ',' && delimiter != end) {
		return false, syntax("text after a group")
	}
	switch delimiter {
	case ':':
		return false, p.beginGroup(tokens)
	case '>':
		return false, syntax(`">" without "<"`)
	case '<':
		if delimiter, err = p.angle(tokens, text[:len(text)-len(p.lexer.rest)]); err != nil {
			return false, err
		}
	default:
		if err := p.bare(tokens); err != nil {
			return false, err
		}
	}
	if delimiter == ';' {
		if !p.group {
			return false, syntax(`";" outside of a group`)
		}
		p.group = false
	}
	p.closed = delimiter == ';'
	return delimiter == end, nil
}

// beginGroup takes the name of a group. One that is an address counts as a domain.
func (p *parser) beginGroup(phrase []token) error {
	if p.group || len(phrase) == 0 {
		return syntax(`":" where no group begins`)
	}
	for i := range phrase {
		if phrase[i].quotesAt() {
			return syntax(`"@" in the name of a group`)
		}
	}
	p.group = true
	claim, err := p.phraseClaim(phrase)
	if claim != "" {
		p.addDomain(claim)
	}
	return err
}

// bare reads an address without angle brackets, or an empty element of an obsolete list or
// a group.
func (p *parser) bare(tokens []token) error {
	if len(tokens) == 0 {
		if p.lexer.commented && !p.closed {
			return syntax("a comment in place of an address")
		}
		return nil
	}
	name, err := p.addressDomain(tokens)
	if err != nil {
		return err
	}
	return p.add(name)
}

// angle reads an address in angle brackets, after its "<", and returns the delimiter
// behind it. Phrase is what stood before, as tokens and as text.
func (p *parser) angle(phrase []token, text string) (delimiter byte, err error) {
	claim, err := p.phraseClaim(phrase)
	if err != nil {
		return 0, err
	}
	routed := false
	var room tokenRoom
	tokens, delimiter, err := p.until(room[:0])
	// An obsolete route, "<@a,@b:address>", is to be ignored: RFC 5322, section 4.4.
	for err == nil && (delimiter == ',' || delimiter == ':') && p.isRoute(tokens) {
		routed = true
		tokens, delimiter, err = p.until(room[:0])
	}
	if err != nil {
		return 0, err
	}
	quotes, punctuation := false, false
	for i := range phrase {
		quotes = quotes || phrase[i].quotesAt()
		punctuation = punctuation || phrase[i].kind == '.' || phrase[i].kind == '@'
	}
	if quotes && punctuation ||
		(routed || p.lexer.commented || !isPlain(tokens)) && (quotes || encodedAts(text) > 0) {
		return 0, errQuotedAt
	}
	if delimiter != '>' {
		return 0, syntax(`"<" without one address and ">"`)
	}
	name, err := p.addressDomain(tokens)
	if err != nil {
		return 0, err
	}
	if claim != "" && claim != name {
		return 0, syntax("an unquoted address of another domain before the address")
	}
	if err := p.add(name); err != nil {
		return 0, err
	}
	tokens, delimiter, err = p.until(room[:0])
	if err == nil && (len(tokens) > 0 || delimiter != ',' && delimiter != ';' && delimiter != end) {
		err = syntax("text after the address")
	}
	return delimiter, err
}

// until reads tokens up to a delimiter, one of < > , ; : or the end, and appends them to
// tokens.
func (p *parser) until(tokens []token) (_ []token, delimiter byte, err error) {
	for {
		n := len(tokens)
		tokens = append(tokens, token{})
		t := &tokens[n]
		if err := p.lexer.next(t); err != nil {
			return nil, 0, err
		}
		switch t.kind {
		case '<', '>', ',', ';', ':', end:
			return tokens[:n], t.kind, nil
		}
	}
}

// add takes the domain of a mailbox.
func (p *parser) add(name string) error {
	if p.mailboxes++; p.mailboxes > maxMailboxes {
		return ErrTooManyMailboxes
	}
	p.addDomain(name)
	return nil
}

func (p *parser) addDomain(name string) {
	if slices.Contains(p.domains, name) {
		return
	}
	if len(p.lexer.body) > maxFromText {
		name = strings.Clone(name) // to keep nothing else of the field
	}
	p.domains = append(p.domains, name)
}

// quotesAt reports whether a token is a quoted-string with an "@" in it. Many lists write such
// names. Some readers take what is quoted for the address where they cannot read what stands
// beside it, such as a nested comment, a route, or a dot that is out of place. So beside it, and
// beside an encoded-word with an "@", everything has to be plain.
func (t *token) quotesAt() bool { return t.kind == quoted && hasAt(t.text) }

// isPlain reports whether tokens are an address of dot-atoms: RFC 5322, section 3.2.3.
func isPlain(tokens []token) bool {
	at := indexAt(tokens)
	return at >= 0 && isDotAtom(tokens[:at]) && isDotAtom(tokens[at+1:])
}

// isDotAtom reports whether tokens are atoms with a dot between any two.
func isDotAtom(tokens []token) bool {
	for i := range tokens {
		if tokens[i].kind != [...]byte{atom, '.'}[i%2] {
			return false
		}
	}
	return len(tokens)%2 == 1
}

// indexAt returns the index of the first "@", or -1.
func indexAt(tokens []token) int {
	for i := range tokens {
		if tokens[i].kind == '@' {
			return i
		}
	}
	return -1
}

var errQuotedAt = syntax(`"@" in a name, beside what not all readers can read`)

// phraseClaim returns the domain of the address that a phrase is, as in
// "joe@example.com <joe@example.com>", or "" for a phrase without an unquoted "@". Any other
// "@" in a phrase is an error: some readers show what stands around it.
func (p *parser) phraseClaim(phrase []token) (string, error) {
	for i := range phrase {
		if t := &phrase[i]; t.kind == '@' || t.kind == atom && hasAt(t.text) {
			name, err := p.addressDomain(phrase)
			if err != nil {
				return "", syntax(`an unquoted "@" before the address`)
			}
			return name, nil
		}
	}
	return "", nil
}

// isRoute reports whether tokens are an element of an obsolete route: "@" and a domain.
func (p *parser) isRoute(tokens []token) bool {
	if len(tokens) < 2 || tokens[0].kind != '@' {
		return false
	}
	text, rest := p.domainText(tokens[1:])
	_, err := domain.Canonical(text)
	return err == nil && len(rest) == 0
}

// addressDomain returns the domain of an addr-spec: local-part "@" domain. Dots may
// stand anywhere in the local part, as some providers once sold such addresses, but
// words without a dot between them are not one address.
func (p *parser) addressDomain(tokens []token) (string, error) {
	at := indexAt(tokens)
	if at < 0 {
		return "", syntax(`a mailbox without "@"`)
	}
	if at == 0 {
		return "", syntax("an address without a local part")
	}
	for i := range tokens[:at] {
		t := &tokens[i]
		if i > 0 && t.kind != '.' && tokens[i-1].kind != '.' {
			return "", syntax("a local part of several words")
		}
		if t.quotesAt() && (at > 1 || tokens[at].apart || p.lexer.commented || !isDotAtom(tokens[at+1:])) {
			return "", errQuotedAt
		}
		if t.kind == atom && (hasAt(t.text) || isEncodedWord(t.text)) {
			return "", syntax("a local part with an encoded-word or a character that reads as \"@\"")
		}
	}
	if len(tokens) == at+2 && tokens[at+1].kind == literal {
		return "", ErrAddressLiteral
	}
	text, rest := p.domainText(tokens[at+1:])
	if len(rest) > 0 {
		return "", syntax("a domain of several words, or with a comment in it")
	}
	return authordomain.Canonical(text)
}

// isEncodedWord reports whether an atom holds what some readers decode: RFC 2047.
func isEncodedWord(text string) bool { return strings.Contains(text, "=?") }

// domainText returns the atoms and dots at the start of tokens that nothing parts, as they
// stand in the body, and the tokens after them. RFC 5322, section 4.4, allows white space and
// comments between them; readers differ about what is the domain then.
func (p *parser) domainText(tokens []token) (text string, rest []token) {
	n, end := 0, 0
	for ; n < len(tokens); n++ {
		t := &tokens[n]
		if t.kind != '.' && t.kind != atom || n > 0 && t.apart {
			break
		}
		end = t.at + len(t.text)
	}
	if n == 0 {
		return "", tokens
	}
	return p.lexer.body[tokens[0].at:end], tokens[n:]
}

func syntax(what string) error { return cause.Wrap(ErrSyntax, what, nil) }

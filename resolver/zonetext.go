package resolver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// maxEntry bounds the octets of one entry.
const maxEntry = 1 << 20

// An entryReader gives a zone file to the parser entry by entry: a line, or several in
// parentheses (RFC 1035, section 5.1).
//
// It takes the data out of records whose type a Zone does not answer, since the parser
// refuses data that it does not understand. Such a record becomes an NS record of the
// same owner, which the Zone leaves aside.
type entryReader struct {
	r    *bufio.Reader
	line int    // number of the last line that was read
	rest []byte // of the entry, which the parser has not read yet
	err  error  // why there is no other entry
}

// ReadByte implements [io.ByteReader], by which the parser reads.
func (e *entryReader) ReadByte() (byte, error) {
	for len(e.rest) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		e.next()
	}
	c := e.rest[0]
	e.rest = e.rest[1:]
	return c, nil
}

// Read is here because the parser wants an io.Reader; it uses ReadByte alone.
func (e *entryReader) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// next reads the next entry, or sets err.
func (e *entryReader) next() {
	n, first := new(entry), e.line+1
	for {
		c, err := e.r.ReadByte()
		if err == io.EOF && n.open() {
			e.line, e.err = first, errors.New("a quoted string or parenthesis is not closed")
			return
		}
		if err != nil {
			e.err = err
			break
		}
		if len(n.text) == 0 || n.text[len(n.text)-1] == '\n' {
			e.line++
		}
		ended, err := n.put(c)
		if err == nil && len(n.text) > maxEntry {
			err = fmt.Errorf("an entry of more than %d octets", maxEntry)
		}
		if err != nil {
			e.err = err
			return
		}
		if ended {
			break
		}
	}
	e.rest = n.withoutOtherData()
}

// An entry of a zone file, octet by octet as it is read.
type entry struct {
	text   []byte
	words  []word // outside of quotes
	inWord bool   // at the last of words
	parens int    // that are open
	quoted bool
	remark bool   // in a comment
	escape string // what has been read of an escape
}

// A word is text without blanks.
type word struct {
	start, end int // in the text of the entry
	parens     int // open before it
}

// open reports whether the entry cannot end here.
func (n *entry) open() bool { return n.quoted || n.parens > 0 || n.escape != "" }

// put adds an octet, and reports whether it ends the entry.
func (n *entry) put(c byte) (ended bool, err error) {
	n.text = append(n.text, c)
	switch {
	case n.escape != "":
		return false, n.putEscaped(c)
	case n.remark && c != '\n':
		return false, nil
	case n.quoted && c != '\\':
		n.quoted = c != '"'
		return false, nil
	}
	blank := true
	switch c {
	case '\n':
		n.remark = false
		ended = n.parens == 0
	case ';':
		n.remark = true
	case '"':
		n.quoted = true
	case '(':
		n.parens++
	case ')':
		n.parens--
		if n.parens < 0 {
			return false, errors.New("a parenthesis is closed that was not open")
		}
	case ' ', '\t', '\r':
	case '\\':
		n.escape = `\`
		blank = n.quoted
	default:
		blank = false
	}
	at := len(n.text)
	switch {
	case blank:
		n.inWord = false
	case n.inWord:
		n.words[len(n.words)-1].end = at
	default:
		n.inWord = true
		n.words = append(n.words, word{at - 1, at, n.parens})
	}
	return ended, nil
}

// putEscaped takes an octet of an escape: \X, or \DDD with the decimal number of an
// octet.
func (n *entry) putEscaped(c byte) error {
	digit := '0' <= c && c <= '9'
	switch {
	case n.escape == `\` && c == '\n', n.escape != `\` && !digit:
		return errors.New("an escape is cut short")
	case digit:
		n.escape += string(c)
		if len(n.escape) == 4 {
			if n.escape[1:] > "255" {
				return errors.New("an escape is no octet")
			}
			n.escape = ""
		}
	default:
		n.escape = ""
	}
	if n.inWord {
		n.words[len(n.words)-1].end = len(n.text)
	}
	return nil
}

// answeredTypes are those of the records that ParseZone keeps.
var answeredTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeDNAME, dns.TypeMX, dns.TypePTR, dns.TypeSPF, dns.TypeTXT}

// withoutOtherData returns the text of the entry. A record of a type that is not answered
// has become an NS record; its lines remain, as empty ones.
func (n *entry) withoutOtherData() []byte {
	t, w, ok := n.recordType()
	if !ok || slices.Contains(answeredTypes, t) {
		return n.text
	}
	lines := strings.Repeat("\n", strings.Count(string(n.text[w.start:]), "\n"))
	return append(n.text[:w.start], "NS ."+strings.Repeat(")", w.parens)+lines...)
}

// recordType returns the type of a record and the word that names it. It returns false
// where there is none, or none that is known.
func (n *entry) recordType() (t uint16, w word, ok bool) {
	words := n.words
	skip := func(count int) { words = words[min(count, len(words)):] }
	switch {
	case len(words) == 0 || words[0].start > 0: // the owner is that of the record before
	case n.text[0] != '$':
		skip(1) // the owner
	case strings.EqualFold(n.string(words[0]), "$GENERATE"):
		skip(3) // the range and the owner come next
	default:
		return 0, word{}, false // another directive
	}
	for range 2 {
		if len(words) > 0 && isTTLOrClass(n.string(words[0])) {
			skip(1)
		}
	}
	if len(words) == 0 {
		return 0, word{}, false
	}
	name := strings.ToUpper(n.string(words[0]))
	t, ok = dns.StringToType[name]
	if number, generic := strings.CutPrefix(name, "TYPE"); !ok && generic {
		v, err := strconv.ParseUint(number, 10, 16)
		t, ok = uint16(v), err == nil
	}
	return t, words[0], ok
}

func (n *entry) string(w word) string { return string(n.text[w.start:w.end]) }

// isTTLOrClass reports whether a word before the type is a TTL, such as 1h30m, or a class.
func isTTLOrClass(s string) bool {
	if '0' <= s[0] && s[0] <= '9' {
		return true
	}
	s = strings.ToUpper(s)
	_, ok := dns.StringToClass[s]
	return ok || strings.HasPrefix(s, "CLASS")
}

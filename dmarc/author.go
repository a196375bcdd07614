package dmarc

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/header"
)

// maxFromText is how much of a From field Author keeps for people to read, in octets.
const maxFromText = 1 << 10

// An Author is what the From field says: RFC 9989, section 5.3.1.
type Author struct {
	// From is the body of the topmost From field on one line, cut to 1 KiB, with U+FFFD
	// for what is not UTF-8. It is the sender's text.
	From string `json:"from,omitempty"`

	Fields    int      `json:"fields"`            // From fields in the message
	Mailboxes int      `json:"mailboxes"`         // addresses in them, as far as they were read
	Domains   []string `json:"domains,omitempty"` // their domains, each once, in A-labels

	// Problems say what is wrong with a From field that was taken all the same: it breaks
	// the grammar of RFC 5322, and leaves one possible domain.
	Problems []Problem `json:"problems,omitempty"`

	// Err says why the message has no single Author Domain, or is nil.
	Err error `json:"-"`
}

// ParseAuthor reads the body of a message's From field, of which there has to be one, for
// Discover and Evaluate: in case the message is read elsewhere.
//
// A field in which two readers could see two domains is an error, also where RFC 5322 has
// one reading of it. Encoded-words are not decoded: a program that decodes them before it
// looks for addresses may see others.
func ParseAuthor(from string) Author {
	a := readFrom(from)
	a.Fields, a.From = 1, oneLine(from)
	if a.Err == nil && len(a.Domains) > 1 {
		a.Err = ErrSeveralDomains
	}
	return a
}

// readAuthor finds the Author Domain of a message. Anything but one From field with
// mailboxes of one domain, in a header that all programs read alike, is an error.
func readAuthor(h header.Header) Author {
	var a Author
	for _, field := range h.Fields {
		if !field.Is("from") {
			continue
		}
		next := ParseAuthor(string(field.Body()))
		if a.Fields == 0 {
			a = next
			continue
		}
		a.Fields++
		for _, name := range next.Domains {
			if !slices.Contains(a.Domains, name) {
				a.Domains = append(a.Domains, name)
			}
		}
		a.Mailboxes += next.Mailboxes
		a.Err = ErrSeveralFrom
		break // more of them change nothing
	}
	switch {
	case h.Err != nil:
		a.Err = cause.Wrap(ErrHeader, "", h.Err)
	case a.Fields == 0:
		a.Err = ErrNoFrom
	}
	return a
}

// oneLine returns the body of a field unfolded, cut, and as valid UTF-8.
func oneLine(body string) string {
	if len(body) > maxFromText {
		body = strings.Clone(body[:maxFromText]) // to keep nothing else of the field
	}
	if strings.ContainsAny(body, "\r\n") {
		body = strings.NewReplacer("\r\n", "", "\r", " ", "\n", " ").Replace(body)
	}
	return strings.ToValidUTF8(strings.TrimSpace(body), "\uFFFD")
}

// Package author finds the Author Domain of a message: RFC 9989, section 5.3.1.
//
//	a := author.Parse("Shop <news@shop.example>") // a.Domains[0] is "shop.example"
//
// The test is whether two readers could see two domains:
//
//   - A field in which they could has no Author Domain, whatever the grammar says: an "@" in
//     a name that is not quoted, in a comment or in the name of a group; white space or a
//     comment inside a domain; a malformed route.
//   - A field with a single "@" that breaks the grammar, as an unquoted comma does, leaves one
//     possible domain. It is taken, and Problems say what is wrong with it.
//   - Everything else is read as RFC 5322, section 3.4, has it, obsolete forms and groups
//     (RFC 6854) included.
//
// Encoded-words (RFC 2047) are never decoded for the domain. A program that decodes them
// before it looks for addresses may see others: nobody can foresee which.
//
// Whoever wrote the message wrote what is in the field. Only Domains, and what Problems say,
// are safe to print.
package author

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/authordomain"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// causes gives the errors their words in JSON.
var causes cause.Table

// Why a message has no single Author Domain. Author.Err wraps one of them.
var (
	ErrNoFrom           = causes.New("no-from", "the message has no From field")
	ErrSeveralFrom      = causes.New("several-from", "the message has more than one From field")
	ErrNoMailbox        = causes.New("no-mailbox", "the From field has no mailbox")
	ErrSeveralDomains   = causes.New("several-domains", "the From field has mailboxes of more than one domain")
	ErrTooManyMailboxes = causes.New("too-many-mailboxes", "the From field has more than 20 mailboxes")
	ErrAddressLiteral   = causes.New("address-literal", "the From field has an address literal instead of a domain")
	ErrDomain           = causes.Adopt(authordomain.Err) // it is not a domain name
	ErrSyntax           = causes.New("from-syntax", "the From field cannot be read without doubt")
	ErrHeader           = causes.New("header", "the header cannot be read without doubt")
	ErrHeaderLimit      = causes.New("header-limit", "the header exceeds a limit")
	ErrInterrupted      = causes.New("interrupted", "the header was not read to its end")
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

// Parse reads the body of a message's From field, of which there has to be one: in case the
// message is read elsewhere.
func Parse(from string) Author {
	a := Author{Fields: 1, From: oneLine(from)}
	a.readField(from)
	if a.Err == nil && len(a.Domains) > 1 {
		a.Err = ErrSeveralDomains
	}
	return a
}

// Of finds the Author Domain of a message by its header. Anything but one From field with
// mailboxes of one domain, in a header that all programs read alike, is an error. It is for
// this module alone.
func Of(h *header.Header) Author {
	var a Author
	for i := range h.Fields {
		if !h.Fields[i].Is("from") {
			continue
		}
		next := Parse(string(h.Fields[i].Body()))
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

// String returns the domains, or why there is no single one, as one line of printable ASCII.
func (a Author) String() string {
	if a.Err != nil {
		return visible.ASCII(a.Err.Error())
	}
	return strings.Join(a.Domains, " ")
}

// MarshalJSON writes the author, with Err as "reason" and "cause".
func (a Author) MarshalJSON() ([]byte, error) {
	type plain Author
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(a), causes.JSON(a.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Author) UnmarshalJSON(text []byte) error {
	type plain Author
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*a = Author(in.plain)
	a.Err = causes.Error(in.JSON)
	return err
}

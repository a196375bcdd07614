package record

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// maxURIs is how many URIs of one tag are used.
const maxURIs = 10

// A URI is one entry of rua or ruf: RFC 9989, section 4.7.
type URI struct {
	Text   string `json:"text"`             // as written, without the obsolete size
	Scheme string `json:"scheme,omitempty"` // lower case

	// Address is where to mail to, percent-decoded and without header fields; it
	// is set for mailto only, the one scheme that reports are sent by.
	Address string `json:"address,omitempty"`

	// Size is what RFC 7489 allowed after an "!" to limit the size of reports. RFC
	// 9989 has reporters ignore it.
	Size string `json:"size,omitempty"`

	// Err says why no report can be sent there: it is one of the ErrURI errors, or nil.
	Err error `json:"-"`
}

// Valid reports whether the URI is one by its syntax, also where no report can be
// sent there. RFC 9989, section 4.10.1, asks only for that.
func (u URI) Valid() bool {
	return !errors.Is(u.Err, ErrURISyntax) && !errors.Is(u.Err, ErrURIBang)
}

// String returns the URI as written, without the obsolete size: not safe to print.
func (u URI) String() string { return u.Text }

// MarshalJSON writes the URI, with Err as "reason" and "cause".
func (u URI) MarshalJSON() ([]byte, error) {
	type plain URI
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(u), causes.JSON(u.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (u *URI) UnmarshalJSON(text []byte) error {
	type plain URI
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*u = URI(in.plain)
	u.Err = causes.Error(in.JSON)
	return err
}

func parseURI(text string) URI {
	u := URI{Text: text}
	if i := strings.LastIndexByte(text, '!'); i >= 0 {
		u.Text, u.Size = text[:i], text[i+1:]
		if !isSize(u.Size) {
			return URI{Text: text, Err: ErrURIBang}
		}
	}
	if strings.IndexByte(u.Text, '!') >= 0 {
		u.Err = ErrURIBang
		return u
	}
	scheme, rest, ok := cutScheme(u.Text)
	if !ok || !hasURICharacters(u.Text) {
		u.Err = ErrURISyntax
		return u
	}
	u.Scheme = domain.ToLower(scheme)
	if strings.HasPrefix(rest, "/") { // then there may be an authority, which has a syntax
		if _, err := url.Parse(u.Text); err != nil {
			u.Scheme, u.Err = "", ErrURISyntax
			return u
		}
	}
	if u.Scheme != "mailto" {
		u.Err = ErrURIScheme
		return u
	}
	// RFC 6068: the part before "?" is the address; the header fields behind it
	// are the sender's wish to write our mail, and are dropped.
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	address, err := url.PathUnescape(rest)
	if err != nil || strings.HasPrefix(rest, "/") || !isAddress(address) {
		u.Err = ErrURIAddress
		return u
	}
	u.Address = address
	return u
}

// cutScheme cuts a URI after its scheme: RFC 3986, section 3.1.
func cutScheme(text string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(text, ":")
	for i := range len(scheme) {
		switch c := scheme[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			ok = false
		}
	}
	return scheme, rest, ok && scheme != ""
}

// isSize reports whether s is 1*DIGIT [ "k" / "m" / "g" / "t" ], as RFC 7489, section
// 6.4 has it. Its value is never used, so that no number is too large.
func isSize(s string) bool {
	digits := strings.TrimRight(domain.ToLower(s), "kmgt")
	if len(s)-len(digits) > 1 || digits == "" {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// isAddress reports whether s is one address that can stand in RCPT TO as it is:
// printable, a plain local part, one "@", a domain name.
func isAddress(s string) bool {
	local, name, ok := strings.Cut(s, "@")
	if !ok || local == "" || strings.ContainsAny(s, " \"(),:;<>[\\]") || !printable(s) {
		return false
	}
	_, err := domain.Canonical(name)
	return err == nil
}

// hasURICharacters reports whether s has only the characters of RFC 3986, section 2, with
// each "%" followed by two hexadecimal digits.
func hasURICharacters(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._~:/?#[]@!$&'()*+,;=", c) >= 0:
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

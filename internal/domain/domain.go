// Package domain brings domain names into the one form that the rest of the
// module compares and asks DNS for: A-labels, lower case, no trailing dot.
//
// Every name that a sender controls passes through here before it meets a list, a
// comparison or a resolver, so that "VICTIM.Example.", "bücher.example" and a NUL
// in the middle of a label have one reading, or none. The exceptions are names that SPF
// expands from macros: package resolver says what those may have.
package domain

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxLength and MaxLabel are the limits of RFC 1035, section 2.3.4, for a name
// written as text without its trailing dot.
const (
	MaxLength = 253
	MaxLabel  = 63
)

// Why a text is not a domain name. They are causes: errors that other packages
// return wrap them.
var (
	ErrEmpty      = errors.New("empty domain name")
	ErrEmptyLabel = errors.New("domain name has an empty label")
	ErrLabelLong  = errors.New("domain name has a label of more than 63 octets")
	ErrLong       = errors.New("domain name has more than 253 octets")
	ErrOctet      = errors.New("domain name has an octet other than a letter, digit, hyphen, underscore or dot")
	ErrIDNA       = errors.New("domain name is not a valid internationalized name")
	ErrNumber     = errors.New("its last label is a number")
)

// lookup is the profile of UTS #46 for names that are about to be looked up:
// mapped to lower case and NFC, checked for validity. Underscores pass
// (StrictDomainName false), since DNS names of mail authentication have them; Check
// is what keeps other octets out.
var lookup = idna.New(
	idna.MapForLookup(),
	idna.BidiRule(),
	idna.StrictDomainName(false),
	idna.Transitional(false),
)

// Canonical returns name as A-labels in lower case, with one trailing dot dropped.
// A name that DNS cannot be asked for gives an error. RFC 9989, section 5.3.1, and
// RFC 8616 ask for this form.
func Canonical(name string) (string, error) {
	if IsCanonical(name) {
		return name, nil // as names mostly are
	}
	name = strings.TrimSuffix(name, ".")
	if !isASCII(name) {
		if err := checkLength(name); err != nil {
			return "", err
		}
		ascii, err := lookup.ToASCII(name)
		if err != nil || !utf8.ValidString(name) {
			return "", ErrIDNA
		}
		name = ascii
	}
	name = ToLower(name)
	if err := Check(name); err != nil {
		return "", err
	}
	return name, nil
}

// CanonicalMail is Canonical for the domain of a mail address. A name whose last label is a
// number is none: programs take it for an IP address.
func CanonicalMail(name string) (string, error) {
	name, err := Canonical(name)
	if err != nil {
		return "", err
	}
	for i := len(name) - 1; i >= 0 && name[i] != '.'; i-- {
		if name[i] < '0' || '9' < name[i] {
			return name, nil
		}
	}
	return "", ErrNumber
}

// IsCanonical reports whether name is in the form that Canonical returns. It looks at
// each octet once: names are checked at every border that they cross.
func IsCanonical(name string) bool {
	if len(name) > MaxLength {
		return false
	}
	start := 0 // of the label
	for i, c := range []byte(name) {
		if canonicalOctets[c] {
			continue
		}
		if c != '.' || !isLabelLength(i-start) {
			return false
		}
		start = i + 1
	}
	return isLabelLength(len(name) - start)
}

func isLabelLength(n int) bool { return 0 < n && n <= MaxLabel }

// canonicalOctets are those of a label in canonical form.
var canonicalOctets = [256]bool{
	'a': true, 'b': true, 'c': true, 'd': true, 'e': true, 'f': true, 'g': true, 'h': true, 'i': true, 'j': true, 'k': true, 'l': true, 'm': true,
	'n': true, 'o': true, 'p': true, 'q': true, 'r': true, 's': true, 't': true, 'u': true, 'v': true, 'w': true, 'x': true, 'y': true, 'z': true,
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true, '-': true, '_': true,
}

// checkLength says why the A-labels of a name would be too long, without making them:
// that takes time that grows with the square of a label's length. Each character takes
// an octet at least.
func checkLength(name string) error {
	total, label := 0, 0
	for _, r := range name {
		label++
		switch r {
		case '.', '\u3002', '\uff0e', '\uff61': // the dots of UTS #46
			label = 0
		}
		if label > MaxLabel {
			return ErrLabelLong
		}
		if total++; total > MaxLength {
			return ErrLong
		}
	}
	return nil
}

// Check says why name, without a trailing dot, cannot be asked for in DNS, or
// returns nil. It is stricter than DNS, which carries any octet, since a label that
// holds a NUL or a parenthesis is read differently by each program that meets it.
func Check(name string) error {
	if name == "" {
		return ErrEmpty
	}
	if len(name) > MaxLength {
		return ErrLong
	}
	label := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			if label == 0 {
				return ErrEmptyLabel
			}
			label = 0
			continue
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', 'A' <= c && c <= 'Z':
		default:
			return ErrOctet
		}
		if label++; label > MaxLabel {
			return ErrLabelLong
		}
	}
	if label == 0 {
		return ErrEmptyLabel
	}
	return nil
}

// Within reports whether child is parent or stands below it, by whole labels:
// notvictim.example is not within victim.example. Both are in canonical form.
func Within(child, parent string) bool {
	if len(child) <= len(parent) {
		return child == parent
	}
	cut := len(child) - len(parent)
	return child[cut-1] == '.' && child[cut:] == parent && parent != ""
}

// Parent returns name without its leftmost label, or "" for a single label.
func Parent(name string) string {
	if dot := strings.IndexByte(name, '.'); dot >= 0 {
		return name[dot+1:]
	}
	return ""
}

// Labels returns the number of labels of a name in canonical form.
func Labels(name string) int {
	if name == "" {
		return 0
	}
	return strings.Count(name, ".") + 1
}

// Last returns the rightmost n labels of name, or all of it where it has no more.
func Last(name string, n int) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] != '.' {
			continue
		}
		if n--; n == 0 {
			return name[i+1:]
		}
	}
	return name
}

// ToUnicode returns the name as a person would write it, or unchanged where it has
// no U-label form. For display only: it is never compared.
func ToUnicode(name string) string {
	u, err := idna.Display.ToUnicode(name)
	if err != nil {
		return name
	}
	return u
}

// ToLower folds the letters A to Z and nothing else, since only those are equal in
// DNS (RFC 4343): KELVIN SIGN is not a k.
func ToLower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

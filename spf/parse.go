package spf

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// version is the section that a record begins with: RFC 7208, section 4.5.
const version = "v=spf1"

// Parse reads an SPF record, whole: RFC 7208, section 4.6. isSPF is false, and
// there is neither a record nor an error, for a text that is something else:
// "v=spf10 …" is. An error is a *SyntaxError, that wraps ErrSyntax.
func Parse(txt string) (r *Record, isSPF bool, err error) {
	if !isRecord(txt) {
		return nil, false, nil
	}
	r, err = parseRecord(txt, math.MaxInt)
	return r, true, err
}

// parseRecord reads a text that isRecord holds for. More terms than most are
// ErrRecordLimit.
func parseRecord(txt string, most int) (*Record, error) {
	terms, err := parseTerms(txt, most)
	if err != nil {
		return nil, err
	}
	r := &Record{Text: txt, Terms: terms}
	for i := range terms {
		if terms[i].Kind.asksDNS() {
			r.asking++
		}
	}
	return r, nil
}

// isRecord reports whether a TXT record is an SPF record, sound or broken: whether
// it has the version section, without regard to case, and then a space or the end.
func isRecord(txt string) bool {
	return len(txt) >= len(version) && domain.ToLower(txt[:len(version)]) == version &&
		(len(txt) == len(version) || txt[len(version)] == ' ')
}

// A SyntaxError says where a record is broken. It wraps ErrSyntax.
type SyntaxError struct {
	Term   string // the term, as it stands in the record
	Offset int    // octets of the record before the fault
	Want   string // what would be right, for people
}

// Error returns the fault with the term in quotes, escaped.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%v: %+q at octet %d: want %s", ErrSyntax, shorten(e.Term), e.Offset, e.Want)
}

func (e *SyntaxError) Unwrap() error { return ErrSyntax }

// shorten keeps what is quoted in an error readable.
func shorten(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// parseTerms reads the terms of a text that isRecord holds for. More than most are
// ErrRecordLimit.
func parseTerms(txt string, most int) ([]Term, error) {
	const plenty = 64 // a text of spaces only has no terms
	terms := make([]Term, 0, min(strings.Count(txt, " "), plenty))
	redirect, exp := false, false
	for pos := len(version); ; {
		for pos < len(txt) && txt[pos] == ' ' {
			pos++
		}
		if pos == len(txt) {
			return terms, nil
		}
		if len(terms) == most {
			return nil, tooManyTerms(most)
		}
		end := len(txt)
		if length := strings.IndexByte(txt[pos:], ' '); length >= 0 {
			end = pos + length
		}
		t := Term{Text: txt[pos:end], Offset: pos}
		at, want := t.parse()
		if want == "" && (t.Kind == KindRedirect && redirect || t.Kind == KindExp && exp) {
			// RFC 7208, section 6: not more than once each.
			at, want = 0, `"`+t.Kind.String()+`=" only once`
		}
		if want != "" {
			return nil, &SyntaxError{Term: t.Text, Offset: pos + at, Want: want}
		}
		redirect = redirect || t.Kind == KindRedirect
		exp = exp || t.Kind == KindExp
		terms = append(terms, t)
		pos = end
	}
}

func tooManyTerms(most int) error {
	return cause.Wrap(ErrRecordLimit, "more than "+strconv.Itoa(most)+" terms", nil)
}

// parse fills t from its text. Where that is broken, want says what would be right
// and at where. RFC 7208, section 4.6.1:
//
//	directive = [ qualifier ] mechanism
//	modifier  = name "=" macro-string
//	name      = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
//
// A name that is followed by "=" is that of a modifier, whatever it begins with:
// "all4=x" is an unknown modifier to ignore, not a broken "all".
func (t *Term) parse() (at int, want string) {
	s := t.Text
	t.Qualifier = StatusPass
	switch s[0] {
	case '+':
		at = 1
	case '-':
		at, t.Qualifier = 1, StatusFail
	case '~':
		at, t.Qualifier = 1, StatusSoftFail
	case '?':
		at, t.Qualifier = 1, StatusNeutral
	}
	name := s[at : at+nameLength(s[at:])]
	argument := at + len(name)
	switch {
	case name == "":
		return at, "a mechanism or a modifier, whose name begins with a letter"
	case argument == len(s) || s[argument] == ':' || s[argument] == '/':
		fault, want := t.parseMechanism(name, s[argument:])
		return argument + fault, want
	case s[argument] != '=':
		return argument, `after the name of a term ":", "/", "=" or a space`
	case at != 0:
		return 0, "a modifier without a qualifier, or a mechanism"
	}
	t.Qualifier = StatusNone
	fault, want := t.parseModifier(name, s[argument+1:])
	return argument + 1 + fault, want
}

func nameLength(s string) int {
	for i := range len(s) {
		c := s[i]
		if !isAlpha(c) && (i == 0 || !isDigit(c) && c != '-' && c != '_' && c != '.') {
			return i
		}
	}
	return len(s)
}

func (t *Term) parseModifier(name, value string) (at int, want string) {
	switch domain.ToLower(name) {
	case "redirect":
		t.Kind = KindRedirect
	case "exp":
		t.Kind = KindExp
	default:
		// Unknown, and ignored, but its macros have to be sound.
		t.Kind = KindUnknown
		_, _, at, want = checkMacros(value, false)
		return at, want
	}
	return t.parseDomainSpec(value)
}

func (t *Term) parseMechanism(name, argument string) (at int, want string) {
	switch domain.ToLower(name) {
	case "all":
		t.Kind = KindAll
		if argument != "" {
			return 0, `nothing after "all"`
		}
		return 0, ""
	case "include":
		t.Kind = KindInclude
		return t.parseDomain(argument)
	case "exists":
		t.Kind = KindExists
		return t.parseDomain(argument)
	case "ptr":
		t.Kind = KindPTR
		if argument == "" {
			return 0, ""
		}
		return t.parseDomain(argument)
	case "a":
		t.Kind = KindA
		return t.parseHosts(argument)
	case "mx":
		t.Kind = KindMX
		return t.parseHosts(argument)
	case "ip4":
		t.Kind = KindIP4
		return t.parseNetwork(argument)
	case "ip6":
		t.Kind = KindIP6
		return t.parseNetwork(argument)
	}
	return -len(name), "one of the mechanisms all, include, a, mx, ptr, ip4, ip6, exists"
}

// parseDomain reads ":" domain-spec.
func (t *Term) parseDomain(argument string) (at int, want string) {
	if argument == "" || argument[0] != ':' {
		return 0, `":" and a domain name`
	}
	at, want = t.parseDomainSpec(argument[1:])
	if want != "" && isAddress(argument[1:]) {
		return 1, "a domain name; an address takes ip4 or ip6"
	}
	return 1 + at, want
}

func (t *Term) parseDomainSpec(spec string) (at int, want string) {
	if t.letters, at, want = checkDomainSpec(spec); want != "" {
		return at, want
	}
	t.spec = spec
	if t.letters == 0 {
		t.name, _ = dnsName(literal(spec))
	}
	return 0, ""
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// parseHosts reads the argument of a and mx: RFC 7208, section 5.3:
//
//	a                = "a"      [ ":" domain-spec ] [ dual-cidr-length ]
//	dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]
//
// The lengths are read from the end, since a domain-spec may hold slashes.
func (t *Term) parseHosts(argument string) (at int, want string) {
	var ok bool
	t.Bits4, t.Bits6 = 32, 128
	if rest, digits, found := cutLength(argument, "//"); found {
		if t.Bits6, ok = parseLength(digits, 128); !ok {
			return len(rest) + 2, wantLength6
		}
		argument = rest
	}
	if rest, digits, found := cutLength(argument, "/"); found {
		if t.Bits4, ok = parseLength(digits, 32); !ok {
			return len(rest) + 1, wantLength4
		}
		argument = rest
	}
	if argument == "" {
		return 0, ""
	}
	if argument[0] == '/' {
		return 0, "a prefix length as in /24, //64 or /24//64"
	}
	return t.parseDomain(argument)
}

const (
	wantLength4 = "a prefix length from 0 to 32, without leading zeros"
	wantLength6 = "a prefix length from 0 to 128, without leading zeros"
)

// cutLength takes slash and the digits after it off the end of s.
func cutLength(s, slash string) (rest, digits string, found bool) {
	i := len(s)
	for i > 0 && isDigit(s[i-1]) {
		i--
	}
	if i == len(s) || !strings.HasSuffix(s[:i], slash) {
		return s, "", false
	}
	return s[:i-len(slash)], s[i:], true
}

func parseLength(digits string, most int) (bits uint8, ok bool) {
	if digits == "" || len(digits) > 3 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n := 0
	for i := range len(digits) {
		if !isDigit(digits[i]) {
			return 0, false
		}
		n = n*10 + int(digits[i]-'0')
	}
	return uint8(min(n, 255)), n <= most
}

// parseNetwork reads ":" and a network, as ip4 and ip6 have it: RFC 7208, section
// 5.6:
//
//	ip4 = "ip4" ":" ip4-network [ ip4-cidr-length ]
//	ip6 = "ip6" ":" ip6-network [ ip6-cidr-length ]
func (t *Term) parseNetwork(argument string) (at int, want string) {
	if argument == "" || argument[0] != ':' {
		return 0, `":" and an address`
	}
	text, digits, found := strings.Cut(argument[1:], "/")
	ip, err := netip.ParseAddr(text)
	t.Bits4, t.Bits6 = 32, 128
	bits, most, wantLength := &t.Bits4, 32, wantLength4
	if t.Kind == KindIP6 {
		bits, most, wantLength = &t.Bits6, 128, wantLength6
	}
	switch {
	case t.Kind == KindIP4 && (err != nil || !ip.Is4()):
		return 1, "an IPv4 address; an IPv6 address takes ip6"
	case t.Kind == KindIP6 && (err != nil || !ip.Is6() || ip.Zone() != ""):
		return 1, "an IPv6 address; an IPv4 address takes ip4"
	}
	if found {
		var ok bool
		if *bits, ok = parseLength(digits, most); !ok {
			return len(":") + len(text) + len("/"), wantLength
		}
	}
	t.isNetwork, t.network = true, addressOf(ip)
	return 0, ""
}

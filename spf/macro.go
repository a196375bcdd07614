package spf

import "strings"

// This file reads macro-strings and domain-specs, and does not expand them: RFC 7208,
// section 7.1.
//
//	macro-string     = *( macro-expand / macro-literal )
//	macro-expand     = ( "%{" macro-letter transformers *delimiter "}" )
//	                   / "%%" / "%_" / "%-"
//	transformers     = *DIGIT [ "r" ]
//	delimiter        = "." / "-" / "+" / "," / "/" / "_" / "="

// A piece is one element of a macro-string: text to copy, or a macro.
type piece struct {
	text string

	letter     byte // in lower case; 0 for text
	escape     bool // the letter was in upper case: URL-escape the value
	parts      int  // right-hand parts to keep; 0 for all
	reverse    bool
	delimiters delimiters
}

// letters is a set of macro letters.
type letters uint32

func (l letters) has(set letters) bool { return l&set != 0 }

// letter returns the set of one letter in lower case.
func letter(c byte) letters { return 1 << (c - 'a') }

// delimiters is a set of the octets at which the value of a macro is split.
type delimiters uint64

// delimiter returns the set of one octet, empty where it is no delimiter.
func delimiter(c byte) delimiters {
	switch c {
	case '.', '-', '+', ',', '/', '_', '=':
		return 1 << (c - '+')
	}
	return 0
}

// has reports whether the value of a macro is split at c.
func (d delimiters) has(c byte) bool { return d>>(c-'+')&1 != 0 }

// dot is the delimiter of a macro that names none: RFC 7208, section 7.3.
const dot delimiters = 1 << ('.' - '+')

// cutFrom takes the first piece off a macro-string that is not empty. Where the text is
// not one, want says what would be right, and at where it is missing.
func (p *piece) cutFrom(s string) (rest string, at int, want string) {
	*p = piece{}
	if s[0] != '%' {
		end := strings.IndexByte(s, '%')
		if end < 0 {
			end = len(s)
		}
		p.text = s[:end]
		return s[end:], 0, ""
	}
	if len(s) < 2 {
		return "", 0, wantMacro
	}
	switch s[1] {
	case '%':
		p.text = "%"
	case '_':
		p.text = " "
	case '-':
		p.text = "%20"
	case '{':
		return p.cutMacro(s)
	default:
		return "", 0, wantMacro
	}
	return s[2:], 0, ""
}

const (
	wantMacro  = `after "%" a "{", or "%", "_" or "-"; a percent sign itself is "%%"`
	wantLetter = `one of the letters s, l, o, d, i, p, v, h after "%{", or in explanations c, r, t`
	wantParts  = "a number of parts that is not zero"
	wantClose  = `"}" after the macro`
)

// cutMacro reads s from "%{" to "}".
func (p *piece) cutMacro(s string) (rest string, at int, want string) {
	i := len("%{")
	if i == len(s) || !isMacroLetter(s[i]|0x20) {
		return "", i, wantLetter
	}
	p.letter, p.escape = s[i]|0x20, s[i]&0x20 == 0
	i++
	digits := i
	for ; i < len(s) && isDigit(s[i]); i++ {
		// No name has more parts than maxParts, and more than there are means all.
		p.parts = min(p.parts*10+int(s[i]-'0'), maxParts)
	}
	if i > digits && p.parts == 0 {
		return "", digits, wantParts
	}
	if i < len(s) && s[i]|0x20 == 'r' {
		p.reverse = true
		i++
	}
	for ; i < len(s) && delimiter(s[i]) != 0; i++ {
		p.delimiters |= delimiter(s[i])
	}
	if p.delimiters == 0 {
		p.delimiters = dot
	}
	if i == len(s) || s[i] != '}' {
		return "", i, wantClose
	}
	return s[i+1:], 0, ""
}

// maxParts is more than any text within maxExpansion has, so that a count that
// would not fit an int need not be kept.
const maxParts = 1 << 20

func isMacroLetter(c byte) bool {
	switch c {
	case 's', 'l', 'o', 'd', 'i', 'p', 'v', 'h', 'c', 'r', 't':
		return true
	}
	return false
}

// checkMacros says what is wrong with a macro-string, or, where spaces may be in
// it, an explain-string; want is "" for nothing. It returns the letters used and
// where the last macro ends.
func checkMacros(s string, spaces bool) (used letters, lastMacro, at int, want string) {
	var p piece
	for rest := s; rest != ""; {
		next, at, want := p.cutFrom(rest)
		here := len(s) - len(rest)
		if want != "" {
			return 0, 0, here + at, want
		}
		if rest[0] == '%' {
			lastMacro = len(s) - len(next)
		} else if i := firstInvisible(p.text, spaces); i >= 0 {
			return 0, 0, here + i, "visible ASCII characters"
		}
		if p.letter != 0 {
			used |= letter(p.letter)
		}
		rest = next
	}
	return used, lastMacro, 0, ""
}

// literal returns what a sound macro-string without macro letters stands for.
func literal(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	var p piece
	for s != "" {
		s, _, _ = p.cutFrom(s)
		b.WriteString(p.text)
	}
	return b.String()
}

func firstInvisible(s string, spaces bool) int {
	for i := range len(s) {
		if c := s[i]; (c <= ' ' || c > '~') && (c != ' ' || !spaces) {
			return i
		}
	}
	return -1
}

// checkDomainSpec says what is wrong with a domain-spec:
//
//	domain-spec = macro-string domain-end
//	domain-end  = ( "." toplabel [ "." ] ) / macro-expand
//
// The name that comes of it is not checked here, since its syntax is not that of
// the record: RFC 7208, section 4.8.
func checkDomainSpec(s string) (used letters, at int, want string) {
	if s == "" {
		return 0, 0, "a domain name"
	}
	used, lastMacro, at, want := checkMacros(s, false)
	if want != "" {
		return 0, at, want
	}
	if used.has(letter('c') | letter('r') | letter('t')) {
		return 0, 0, "no macro c, r or t, which are for explanations only"
	}
	if lastMacro == len(s) {
		return used, 0, ""
	}
	tail := strings.TrimSuffix(s[lastMacro:], ".")
	dot := strings.LastIndexByte(tail, '.')
	if dot < 0 {
		return 0, lastMacro, "a domain name of more than one label, or one that ends in a macro"
	}
	if !isTopLabel(tail[dot+1:]) {
		return 0, lastMacro + dot + 1, "a domain name whose last label has letters, digits and inner hyphens, and is not a number"
	}
	return used, 0, ""
}

// isTopLabel follows:
//
//	toplabel = ( *alphanum ALPHA *alphanum ) /
//	           ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
func isTopLabel(s string) bool {
	if s == "" || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	number := true
	for i := range len(s) {
		switch {
		case isAlpha(s[i]), s[i] == '-':
			number = false
		case !isDigit(s[i]):
			return false
		}
	}
	return !number
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

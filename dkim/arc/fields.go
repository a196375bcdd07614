package arc

import (
	"crypto/sha256"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/canon"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// A field is one ARC field as it was parsed.
type field struct {
	number   int // of the field in the header
	instance int
	err      error

	// Of a seal or a message signature.
	Signature
	value []byte // b=
	cv    Status // of a seal

	// Of a message signature.
	headerForm, bodyForm canon.Form
	formUnsaid           bool     // there is no c=
	bodyHash             []byte   // bh=
	names                []string // h=
	length               int64    // l=, or canon.Whole
	expires              time.Time
}

// The tags of a seal and of a message signature: RFC 8617, sections 4.1.2 and 4.1.3.
var tagNames = []string{"a", "b", "bh", "c", "cv", "d", "h", "i", "l", "s", "t", "x"}

const (
	tagA = iota
	tagB
	tagBH
	tagC
	tagCV
	tagD
	tagH
	tagI
	tagL
	tagS
	tagT
	tagX
)

// maxNames is how many names h= may have, and maxValue how many octets b=.
const (
	maxNames = 256
	maxValue = 1 << 10
)

// A parser reads one field. It keeps the first fault and goes on, so that a broken signature
// can still be named.
type parser struct {
	field
	tags tagvalue.Set
}

func (p *parser) fault(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *parser) malformed(tag string) { p.fault(cause.Wrap(ErrTagMalformed, tag, nil)) }

// required returns the value of a tag that has to be there.
func (p *parser) required(tag int) (string, bool) {
	if !p.tags.Has(tag) {
		p.fault(cause.Wrap(ErrTagMissing, tagNames[tag]+"=", nil))
		return "", false
	}
	return p.tags.Value(tag), true
}

// parseSeal reads the body of an ARC-Seal field.
func parseSeal(number int, body string) *field {
	p := parser{field: field{number: number}}
	p.common(body)
	if cv, ok := p.required(tagCV); ok {
		switch {
		case tagvalue.EqualFold(cv, "none"):
			p.cv = StatusNone
		case tagvalue.EqualFold(cv, "pass"):
			p.cv = StatusPass
		case tagvalue.EqualFold(cv, "fail"):
			p.cv = StatusFail
		default:
			p.malformed("cv=")
		}
	}
	// A seal that names fields is over others than it has to be: section 4.1.3.
	if p.tags.Has(tagH) {
		p.fault(cause.Wrap(ErrTagForbidden, "h=", nil))
	}
	return &p.field
}

// parseSignature reads the body of an ARC-Message-Signature field.
func parseSignature(number int, body string) *field {
	p := parser{field: field{number: number}}
	p.common(body)
	p.readBodyHash()
	p.canonicalization()
	p.readNames()
	p.readLength()
	p.expires = p.time(tagX)
	return &p.field
}

// common reads the tags that both have.
func (p *parser) common(body string) {
	if tag, err := p.tags.Read(body, tagNames); err == tagvalue.ErrDuplicate {
		p.fault(cause.Wrap(ErrSyntax, "a tag stands more than once: "+tag+"=", nil))
	} else if err != nil {
		p.fault(cause.Wrap(ErrSyntax, "", err))
	}
	if i, ok := p.required(tagI); ok {
		if p.instance = parseInstance(i); p.instance == 0 {
			p.malformed("i=")
		}
	}
	if a, ok := p.required(tagA); ok {
		p.Algorithm = domain.ToLower(a)
		if p.Algorithm != "rsa-sha256" && p.Algorithm != "ed25519-sha256" {
			p.fault(ErrAlgorithm)
		}
	}
	if b, ok := p.required(tagB); ok {
		p.value, ok = tagvalue.AppendBase64(nil, b)
		if !ok || len(p.value) == 0 || len(p.value) > maxValue {
			p.malformed("b=")
		}
	}
	p.Domain, p.Selector = p.name(tagD), p.name(tagS)
	if p.Domain != "" && domain.Labels(p.Domain) < 2 {
		p.malformed("d=")
	}
	if p.keyName() != "" && domain.Check(p.keyName()) != nil {
		p.malformed("s= and d= together")
	}
	p.Time = p.time(tagT)
}

// name reads d= or s=, in A-labels or U-labels.
func (p *parser) name(tag int) string {
	text, ok := p.required(tag)
	if !ok {
		return ""
	}
	name, err := domain.Canonical(text)
	if err != nil || strings.HasSuffix(text, ".") {
		p.malformed(tagNames[tag] + "=")
		return ""
	}
	return name
}

// keyName returns the name at which the key stands.
func (s *Signature) keyName() string {
	if s.Domain == "" || s.Selector == "" {
		return ""
	}
	return s.Selector + "._domainkey." + s.Domain
}

// time reads t= or x=. More than twelve digits are as good as infinity.
func (p *parser) time(tag int) time.Time {
	if !p.tags.Has(tag) {
		return time.Time{}
	}
	digits := p.tags.Value(tag)
	if !isDigits(digits) {
		p.malformed(tagNames[tag] + "=")
		return time.Time{}
	}
	const endOfTime = 253402300799 // the last second of the year 9999, after which JSON has no times
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > endOfTime {
		n = endOfTime
	}
	return time.Unix(n, 0).UTC()
}

func (p *parser) readBodyHash() {
	bh, ok := p.required(tagBH)
	if !ok {
		return
	}
	if p.bodyHash, ok = tagvalue.AppendBase64(nil, bh); !ok || len(p.bodyHash) != sha256.Size {
		p.malformed("bh=")
	}
}

func (p *parser) canonicalization() {
	p.formUnsaid = !p.tags.Has(tagC)
	head, body, _ := strings.Cut(p.tags.Value(tagC), "/")
	var known, knownBody bool
	p.headerForm, known = form(head)
	p.bodyForm, knownBody = form(body)
	if !known || !knownBody {
		p.malformed("c=")
	}
}

// form returns the form of a word, which is simple where there is none.
func form(word string) (f canon.Form, known bool) {
	switch {
	case tagvalue.EqualFold(word, "relaxed"):
		return canon.Relaxed, true
	case word == "", tagvalue.EqualFold(word, "simple"):
		return canon.Simple, true
	}
	return canon.Simple, false
}

func (p *parser) readNames() {
	h, ok := p.required(tagH)
	if !ok {
		return
	}
	if strings.Count(h, ":") >= maxNames {
		p.fault(cause.Wrap(ErrLimit, "names in h=", nil))
		return
	}
	for name := range tagvalue.Items(h, ':') {
		if name == "" {
			continue // it names no field, as signers are known to write
		}
		if !header.IsName(name) {
			p.malformed("h=")
			return
		}
		// Seals are added to a message that was signed: section 4.1.2.
		if tagvalue.EqualFold(name, "arc-seal") {
			p.fault(ErrSealSigned)
		}
		p.names = append(p.names, name)
	}
}

func (p *parser) readLength() {
	p.length = canon.Whole
	if !p.tags.Has(tagL) {
		return
	}
	l := p.tags.Value(tagL)
	if !isDigits(l) {
		p.malformed("l=")
		return
	}
	var err error
	if p.length, err = strconv.ParseInt(l, 10, 64); err != nil {
		p.length = math.MaxInt64 - 1 // longer than any body, and not the whole of it
	}
}

// parseResults reads the body of an ARC-Authentication-Results field: the instance, and what
// stands behind it.
func parseResults(number int, body string) (f *field, results string) {
	f = &field{number: number}
	first, results, ok := strings.Cut(body, ";")
	name, value, _ := strings.Cut(first, "=")
	if f.instance = parseInstance(tagvalue.Trim(value)); !ok || tagvalue.Trim(name) != "i" || f.instance == 0 {
		f.err = cause.Wrap(ErrTagMalformed, "i=", nil)
	}
	return f, tagvalue.Trim(results)
}

// parseInstance reads the value of i=: one or two digits, from 1. It returns 0 for another.
func parseInstance(text string) int {
	if !isDigits(text) || len(text) > 2 || text[0] == '0' {
		return 0
	}
	n, _ := strconv.Atoi(text)
	return n
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

package dkim

import (
	"crypto/sha256"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// A Signature is a parsed DKIM-Signature field: RFC 6376, section 3.5.
type Signature struct {
	Version                string           `json:"v"`
	Algorithm              string           `json:"a"` // lower case
	Value                  []byte           `json:"b"`
	BodyHash               []byte           `json:"bh"`
	HeaderCanonicalization Canonicalization `json:"header_canonicalization"`
	BodyCanonicalization   Canonicalization `json:"body_canonicalization"`
	Domain                 string           `json:"d"` // A-labels, lower case
	Header                 []string         `json:"h"` // names as written; nil if one is malformed
	AUID                   string           `json:"i"` // local part as written, domain in A-labels; default "@" + Domain
	BodyLength             *int64           `json:"l,omitempty"`
	Query                  []string         `json:"q"`
	Selector               string           `json:"s"` // A-labels, lower case

	// Times after the year 9999, which JSON cannot express, are its last second.
	Time    time.Time `json:"t,omitzero"`
	Expires time.Time `json:"x,omitzero"`

	CopiedHeader string `json:"z,omitempty"` // as written
}

// A signatureParser reads one field. It keeps the first fault and reads on, so that the
// result of a broken signature still has its names.
type signatureParser struct {
	*Signature
	limits *Limits
	tags   tagvalue.Set
	err    error
}

// parseSignature reads a DKIM-Signature field into s. body is the body of the field (not
// of the message): the text after the colon, without the value of b=. value is the value of b=.
// It returns what is wrong with the field, or nil. With ErrSyntax and ErrDuplicateTag, s may
// lack tags.
func parseSignature(body string, value []byte, limits *Limits, s *Signature) error {
	if len(body)+len(value) > limits.SignatureOctets {
		return cause.Wrap(ErrLimit, "octets in a DKIM-Signature field", nil)
	}
	p := signatureParser{Signature: s, limits: limits}
	switch tag, err := p.tags.Read(body, signatureTags); {
	case err == tagvalue.ErrDuplicate:
		p.fault(cause.Wrap(ErrDuplicateTag, tag+"=", nil))
	case err != nil:
		p.fault(cause.Wrap(ErrSyntax, "", err))
	}
	p.version()
	p.algorithm()
	p.value(value)
	p.bodyHash()
	p.canonicalization()
	p.names()
	p.fields()
	p.identity()
	p.length()
	p.query()
	p.times()
	s.CopiedHeader = p.tags.Value(tagZ)
	return p.err
}

// signatureTags are the tags of RFC 6376, section 3.5, in the order of the constants. A new tag
// stands last in both, and maxTags of package tagvalue grows by one.
var signatureTags = []string{"v", "a", "b", "bh", "c", "d", "h", "i", "l", "q", "s", "t", "x", "z"}

const (
	tagV = iota
	tagA
	tagB
	tagBH
	tagC
	tagD
	tagH
	tagI
	tagL
	tagQ
	tagS
	tagT
	tagX
	tagZ
)

func (p *signatureParser) fault(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *signatureParser) malformed(tag string, beneath error) {
	p.fault(cause.Wrap(ErrTagMalformed, tag, beneath))
}

// required returns the value of a tag, and whether the tag is there.
func (p *signatureParser) required(tag int, name string) (string, bool) {
	if !p.tags.Has(tag) {
		p.fault(cause.Wrap(ErrTagMissing, name, nil))
		return "", false
	}
	return p.tags.Value(tag), true
}

func (p *signatureParser) version() {
	p.Version = p.tags.Value(tagV)
	if p.Version != "1" {
		p.fault(ErrVersion)
	}
}

// algorithm reads a=. ABNF literals have no case (RFC 5234, section 2.3).
func (p *signatureParser) algorithm() {
	a, ok := p.required(tagA, "a=")
	if !ok {
		return
	}
	if !isHyphenated(a) {
		p.malformed("a=", nil)
		return
	}
	switch p.Algorithm = domain.ToLower(a); p.Algorithm {
	case "rsa-sha256", "ed25519-sha256":
	case "rsa-sha1":
		p.fault(ErrSHA1)
	default:
		p.fault(cause.Wrap(ErrAlgorithm, p.Algorithm, nil))
	}
}

// value reads the value of b=.
func (p *signatureParser) value(b []byte) {
	room := p.Value[:0]
	p.Value = nil
	if _, ok := p.required(tagB, "b="); !ok {
		return
	}
	switch value, ok := tagvalue.AppendBase64(room, b); {
	case !ok || len(value) == 0:
		p.malformed("b=", nil)
	case len(value) > p.limits.ValueOctets:
		p.fault(cause.Wrap(ErrLimit, "octets in b=", nil))
	default:
		p.Value = value
	}
}

// bodyHash reads bh=.
func (p *signatureParser) bodyHash() {
	room := p.BodyHash[:0]
	p.BodyHash = nil
	bh, ok := p.required(tagBH, "bh=")
	if !ok {
		return
	}
	hash, ok := tagvalue.AppendBase64(room, bh)
	if !ok || len(hash) != sha256.Size && p.Algorithm != "rsa-sha1" {
		p.malformed("bh=", nil)
		return
	}
	p.BodyHash = hash
}

func (p *signatureParser) canonicalization() {
	if !p.tags.Has(tagC) {
		return
	}
	head, body, both := strings.Cut(p.tags.Value(tagC), "/")
	ok := p.HeaderCanonicalization.read(head)
	if both {
		ok = p.BodyCanonicalization.read(body) && ok
	}
	if !ok {
		p.fault(ErrCanonicalization)
	}
}

// names reads d= and s=, in A-labels or U-labels (RFC 8616, section 4).
func (p *signatureParser) names() {
	if d, ok := p.required(tagD, "d="); ok {
		var err error
		if p.Domain, err = parseDomain(d); err != nil {
			p.malformed("d=", err)
		}
	}
	if s, ok := p.required(tagS, "s="); ok {
		var err error
		if p.Selector, err = parseName(s); err != nil {
			p.malformed("s=", err)
		}
	}
}

// parseDomain reads a domain-name: two labels or more. RFC 6376, section 3.5.
func parseDomain(s string) (string, error) {
	name, err := parseName(s)
	if err == nil && domain.Labels(name) < 2 {
		return "", errSingleLabel
	}
	return name, err
}

// parseName brings a name into its canonical form. The grammar knows no trailing dot.
func parseName(s string) (string, error) {
	if strings.HasSuffix(s, ".") {
		return "", domain.ErrEmptyLabel
	}
	return domain.Canonical(s)
}

// fields reads h=.
func (p *signatureParser) fields() {
	h, ok := p.required(tagH, "h=")
	if !ok {
		return
	}
	n := strings.Count(h, ":") + 1
	if n > p.limits.SignedNames {
		p.fault(cause.Wrap(ErrLimit, "names in h=", nil))
		return
	}
	names := make([]string, 0, n)
	from := false
	for name := range tagvalue.Items(h, ':') {
		if !header.IsName(name) {
			p.malformed("h=", nil)
			return
		}
		from = from || tagvalue.EqualFold(name, "from")
		names = append(names, name)
	}
	p.Header = names
	if !from {
		p.fault(ErrFromNotSigned)
	}
}

// identity reads i=. Its domain has to be the SDID or below it, by labels and without
// regard to case. The tag is dkim-quoted-printable, in which white space is ignored
// (RFC 6376, sections 2.11 and 3.5). The default is set by check.setNames.
func (p *signatureParser) identity() {
	if !p.tags.Has(tagI) {
		return
	}
	i := tagvalue.RemoveSpace(p.tags.Value(tagI))
	at := strings.LastIndexByte(i, '@')
	if at < 0 {
		p.malformed("i=", nil)
		return
	}
	name, err := parseDomain(tagvalue.DecodeQuotedPrintable(i[at+1:]))
	if err != nil {
		p.malformed("i=", err)
		return
	}
	p.AUID = i[:at+1] + name
	if p.Domain != "" && !domain.Within(name, p.Domain) {
		p.fault(ErrIdentity)
	}
}

// length reads l=, of 1 to 76 digits. No body is as long as the largest int64, so that it
// stands for every number that is too large for the type.
func (p *signatureParser) length() {
	if !p.tags.Has(tagL) {
		return
	}
	l := p.tags.Value(tagL)
	if !isDigits(l) || len(l) > 76 {
		p.malformed("l=", nil)
		return
	}
	n, err := strconv.ParseInt(l, 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	p.BodyLength = &n
}

func (p *signatureParser) query() {
	if !p.tags.Has(tagQ) {
		p.Query = append(p.Query, "dns/txt")
		return
	}
	supported := false
	for method := range tagvalue.Items(p.tags.Value(tagQ), ':') {
		p.Query = append(p.Query, method)
		supported = supported || tagvalue.EqualFold(method, "dns/txt")
	}
	if !supported {
		p.fault(ErrQuery)
	}
}

func (p *signatureParser) times() {
	p.Time = p.time(tagT, "t=")
	p.Expires = p.time(tagX, "x=")
	if !p.Time.IsZero() && !p.Expires.IsZero() && !p.Expires.After(p.Time) && p.Time.Unix() < endOfTime {
		p.fault(ErrExpiryBeforeTime)
	}
}

// endOfTime is the last second of the year 9999.
const endOfTime = 253402300799

// time reads t= or x=. A number after endOfTime is taken as endOfTime.
func (p *signatureParser) time(tag int, name string) time.Time {
	if !p.tags.Has(tag) {
		return time.Time{}
	}
	digits := p.tags.Value(tag)
	if !isDigits(digits) {
		p.malformed(name, nil)
		return time.Time{}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > endOfTime {
		n = endOfTime
	}
	return time.Unix(n, 0).UTC()
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isHyphenated reports whether s is letters, digits and hyphens.
func isHyphenated(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

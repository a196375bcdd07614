package dkim

import (
	"crypto/sha256"
	"errors"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// A check is one signature on its way to a result, all that it needs in one piece.
type check struct {
	result    Result
	signature Signature
	key       Key

	header   [sha256.Size]byte // hash of the header
	added    string            // a field that was added, see ErrFieldAdded
	bodyHash *bodyHash
	lookup   *lookup

	// Room for the values of nearly every signature.
	valueRoom    [256]byte
	bodyHashRoom [sha256.Size]byte
	sumRoom      [sha256.Size]byte
	queryRoom    [1]string
}

// refuse gives the check its result, before or instead of a look at key and body.
func (c *check) refuse(status Status, err error) {
	c.result.Status, c.result.Err = status, err
}

// readSignatures parses the DKIM-Signature fields into w.checks, topmost first. Those
// that are worth a key have no Err. It returns the number of fields beyond the limit
// on results, which have no check.
func (w *workspace) readSignatures(limits *Limits) (left int) {
	w.quote()
	if len(w.own) == 0 {
		return 0
	}
	sound := 0
	for _, f := range w.own {
		c := readSignature(w.quoted(f.field), f.value, limits)
		w.checks = append(w.checks, c)
		if c.result.Err == nil {
			sound++
		}
	}
	if sound > limits.signatures() {
		choose(w.checks, authorDomains(w.header.Fields), limits.signatures())
	}
	kept := w.checks[:0]
	w.index.Build(w.header.Fields)
	for n, c := range w.checks {
		if c.result.Err == nil {
			w.selectFields(c, w.own[n].field)
		} else if len(w.own) > limits.results() {
			left++
			continue
		}
		kept = append(kept, c)
	}
	clear(w.checks[len(kept):])
	w.checks = kept
	return left
}

// readSignature parses the body of one field, whose value of b= was taken out.
func readSignature(text string, value []byte, limits *Limits) *check {
	c := &check{}
	s := &c.signature
	s.Value, s.BodyHash, s.Query = c.valueRoom[:0], c.bodyHashRoom[:0], c.queryRoom[:0]
	err := parseSignature(text, value, limits, s)
	c.result.Domain, c.result.Selector, c.result.Algorithm = s.Domain, s.Selector, s.Algorithm
	c.nameKey()
	if long := domain.Check(c.key.Name); long != nil && err == nil {
		err = cause.Wrap(ErrTagMalformed, "s= and d= together", long)
	}
	if readable(err) {
		c.result.Signature = s
	}
	if err != nil {
		c.refuse(StatusPermError, err)
	}
	return c
}

// nameKey puts down where the key stands, and the AUID where there is no i=, both in
// one piece.
func (c *check) nameKey() {
	s := &c.signature
	if s.Domain == "" || s.Selector == "" {
		return
	}
	names := s.Selector + "._domainkey." + s.Domain + "@" + s.Domain
	at := len(names) - len(s.Domain) - 1
	c.key.Name = names[:at]
	if s.AUID == "" {
		s.AUID = names[at:]
	}
}

// readable reports whether a field with this fault could be read as a list of tags.
func readable(err error) bool {
	return !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrDuplicateTag) && !errors.Is(err, ErrLimit)
}

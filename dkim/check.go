package dkim

import (
	"crypto/sha256"
	"errors"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/header"
)

// A check is one signature on its way to a result, all that it needs in one piece.
type check struct {
	result    Result
	signature Signature
	key       Key

	value    [2]int            // where the value of b= stands in the field's body
	header   [sha256.Size]byte // hash of the header
	added    string            // a field that was added, see ErrFieldAdded
	bodyHash *bodyHash
	lookup   *lookup

	// Room for the values of nearly every signature.
	valueRoom    [256]byte
	bodyHashRoom [sha256.Size]byte
	sumRoom      [sha256.Size]byte
}

// refuse gives the check its result, before or instead of a look at key and body.
func (c *check) refuse(status Status, err error) {
	c.result.Status, c.result.Err = status, err
}

// readSignatures returns a check for each DKIM-Signature field, topmost first. Those
// that are worth a key have no Err. Of fields beyond the limit on results it only
// returns the number.
func readSignatures(h header.Header, limits *Limits) (checks []*check, left int) {
	var at []int
	for i, f := range h.Fields {
		if f.Is("dkim-signature") {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return nil, 0
	}
	for _, i := range at {
		checks = append(checks, readSignature(h.Fields[i], limits))
	}
	chosen := choose(checks, authorDomains(h.Fields), limits.signatures())
	s := selector{fields: h.Fields, index: header.NewIndex(h.Fields)}
	kept := checks[:0]
	for n, c := range checks {
		switch {
		case c.result.Err == nil && chosen[n]:
			s.selectFields(c, at[n])
		case c.result.Err == nil:
			c.refuse(StatusPolicy, cause.Wrap(ErrLimit, "signatures verified", nil))
			fallthrough
		default:
			if len(at) > limits.results() {
				left++
				continue
			}
		}
		kept = append(kept, c)
	}
	return kept, left
}

// readSignature parses one field.
func readSignature(f header.Field, limits *Limits) *check {
	c := &check{}
	c.signature.Value = c.valueRoom[:0]
	c.signature.BodyHash = c.bodyHashRoom[:0]
	var err error
	c.value, err = parseSignature(string(f.Body()), limits, &c.signature)
	s := &c.signature
	c.result.Domain, c.result.Selector, c.result.Algorithm = s.Domain, s.Selector, s.Algorithm
	if s.Domain != "" && s.Selector != "" {
		c.key.Name = s.Selector + "._domainkey." + s.Domain
		if long := domain.Check(c.key.Name); long != nil && err == nil {
			err = cause.Wrap(ErrTagMalformed, "s= and d= together", long)
		}
	}
	if readable(err) {
		c.result.Signature = s
	}
	if err != nil {
		c.refuse(StatusPermError, err)
	}
	return c
}

// readable reports whether a field with this fault could be read as a list of tags.
func readable(err error) bool {
	return !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrDuplicateTag) && !errors.Is(err, ErrLimit)
}

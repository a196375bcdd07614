package dkim

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// conclude turns a check into its result, when the body has been read and the key
// was asked for.
//
// Of several faults, Err tells the first in this order: what the signature says of
// itself; a key that is not there or may not be used; the body; the signature; the
// policy. A DNS failure comes last of all, since it leaves open only what nothing
// else has decided.
func (v *Verifier) conclude(c *check, now time.Time) {
	r := &c.result
	if c.bodyHash == nil {
		return
	}
	c.takeBody()
	r.Authentic = c.lookup.authentic()
	keyStatus, keyErr := v.tryKeys(c)
	switch timeErr, bodyErr, policyErr := v.checkTime(c, now), c.checkBody(), v.checkPolicy(c); {
	case timeErr != nil:
		c.refuse(StatusPermError, timeErr)
	case keyErr != nil && keyStatus != StatusTempError && keyStatus != StatusFail:
		c.refuse(keyStatus, keyErr)
	case errors.Is(bodyErr, ErrBodyLength):
		c.refuse(StatusPermError, bodyErr)
	case bodyErr != nil:
		c.refuse(StatusFail, bodyErr)
	case keyStatus == StatusFail:
		c.refuse(StatusFail, keyErr)
	case policyErr != nil:
		c.refuse(StatusPolicy, policyErr)
	case keyErr != nil || keyStatus != StatusPass:
		c.refuse(keyStatus, keyErr)
	default:
		r.Status = StatusPass
	}
}

// takeBody puts down what was found of the body.
func (c *check) takeBody() {
	r, h := &c.result, c.bodyHash
	r.BodyHash = append(c.sumRoom[:0], h.sum[:]...)
	r.BodySigned = min(h.limit, h.octets)
	r.BodyUnsigned = h.octets - r.BodySigned
	if r.BodyUnsigned > 0 {
		r.warn(WarningBodyUnsigned)
	}
	if c.added != "" {
		r.warn(WarningFieldAdded)
	}
}

// checkBody holds the body against bh= and l=. RFC 6376, sections 3.5 and 6.1.3.
func (c *check) checkBody() error {
	if l := c.signature.BodyLength; l != nil && *l > c.bodyHash.octets {
		return cause.Wrap(ErrBodyLength, fmt.Sprintf("%d octets of %d", c.bodyHash.octets, *l), nil)
	}
	if !bytes.Equal(c.signature.BodyHash, c.bodyHash.sum[:]) {
		return ErrBodyHashMismatch
	}
	return nil
}

// checkTime holds t= and x= against the clock. RFC 6376, section 3.5.
func (v *Verifier) checkTime(c *check, now time.Time) error {
	s := &c.signature
	if !s.Time.IsZero() && s.Time.After(now.Add(v.Policy.clockSkew())) {
		return cause.Wrap(ErrFuture, s.Time.Format(time.RFC3339), nil)
	}
	if !s.Expires.IsZero() && now.After(s.Expires.Add(v.Policy.ExpirySkew)) {
		return cause.Wrap(ErrExpired, s.Expires.Format(time.RFC3339), nil)
	}
	return nil
}

// checkPolicy says why a valid signature would not be accepted.
func (v *Verifier) checkPolicy(c *check) error {
	p := &v.Policy
	if c.result.BodyUnsigned > 0 && !p.AllowUnsignedBody {
		return cause.Wrap(ErrBodyUnsigned, fmt.Sprintf("%d octets", c.result.BodyUnsigned), nil)
	}
	if c.added != "" && !p.AllowAddedFields {
		return cause.Wrap(ErrFieldAdded, c.added, nil)
	}
	for _, required := range p.RequiredFields {
		if !has(c.signature.Header, domain.ToLower(required)) {
			return cause.Wrap(ErrFieldNotSigned, required, nil)
		}
	}
	if c.key.Testing && p.RefuseTesting {
		return ErrKeyTesting
	}
	return nil
}

// notVerified is the result that stands for n signatures without their own.
func notVerified(n int) *Result {
	return &Result{Status: StatusPolicy, Err: cause.Wrap(ErrLimit, fmt.Sprintf("%d more signatures were not verified", n), nil)}
}

package dkim

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// conclude sets the result of a check, after the body has ended and the key was asked
// for.
//
// If there are several faults, Err is the first of: the times of the signature; a key
// that is missing or may not be used; the body; the signature itself; the policy. A DNS
// failure is last, since it is temporary and each of the others is permanent.
func (v *Verifier) conclude(c *check, now time.Time) {
	r := &c.result
	c.takeBody()
	r.Authentic = c.lookup.Authentic()
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

// takeBody sets what the result says of the body.
func (c *check) takeBody() {
	r := &c.result
	sum := c.bodyHash.Sum()
	r.BodyHash = append(c.sumRoom[:0], sum[:]...)
	r.BodySigned, r.BodyUnsigned = c.bodyHash.Signed(), c.bodyHash.Unsigned()
	if r.BodyUnsigned > 0 {
		r.warn(WarningBodyUnsigned)
	}
}

// checkBody compares the body with bh= and l=. RFC 6376, sections 3.5 and 6.1.3.
func (c *check) checkBody() error {
	if l := c.signature.BodyLength; l != nil && *l > c.result.BodySigned {
		return cause.Wrap(ErrBodyLength, fmt.Sprintf("%d octets of %d", c.result.BodySigned, *l), nil)
	}
	if !bytes.Equal(c.signature.BodyHash, c.result.BodyHash) {
		return ErrBodyHashMismatch
	}
	return nil
}

// checkTime compares t= and x= with the clock. RFC 6376, section 3.5.
func (v *Verifier) checkTime(c *check, now time.Time) error {
	s := &c.signature
	if !s.Time.IsZero() && s.Time.After(now.Add(v.used().Policy.ClockSkew)) {
		return cause.Wrap(ErrFuture, s.Time.Format(time.RFC3339), nil)
	}
	if !s.Expires.IsZero() && now.After(s.Expires.Add(v.used().Policy.ExpirySkew)) {
		return cause.Wrap(ErrExpired, s.Expires.Format(time.RFC3339), nil)
	}
	return nil
}

// checkPolicy returns why the Policy does not accept the signature, even if it is valid.
func (v *Verifier) checkPolicy(c *check) error {
	p := &v.used().Policy
	if c.result.BodyUnsigned > 0 && !p.AllowUnsignedBody {
		return cause.Wrap(ErrBodyUnsigned, fmt.Sprintf("%d octets", c.result.BodyUnsigned), nil)
	}
	if c.added != "" && !p.AllowAddedFields {
		return cause.Wrap(ErrFieldAdded, c.added, nil)
	}
	for _, required := range p.RequiredFields {
		if !isSigned(c.signature.Header, required) {
			return cause.Wrap(ErrFieldNotSigned, required, nil)
		}
	}
	if c.key.Testing && p.RefuseTesting {
		return ErrKeyTesting
	}
	return nil
}

// isSigned reports whether h= lists a name, without regard to case.
func isSigned(h []string, name string) bool {
	name = domain.ToLower(name)
	return slices.ContainsFunc(h, func(n string) bool { return tagvalue.EqualFold(n, name) })
}

// notVerified returns the one result for n signatures that have none of their own.
func notVerified(n int) *Result {
	return &Result{Status: StatusPolicy, Err: cause.Wrap(ErrLimit, fmt.Sprintf("%d more signatures were not verified", n), nil)}
}

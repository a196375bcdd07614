package dkim

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Result says what became of one DKIM-Signature field, and why.
type Result struct {
	Status Status `json:"status"`

	// Domain is the SDID (d=) and Selector the selector (s=), both in A-labels and
	// lower case; Algorithm is a= in lower case. A tag that does not follow its
	// grammar is empty.
	Domain    string `json:"domain,omitempty"`
	Selector  string `json:"selector,omitempty"`
	Algorithm string `json:"algorithm,omitempty"`

	// Signature has all tags, with defaults for those that are missing. It is nil if
	// the field is not a list of tags.
	Signature *Signature `json:"signature,omitempty"`

	// Key is the key that the signature was verified with. If it was not verified,
	// Key is the one at its name that came closest; nil if there is none.
	Key     *Key `json:"key,omitempty"`
	KeyBits int  `json:"key_bits,omitempty"` // RSA modulus, or 256 for Ed25519

	// Authentic says whether DNSSEC vouches for what DNS said of the key, its absence
	// included. It is unknown if the key was not asked for.
	Authentic resolver.Authentic `json:"authentic"`

	// BodyHash is the hash of the body that arrived; Signature.BodyHash is that of
	// the body that was signed. It is nil if the signature was refused before.
	BodyHash []byte `json:"body_hash,omitempty"`

	// BodySigned is how many octets of the canonicalized body are signed, and
	// BodyUnsigned how many are not, because of l=. A CRLF that canonicalization
	// appends to a last line without one is never unsigned.
	BodySigned   int64 `json:"body_signed"`
	BodyUnsigned int64 `json:"body_unsigned"`

	// HeaderVerified says that the signature over the header is good, whatever
	// Status is: if the body hash does not match, only the body was changed.
	HeaderVerified bool `json:"header_verified"`

	// Names of header fields, as written in h= (Signed, Absent, OverSigned) or in
	// the message (NotSigned). Each has one entry for each field or name.
	Signed     []string `json:"signed,omitempty"`      // in h= and in the message
	Absent     []string `json:"absent,omitempty"`      // in h=, and not in the message
	OverSigned []string `json:"over_signed,omitempty"` // in h= more often than in the message
	NotSigned  []string `json:"not_signed,omitempty"`  // in the message and not signed

	// Warnings are faults that a pass may have.
	Warnings []Warning `json:"warnings,omitempty"`

	// Err says why Status is not StatusPass. It wraps one of the package's
	// exported errors: errors.Is(r.Err, dkim.ErrBodyHashMismatch). In JSON it is
	// "reason", its text, and "cause", a word for that error.
	Err error `json:"-"`
}

// String returns the result in one line, such as
//
//	pass for example.com (s1, rsa-sha256, 2048 bits)
//	fail for example.com (s1, rsa-sha256, 2048 bits): the body was changed: its hash does not match
//
// What is not printable ASCII is escaped, as in a Go string.
func (r Result) String() string {
	var b strings.Builder
	b.WriteString(r.Status.String())
	if r.Domain != "" {
		b.WriteString(" for " + visible.ASCII(r.Domain))
	}
	var with []string
	for _, text := range []string{r.Selector, r.Algorithm} {
		if text != "" {
			with = append(with, visible.ASCII(text))
		}
	}
	if r.KeyBits > 0 {
		with = append(with, strconv.Itoa(r.KeyBits)+" bits")
	}
	if len(with) > 0 {
		b.WriteString(" (" + strings.Join(with, ", ") + ")")
	}
	if r.Err != nil {
		b.WriteString(": " + visible.ASCII(r.Err.Error()))
	}
	return b.String()
}

// LogValue returns the result as a group for package log/slog, with the keys that it
// has in JSON: status, domain, selector, algorithm, cause, reason, key_bits, and
// warnings.
func (r Result) LogValue() slog.Value {
	why := causes.JSON(r.Err)
	attrs := []slog.Attr{slog.String("status", r.Status.String())}
	for _, a := range []slog.Attr{
		slog.String("domain", visible.ASCII(r.Domain)), slog.String("selector", visible.ASCII(r.Selector)),
		slog.String("algorithm", visible.ASCII(r.Algorithm)), slog.String("cause", why.Cause), slog.String("reason", visible.ASCII(why.Reason)),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if r.KeyBits > 0 {
		attrs = append(attrs, slog.Int("key_bits", r.KeyBits))
	}
	if len(r.Warnings) > 0 {
		attrs = append(attrs, slog.Any("warnings", r.Warnings))
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON writes the result with its error as "reason", the text, and "cause",
// a code for it that is never renamed.
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result
	return json.Marshal(struct {
		*plain
		cause.JSON
	}{(*plain)(&r), causes.JSON(r.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote. Err has the same text then, and wraps
// the same error of this package.
func (r *Result) UnmarshalJSON(text []byte) error {
	type plain Result
	v := struct {
		*plain
		cause.JSON
	}{plain: new(plain)}
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*r = Result(*v.plain)
	r.Err = causes.Error(v.JSON)
	return nil
}

// A Warning is a fault with which a signature may still pass: a word for programs, which
// is never renamed.
type Warning string

const (
	WarningShortKey             Warning = "short-key"               // RSA under 2048 bits (RFC 8301, section 3.2)
	WarningTesting              Warning = "key-testing"             // the key has t=y
	WarningSeveralKeys          Warning = "several-keys"            // more than one record at the key's name (RFC 6376, section 3.6.2.2)
	WarningBodyUnsigned         Warning = "body-unsigned"           // l= leaves octets of the body out
	WarningSubjectNotSigned     Warning = "subject-not-signed"      // anyone on the way could have written it
	WarningContentTypeNotSigned Warning = "content-type-not-signed" // anyone on the way could have changed how the body is shown
	WarningFieldAdded           Warning = "field-added"             // a field that a message may have once stands once more than was signed
)

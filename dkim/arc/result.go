package arc

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// Status is the outcome of a chain, of a signature or of a seal: RFC 8617, section 4.4.
type Status uint8

const (
	StatusNone      Status = iota // there is none, or it was not verified
	StatusPass                    // it is valid
	StatusFail                    // it is not
	StatusTempError               // DNS failed, or the message was cut short; others are told fail
)

var statusWords = []string{"none", "pass", "fail", "temperror"}

// String returns "none", "pass", "fail" or "temperror".
func (s Status) String() string { return enum.String(statusWords, s) }

// MarshalText returns the word of String.
func (s Status) MarshalText() ([]byte, error) { return enum.MarshalText(statusWords, s) }

// UnmarshalText reads a word that MarshalText wrote.
func (s *Status) UnmarshalText(text []byte) error { return enum.UnmarshalText(statusWords, s, text) }

// A Result is what the chain of a message is worth. The zero Result is that of a message
// without a chain.
type Result struct {
	Status Status `json:"status"`

	// Sets are the sets, the first (i=1) first. It is empty if they are not numbered
	// without a gap, or one is not complete.
	Sets []Set `json:"sets,omitempty"`

	// OldestPass is the lowest instance from which on every message signature is valid:
	// since then the message was not changed. Zero means all of them, or that the chain
	// does not pass. RFC 8617, section 5.2, step 5.
	OldestPass int `json:"oldest_pass"`

	// Err says why Status is not StatusPass; nil for StatusNone. It wraps one of the
	// package's errors.
	Err error `json:"-"`
}

// A Set is what one sealer added to the message: RFC 8617, section 4.2.
type Set struct {
	Instance int `json:"instance"` // i=

	// AuthenticationResults is what the sealer says that it saw: the value of the
	// ARC-Authentication-Results field behind the instance, unfolded. It is the sender's
	// text: as good as the sealer's word, and not safe to print.
	AuthenticationResults string `json:"authentication_results"`

	Signature Signature `json:"signature"` // the ARC-Message-Signature
	Seal      Signature `json:"seal"`      // the ARC-Seal
	CV        Status    `json:"cv"`        // what the seal says of the chain before it (cv=)
}

// A Signature is an ARC-Message-Signature or an ARC-Seal.
type Signature struct {
	// Status is StatusNone for a message signature that was not verified: one below
	// another that is not valid.
	Status Status `json:"status"`

	Domain    string    `json:"domain,omitempty"`    // d= in A-labels: who signed
	Selector  string    `json:"selector,omitempty"`  // s= in A-labels
	Algorithm string    `json:"algorithm,omitempty"` // a= in lower case
	Time      time.Time `json:"t,omitzero"`          // t=
	KeyBits   int       `json:"key_bits,omitempty"`

	// Err says why Status is not StatusPass, or is nil. It wraps one of the package's
	// errors.
	Err error `json:"-"`
}

// Sealers returns the domains that sealed the chain, the first first.
func (r Result) Sealers() []string {
	names := make([]string, len(r.Sets))
	for i := range r.Sets {
		names[i] = r.Sets[i].Seal.Domain
	}
	return names
}

// String returns the result in one line, such as
//
//	pass, sealed by lists.example, forward.example
//	fail, sealed by lists.example: the signature does not match
//
// What is not printable ASCII is escaped, as in a Go string.
func (r Result) String() string {
	text := r.Status.String()
	if len(r.Sets) > 0 {
		text += ", sealed by " + visible.ASCII(strings.Join(r.Sealers(), ", "))
	}
	if r.Err != nil {
		text += ": " + visible.ASCII(r.Err.Error())
	}
	return text
}

// LogValue returns the result as a group for package log/slog: status, sealers, cause and
// reason.
func (r Result) LogValue() slog.Value {
	why := causes.JSON(r.Err)
	attrs := []slog.Attr{slog.String("status", r.Status.String())}
	if len(r.Sets) > 0 {
		attrs = append(attrs, slog.String("sealers", visible.ASCII(strings.Join(r.Sealers(), " "))))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("cause", why.Cause), slog.String("reason", visible.ASCII(why.Reason)))
	}
	return slog.GroupValue(attrs...)
}

// String returns the signature in one line, such as "pass for lists.example (s1)". What is not
// printable ASCII is escaped, as in a Go string.
func (s Signature) String() string {
	text := fmt.Sprintf("%s for %s (%s)", s.Status, visible.ASCII(s.Domain), visible.ASCII(s.Selector))
	if s.Err != nil {
		text += ": " + visible.ASCII(s.Err.Error())
	}
	return text
}

// MarshalJSON writes the result with its error as "reason", the text, and "cause", a code for
// it that is never renamed.
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(r), causes.JSON(r.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Result) UnmarshalJSON(text []byte) error {
	type plain Result
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*r = Result(in.plain)
	r.Err = causes.Error(in.JSON)
	return err
}

// MarshalJSON writes the signature as Result.MarshalJSON does the result.
func (s Signature) MarshalJSON() ([]byte, error) {
	type plain Signature
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(s), causes.JSON(s.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Signature) UnmarshalJSON(text []byte) error {
	type plain Signature
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*s = Signature(in.plain)
	s.Err = causes.Error(in.JSON)
	return err
}

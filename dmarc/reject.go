package dmarc

import (
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/internal/enum"
)

// Reject says what is recommended for a message that fails and whose Domain Owner asks for
// reject. RFC 9989, sections 7.4 and 8, tells receivers not to reject on that alone.
type Reject uint8

const (
	// RejectAsAsked recommends reject.
	RejectAsAsked Reject = iota

	// RejectNever recommends quarantine.
	RejectNever

	// RejectUnlessIndirect recommends quarantine if strong evidence shows that the owner's
	// message was changed by a forwarder or list that the receiver knows, and reject
	// otherwise.
	RejectUnlessIndirect
)

var rejectWords = []string{"as-asked", "never", "unless-indirect"}

// String returns "as-asked", "never" or "unless-indirect".
func (r Reject) String() string { return enum.String(rejectWords, r) }

// MarshalText returns the word of String.
func (r Reject) MarshalText() ([]byte, error) { return enum.MarshalText(rejectWords, r) }

// UnmarshalText reads a word that MarshalText wrote.
func (r *Reject) UnmarshalText(text []byte) error { return enum.UnmarshalText(rejectWords, r, text) }

// override sets what is recommended for a message that fails, in view of what shows that it came
// another way. Nothing weak changes it.
func (v *Verdict) override(in *Input) {
	sealed := strong(in.Indirect, indirect.KindTrustedSealer)
	forwarder := strong(in.Indirect, indirect.KindKnownForwarder)
	switch {
	case sealed != nil && v.Disposition != DispositionNone:
		v.Disposition = DispositionNone
		v.Override = &Override{Type: OverrideLocal, Comment: sealed.Detail}
	case v.Disposition != DispositionReject:
	case in.Reject == RejectNever:
		v.Disposition = DispositionQuarantine
		v.Override = &Override{Type: OverrideLocal, Comment: "reject=never"}
	case in.Reject == RejectUnlessIndirect && forwarder != nil && strong(in.Indirect, indirect.KindBodyChanged) != nil:
		v.Disposition = DispositionQuarantine
		v.Override = &Override{Type: OverrideForwarder, Comment: forwarder.Detail}
	}
}

// strong returns the first strong evidence of a kind, or nil.
func strong(list []indirect.Evidence, kind indirect.Kind) *indirect.Evidence {
	for i := range list {
		if list[i].Kind == kind && list[i].Strong {
			return &list[i]
		}
	}
	return nil
}

// Package indirect has the words for what shows that a message came by way of somebody who
// forwarded or changed it: a mailing list, an alumni address, a school's gateway.
//
// RFC 9989, section 7.4, asks receivers to know about such ways before they reject. Package
// dmarc lists what it found as [Evidence] in its results. Whether a message passes never
// depends on it.
//
// Strong evidence is what only the owner's own mail, or somebody whom the receiver trusts,
// can have: it may change the recommended disposition (TrustedSealers and Reject of
// dmarc.Verifier). Everything else can be made by anybody, and never softens what is done with
// a message.
package indirect

import "github.com/mailverdict/mailverdict/internal/visible"

// Kind is what kind of evidence it is: a word that is never renamed.
type Kind string

const (
	// KindTrustedSealer: a sealer of dmarc.Verifier.TrustedSealers says that the message
	// passed DMARC, or that an aligned identifier passed, when it came to it (RFC 8617).
	// Strong. Detail is the comment for reports (RFC 8617, section 7.2.2).
	KindTrustedSealer Kind = "trusted-sealer"

	// KindBodyChanged: the header is signed by the Author's own domain and unchanged, the
	// body is not: a list added a footer, or somebody put another body below the header of
	// an old message. Strong if the signature is recent, weak otherwise. Detail is the
	// domain that signed.
	KindBodyChanged Kind = "body-changed"

	// KindKnownForwarder: the client, or a domain that is authenticated, is one of
	// dmarc.Verifier.KnownForwarders. Strong. Detail is the address or domain.
	KindKnownForwarder Kind = "known-forwarder"

	// KindUntrustedSealer: a chain of seals is valid, and no sealer is trusted. Weak.
	// Detail is the domains that sealed.
	KindUntrustedSealer Kind = "untrusted-sealer"

	// KindRewrittenSender: SPF passes for a MAIL FROM that a forwarder rewrote (SRS). Weak.
	// Detail is its domain.
	KindRewrittenSender Kind = "rewritten-sender"

	// KindList: the message has a field of mailing lists (List-Id, List-Post). Weak. Detail
	// is the value of the field.
	KindList Kind = "list"

	// KindResent: the message has a Resent field (RFC 5322, section 3.6.6). Weak.
	KindResent Kind = "resent"

	// KindSubjectPrefix: a signature has a copy of the Subject (z=) that the Subject now ends
	// in. Weak. Detail is what was put before it.
	KindSubjectPrefix Kind = "subject-prefix"
)

// Evidence is one thing that shows that a message came another way.
type Evidence struct {
	Kind   Kind   `json:"kind"`
	Strong bool   `json:"strong"`
	Detail string `json:"detail,omitempty"` // printable ASCII
}

// String returns the evidence as one line of printable ASCII, such as
// "body-changed (tulips.example)".
func (e Evidence) String() string {
	text := visible.ASCII(string(e.Kind))
	if e.Detail != "" {
		text += " (" + visible.ASCII(e.Detail) + ")"
	}
	return text
}

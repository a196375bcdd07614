package dmarc

import (
	"context"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/message"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// work is what a Session needs until it has ended. No result refers to it, so that its memory
// serves another Session then: it is nearly half of what a message of 4 KiB would allocate.
type work struct {
	options  *settings // of the Verifier
	resolver resolver.Resolver
	ctx      context.Context // of Begin
	envelope Envelope

	lasting        *lasting // made at Begin, for the results of SPF
	mailFrom, helo spfCheck
	given          *spf.Result // by UseSPF

	message    *message.Message
	signatures dkim.Attached
	keys       questions
	policy     questions

	// Once the header has ended.
	chain    func() *arc.Result // when the message has ended; nil if it has no ARC field
	author   author.Author
	way      wayFacts
	searches []discovery.Search  // one for each Author Domain to evaluate
	search   [1]discovery.Search // memory of searches, for the one that most messages have
}

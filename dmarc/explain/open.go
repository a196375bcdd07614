package explain

import (
	"context"
	"errors"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// whyOpen says of a temperror what stands behind it: not DNS where somebody here did not
// wait for it.
func whyOpen(err error) string {
	for _, ended := range []error{spf.ErrCanceled, spf.ErrTimeLimit, resolver.ErrLimit, context.Canceled} {
		if errors.Is(err, ended) {
			return "The check was ended before DNS had answered. It may do so later."
		}
	}
	return "DNS did not answer. It may do so later."
}

// unanswered names the domain whose missing answer left the verdict open, with a space
// behind it, or returns "" where that is not known.
func unanswered(v *dmarc.Verdict) string {
	if v.Unanswered == "" {
		return ""
	}
	return "of " + plainDomain(v.Unanswered) + " "
}

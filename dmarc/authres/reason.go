package authres

import "github.com/mailverdict/mailverdict/internal/cause"

// reasonOf returns the text of the error of ours that err wraps, or "". The text of err itself
// never goes out: it may quote what DNS or the message say.
func reasonOf(err error) string {
	_, text := cause.Of(err)
	return text
}

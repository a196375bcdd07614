package main

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/received"
)

// expiredSince says of a message on disk that a signature has expired since it came: that is
// the fault of nobody, and another time of evaluation shows what the receiver saw. It returns
// "" where that is not so.
func expiredSince(r *dmarc.Result, header []received.Field) string {
	came := cameAt(header)
	if came.IsZero() {
		return ""
	}
	for i, d := range r.DKIM {
		if errors.Is(d.Err, dkim.ErrExpired) && d.Signature != nil && came.Before(d.Signature.Expires) {
			return fmt.Sprintf("signature %d expired on %s, after the message came: -now %s checks it as of then",
				i+1, d.Signature.Expires.UTC().Format(time.DateOnly), came.UTC().Format(time.RFC3339))
		}
	}
	return ""
}

// cameAt returns when the receiver got the message, by its topmost Received field, or else
// when it was written.
func cameAt(header []received.Field) time.Time {
	if t := received.When(header); !t.IsZero() {
		return t
	}
	for _, f := range header {
		if t, err := mail.ParseDate(strings.TrimSpace(f.Body)); f.Is("Date") && err == nil {
			return t
		}
	}
	return time.Time{}
}

package received

import (
	"net/mail"
	"strings"
	"time"
)

// When returns when the receiver got a message: the date of its topmost Received field. It is the
// zero time where that field has none; those below may be the sender's own.
func When(header []Field) time.Time {
	for _, f := range header {
		if f.Is("Received") {
			t, err := mail.ParseDate(strings.TrimSpace(f.Body[strings.LastIndexByte(f.Body, ';')+1:]))
			if err != nil {
				return time.Time{}
			}
			return t
		}
	}
	return time.Time{}
}

package sqlstore

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
)

// This file turns values into those of columns, and back.

// number returns 63 bits that stand for texts. They depend on the database, so that nobody can search
// for texts that share theirs.
func (s *Store) number(texts ...string) int64 {
	sum := sha256.Sum256([]byte(s.id + hash(texts...)))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}

// outcome returns what was done with a message: a reporter may write any word.
func outcome(disposition string) string {
	switch disposition {
	case "quarantine", "reject":
		return disposition
	}
	return "none"
}

func messagesOf(flows []rollout.Flow) (n int64) {
	for i := range flows {
		n += flows[i].Messages
	}
	return min(n, maxCount)
}

// clean returns a text without what PostgreSQL does not take.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// maxText is how many octets a text has that is shown: a domain has 253.
const maxText = 255

// short returns a text that is fit to be stored and shown: a reporter may write one of any length.
func short(s string) string {
	s = clean(s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText-len("…")], "") + "…"
	}
	return s
}

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// dayOf returns the number of a time's day since 1970, in UTC. The zero time has day 0.
func dayOf(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Unix() / 86400
}

func timeOf(day int64) time.Time { return time.Unix(day*86400, 0).UTC() }

package stored

import (
	"errors"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/examples/received"
)

// StoredResults are what whoever received a message found: in the words of RFC 8601, or of Amazon SES.
// A method of which nothing is said is empty.
type StoredResults struct {
	By    string `json:"by"`
	SPF   string `json:"spf,omitempty"`
	DKIM  string `json:"dkim,omitempty"`
	DMARC string `json:"dmarc,omitempty"`

	ses bool
}

// A Difference is a method with another result than the stored one.
type Difference struct {
	Method string `json:"method"`
	Stored string `json:"stored"`
	Now    string `json:"now"`
}

// stored returns what is said of a message, or nil. Nobody has proven who wrote a field of the
// header: it is for comparison, and nothing rests on it.
func (c *Checker) stored(fields []received.Field, b *beside) *StoredResults {
	if r := b.receipt; r != nil {
		return &StoredResults{By: "Amazon SES", SPF: r.SPF.Status, DKIM: r.DKIM.Status, DMARC: r.DMARC.Status, ses: true}
	}
	var s *StoredResults
	for _, f := range fields {
		if !f.Is("Authentication-Results") {
			continue
		}
		field, err := authres.ParseLenient(f.Name + ":" + f.Body)
		switch {
		case err != nil, s == nil && c.StoredID != "" && !strings.EqualFold(field.ID, c.StoredID),
			s != nil && !strings.EqualFold(field.ID, s.By):
			continue
		case s == nil:
			s = &StoredResults{By: field.ID} // Microsoft writes none
		}
		for _, r := range field.Results {
			s.take(r)
		}
	}
	return s
}

// take takes over the result of a method: the first one, and of signatures one that passes.
func (s *StoredResults) take(r authres.Result) {
	switch word := storedWord(r.Value); r.Method {
	case "spf":
		if s.SPF == "" && r.Property("smtp", "helo") == "" {
			s.SPF = word
		}
	case "dkim":
		if s.DKIM == "" || word == "pass" {
			s.DKIM = word
		}
	case "dmarc":
		if s.DMARC == "" {
			s.DMARC = word
		}
	}
}

// storedWord returns the word of RFC 8601 for those that some receivers write.
func storedWord(word string) string {
	switch word = strings.ToLower(word); word {
	case "bestguesspass":
		return "none"
	case "hardfail":
		return "fail"
	}
	return word
}

// compare takes over what is stored, and what is not so any more.
func (a *About) compare(s *StoredResults, r *dmarc.Result) {
	if a.Stored = s; s == nil {
		return
	}
	a.differ("spf", s.SPF, r.SPF.Status.String())
	a.differ("dkim", s.DKIM, dkimWord(r.DKIM))
	a.differ("dmarc", s.DMARC, r.DMARC.Status.String())
}

func (a *About) differ(method, stored, now string) {
	switch {
	case stored == "", stored == "PROCESSING_FAILED", stored == "temperror", now == "temperror":
		return // one of the two says nothing
	case a.Stored.ses && (stored == "PASS") == (now == "pass"):
		return // FAIL and GRAY are several words of RFC 8601 each
	case stored == now:
		return
	}
	a.Differs = append(a.Differs, Difference{method, stored, now})
}

// dkimWord returns one word for all signatures: that of the first one, or pass if one passes.
func dkimWord(results []*dkim.Result) string {
	word := dkim.StatusNone
	for i, d := range results {
		if i == 0 || d.Status == dkim.StatusPass {
			word = d.Status
		}
	}
	return word.String()
}

// A ChangedKey is a signature whose key is not what it was.
type ChangedKey struct {
	Domain   string `json:"domain"`
	Selector string `json:"selector"`

	// How is "gone" for a key that is not there or revoked, and "other" for one that does not
	// fit, where the body is as signed and whoever received the message said that it passed.
	How string `json:"how"`
}

// changedKeys returns the signatures that may have been good when the message came.
func changedKeys(r *dmarc.Result, s *StoredResults) []ChangedKey {
	var list []ChangedKey
	for _, d := range r.DKIM {
		how := ""
		switch {
		case errors.Is(d.Err, dkim.ErrKeyMissing), errors.Is(d.Err, dkim.ErrKeyRevoked):
			how = "gone"
		case errors.Is(d.Err, dkim.ErrSignatureMismatch) && s != nil && strings.EqualFold(s.DKIM, "pass"):
			how = "other"
		default:
			continue
		}
		list = append(list, ChangedKey{d.Domain, d.Selector, how})
	}
	return list
}

package discovery

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Query is one name that was asked for a DMARC Policy Record, and what came back:
// RFC 9989, section 4.10, step 2.
type Query struct {
	Domain string `json:"domain"` // the question was for TXT at _dmarc.Domain

	// Record is the one valid record found there, or nil, and Text its text as DNS
	// gave it: not safe to print. The Record may be shared and must not be changed.
	Record *record.Record `json:"record,omitempty"`
	Text   string         `json:"text,omitempty"`

	// Discarded are the other TXT records, and why they do not count.
	Discarded []Discarded `json:"discarded,omitempty"`

	// PublicSuffix says that Record has no psd=y or psd=n, and that the public suffix
	// list has the name: by the floor of TreeWalk, names below it are strangers.
	PublicSuffix bool `json:"public_suffix,omitempty"`

	Authentic resolver.Authentic `json:"authentic"`

	// Err is the failure that left the question open; nil where it was answered,
	// also if by there being no record.
	Err error `json:"-"`

	noPolicy error // what record.Parse said of Record: nil or ErrNoPolicy
}

// Discarded is a TXT record that is not a name's DMARC record.
type Discarded struct {
	Text   string        `json:"text"` // as DNS gave it: not safe to print
	Reason DiscardReason `json:"reason"`
}

// Several reports whether several DMARC records stand at the name, which all do not count.
func (q *Query) Several() bool {
	for _, d := range q.Discarded {
		if d.Reason == Several {
			return true
		}
	}
	return false
}

// String returns the query and its outcome as one line of printable ASCII.
func (q Query) String() string {
	outcome := "no record"
	switch {
	case q.Err != nil:
		outcome = strings.Trim(strconv.QuoteToASCII(q.Err.Error()), `"`)
	case q.Record != nil:
		outcome = strconv.QuoteToASCII(q.Text)
	case q.Several():
		outcome = "several records"
	}
	return prefix + q.Domain + ": " + outcome
}

// read takes the TXT records of the name.
func (q *Query) read(txt []string, records *Records, standard record.Standard) {
	found := 0
	for _, text := range txt {
		if record.IsDMARC(text) {
			found++
			q.Text = text
		}
	}
	if found == 1 {
		p := records.parse(q.Text, standard)
		q.Record, q.noPolicy = p.record, p.err
		if len(txt) == 1 {
			return // as mostly
		}
	} else {
		q.Text = ""
	}
	for _, text := range txt {
		switch {
		case !record.IsDMARC(text):
			q.Discarded = append(q.Discarded, Discarded{text, NotDMARC})
		case found > 1:
			q.Discarded = append(q.Discarded, Discarded{text, Several})
		}
	}
}

// MarshalJSON writes the query, with Err as "reason" and "cause".
func (q Query) MarshalJSON() ([]byte, error) {
	type plain Query
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(q), queryCauses().JSON(q.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (q *Query) UnmarshalJSON(text []byte) error {
	type plain Query
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*q = Query(in.plain)
	q.Err = queryCauses().Error(in.JSON)
	return err
}

// queryCauses are the words for what can leave a question open.
func queryCauses() cause.Table {
	return append(causes[:len(causes):len(causes)], resolver.Causes(seam.Internal{})...)
}

// findings are queries in the order of asking: few enough to look through.
type findings []*Query

// find returns the query for a domain, or nil.
func (f findings) find(domain string) *Query {
	for _, q := range f {
		if q.Domain == domain {
			return q
		}
	}
	return nil
}

// at returns the outcome for a domain. One that was not asked for is open.
func (f findings) at(domain string) *Query {
	if q := f.find(domain); q != nil {
		return q
	}
	return &Query{Domain: domain, Err: cause.Wrap(ErrPolicyUnknown, prefix+domain+" was not asked", nil)}
}

package spf

import (
	"strconv"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/resolver"
)

// record returns the SPF record of a domain, or why there is none: RFC 7208,
// sections 4.4 to 4.6.
func (c *check) record(name string) (*Record, *ending) {
	l, stop := c.get(resolver.Question{Name: name, Type: resolver.TypeTXT})
	if l != nil {
		c.note(l)
	}
	if stop != nil {
		return nil, stop
	}
	// The question for the record of the identity is no term's, so it is not a
	// void lookup: RFC 7208, section 4.6.4.
	if l.missing() && c.terms > 0 {
		if stop := c.void(); stop != nil {
			return nil, stop
		}
	}
	l.settle(c.limits)
	if l.stop != nil {
		return nil, l.stop
	}
	return &l.record, nil
}

// settle finds and parses the one SPF record in the answer to a question for TXT
// records.
func (l *lookup) settle(limits Limits) {
	if l.settled {
		return
	}
	l.settled = true
	switch {
	case l.missing() || l.refused():
		l.stop = &ending{StatusNone, cause.Wrap(ErrNoRecord, "", l.err)}
		return
	case l.err != nil:
		l.stop = unanswered(l.err)
		return
	}
	text, stop := selectRecord(l.answer.TXT, limits)
	if stop != nil {
		l.stop = stop
	} else if err := l.record.parse(text, limits.RecordTerms); err != nil {
		l.stop = &ending{StatusPermError, err}
	}
}

// selectRecord finds the one SPF record among the TXT records of a name: RFC 7208,
// section 4.5.
func selectRecord(texts []string, limits Limits) (string, *ending) {
	found, text := 0, ""
	for _, txt := range texts {
		if isRecord(txt) {
			found, text = found+1, txt
		}
	}
	switch {
	case found == 0:
		return "", &ending{StatusNone, ErrNoRecord}
	case found > 1:
		return "", permError(ErrMultipleRecords, strconv.Itoa(found))
	case len(text) > limits.RecordOctets:
		return "", permError(ErrRecordLimit, strconv.Itoa(len(text))+" octets")
	}
	return text, nil
}

package spf

import (
	"strconv"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/resolver"
)

// record returns the SPF record of a domain, or why there is none: RFC 7208,
// sections 4.4 to 4.6.
func (c *check) record(name string) (Record, *ending) {
	l, stop := c.get(resolver.Question{Name: name, Type: resolver.TypeTXT})
	if l != nil {
		c.note(l)
	}
	if stop != nil {
		return Record{}, stop
	}
	// The question for the record of the identity is no term's, so it is not a
	// void lookup: RFC 7208, section 4.6.4.
	if l.missing() && c.terms > 0 {
		if stop := c.void(); stop != nil {
			return Record{}, stop
		}
	}
	if l.early != nil {
		return l.early.record, l.early.stop
	}
	return l.read(c.limits, &c.reading)
}

// read finds and parses the one SPF record in the answer to a question for TXT
// records.
func (l *lookup) read(limits Limits, memory *pile) (r Record, stop *ending) {
	switch {
	case l.missing() || l.refused():
		return r, &ending{StatusNone, cause.Wrap(ErrNoRecord, "", l.err)}
	case l.err != nil:
		return r, unanswered(l.err)
	}
	if r.Text, stop = selectRecord(l.answer.TXT, limits); stop != nil {
		return r, stop
	}
	var err error
	if r.Terms, r.asking, err = parseTerms(r.Text, limits.RecordTerms, memory); err != nil {
		return r, &ending{StatusPermError, err}
	}
	return r, nil
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

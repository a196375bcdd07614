package spf

import (
	"math"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/kept"
)

// choose returns the one SPF record among the TXT records of a name: RFC 7208, section
// 4.5. The record may be shared and must not be changed.
func (k *keptRecords) choose(texts []string, limits *Limits) (*Record, ending) {
	found, text := 0, ""
	for _, txt := range texts {
		if isRecord(txt) {
			found, text = found+1, txt
		}
	}
	switch {
	case found == 0:
		return nil, ending{StatusNone, ErrNoRecord}
	case found > 1:
		return nil, permError(ErrMultipleRecords, strconv.Itoa(found))
	case len(text) > limits.RecordOctets:
		return nil, permError(ErrRecordLimit, strconv.Itoa(len(text))+" octets")
	}
	p := k.parse(text, limits.RecordTerms)
	if p.err == nil && len(p.record.Terms) > limits.RecordTerms {
		p.err = tooManyTerms(limits.RecordTerms)
	}
	if p.err != nil {
		return nil, ending{StatusPermError, p.err}
	}
	return p.record, ending{}
}

// How much is kept of the TXT records from which no SPF record could be taken.
const (
	mostCandidates  = 5
	candidateOctets = 2 << 10
)

// candidates returns the TXT records that look like what somebody wants to see.
func candidates(texts []string, like func(text string) bool) []string {
	var list []string
	for _, text := range texts {
		if len(list) < mostCandidates && like(text) {
			list = append(list, text[:min(len(text), candidateOctets)])
		}
	}
	return list
}

// seemsRecord reports whether a text is an SPF record or has a word of one in it, or of a
// DMARC record, which some publish at the domain itself.
func seemsRecord(text string) bool {
	if isRecord(text) || seemsDMARC(text) {
		return true
	}
	text = domain.ToLower(text[:min(len(text), candidateOctets)])
	for _, word := range []string{"spf1", "v=spf", "spf 1", "include:", "ip4:"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// seemsDMARC reports whether a text was meant as a DMARC record.
func seemsDMARC(text string) bool {
	const begin = "v=DMARC"
	return len(text) > len(begin) && strings.EqualFold(text[:len(begin)], begin)
}

// keptRecords remembers parsed records by their text. A few thousand records are behind
// most mail, and parsing them is most of a check whose answers are in memory. The zero
// keptRecords is empty and ready.
type keptRecords struct {
	kept.Map[parsed]
}

// parsed is what parseRecord returns.
type parsed struct {
	record *Record
	err    error
}

// mostKeptTerms bounds the memory of what is kept: 6 KB for each record.
const mostKeptTerms = 64

// parse is parseRecord with memory. The record may be shared and must not be changed.
// More terms than most may be ErrRecordLimit.
func (k *keptRecords) parse(text string, most int) parsed {
	if p, ok := k.Find(text); ok {
		return p
	}
	if strings.Count(text, " ") > mostKeptTerms {
		r, err := parseRecord(text, most)
		return parsed{r, err}
	}
	return k.Add(text, func(text string) parsed {
		r, err := parseRecord(text, math.MaxInt)
		return parsed{r, err}
	})
}

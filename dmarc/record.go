package dmarc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// maxRecord is the longest record that is read, in octets. Real ones stay under 1 KiB.
const maxRecord = 8 << 10

// A Record is a DMARC Policy Record: RFC 9989, section 4.7. Its fields hold the
// effective values: what the record states, else the default.
type Record struct {
	// Policy, SubdomainPolicy and NonexistentPolicy are p, sp and np after their
	// fallbacks: np to sp to p. All are PolicyNone where the record's policy is
	// broken but it asks for reports, and PolicyUnset where no policy can be had
	// from it (RFC 9989, section 4.10.1).
	Policy            Policy `json:"p,omitempty"`
	SubdomainPolicy   Policy `json:"sp,omitempty"`
	NonexistentPolicy Policy `json:"np,omitempty"`

	DKIMAlignment alignment.Mode `json:"adkim"` // default relaxed
	SPFAlignment  alignment.Mode `json:"aspf"`  // default relaxed
	PSD           PSD            `json:"psd"`   // default u
	Testing       bool           `json:"t"`     // t=y; default t=n

	AggregateReports []URI    `json:"rua,omitempty"` // where aggregate reports go
	FailureReports   []URI    `json:"ruf,omitempty"` // where failure reports go
	FailureOptions   []string `json:"fo"`            // of "0", "1", "d", "s"; default "0"

	// Percent and Interval are pct and ri of RFC 7489, which RFC 9989 removed;
	// Percent counts with public suffix discovery only. Defaults 100 and 86400
	// seconds.
	Percent  int `json:"pct"`
	Interval int `json:"ri"`

	// Tags are the tags as they stand in the record, in order, unknown and
	// removed ones included.
	Tags []Tag `json:"tags"`

	// Problems are the faults of the record and what was assumed instead.
	Problems []Problem `json:"problems,omitempty"`
}

// A Tag is one tag of a record as it stands there.
type Tag struct {
	Name  string  `json:"name"` // as written; case does not matter
	Value string  `json:"value"`
	Kind  TagKind `json:"kind"`
}

// TagKind says what RFC 9989 makes of a tag.
type TagKind string

const (
	TagKnown   TagKind = "known"
	TagRemoved TagKind = "removed" // pct, rf and ri of RFC 7489: ignored
	TagUnknown TagKind = "unknown" // ignored
	TagBroken  TagKind = "broken"  // not a tag at all: ignored
)

// A Problem is one fault of a record. The record may still lead to a policy.
type Problem struct {
	Tag     string `json:"tag"`     // its name, or the text that is not a tag
	Text    string `json:"text"`    // what is wrong
	Assumed string `json:"assumed"` // what was assumed instead
}

// Parse reads a TXT record. isDMARC is false for a text that is not a DMARC record at
// all and has to be ignored without a word: its first tag is not v, or its value not
// exactly "DMARC1" (RFC 9989, section 4.10, step 2).
//
// The error is ErrNoPolicy for a record from which no policy can be had; the Record is
// returned beside it, since its psd tag still counts. Every other fault is listed in
// Problems: RFC 9989, section 4.8, ignores what is broken or unknown.
func Parse(txt string) (r *Record, isDMARC bool, err error) { return parse(txt, true) }

// parse is Parse, and without np for RFC 7489, to which that tag is unknown.
func parse(txt string, np bool) (r *Record, isDMARC bool, err error) {
	if !isVersioned(txt) {
		return nil, false, nil
	}
	r = &Record{
		Percent:        100,
		Interval:       86400,
		FailureOptions: []string{"0"},
	}
	if len(txt) > maxRecord {
		r.problem("v", "the record has more than 8 KiB", "no policy")
		return r, true, ErrNoPolicy
	}
	r.Tags = make([]Tag, 0, min(16, 1+strings.Count(txt, ";")))
	p := policies{np: np}
	for tag, err := range tagvalue.All(txt) {
		switch err {
		case nil:
			r.tag(tag, &p)
		case tagvalue.ErrEmpty:
		default:
			r.brokenTag(tag, err, &p)
		}
	}
	return r, true, r.settle(p)
}

// brokenTag takes what is not a tag into the record, for people to read.
func (r *Record) brokenTag(tag tagvalue.Tag, err error, p *policies) {
	text, assumed := tag.Name, "ignored"
	if err != tagvalue.ErrNoEquals {
		text += "=" + tag.Value
	}
	if p.states(domain.ToLower(tag.Name)) {
		p.broken = true
		assumed = "no policy stated"
	}
	r.Tags = append(r.Tags, Tag{Name: text, Kind: TagBroken})
	r.problem(text, err.Error(), assumed)
}

// isVersioned reports whether txt begins with a version tag of value DMARC1. The
// name's case does not matter, that of the value does, and nothing may stand before.
func isVersioned(txt string) bool {
	rest := txt
	if len(rest) == 0 || rest[0]|0x20 != 'v' {
		return false
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(rest[1:], " \t"), "=")
	if !ok {
		return false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t"), "DMARC1")
	if !ok {
		return false
	}
	rest = strings.TrimLeft(rest, " \t")
	return rest == "" || rest[0] == ';'
}

// policies is what a record states for p, sp and np, and whether it does.
type policies struct {
	np     bool // whether np is a tag
	value  [3]Policy
	broken bool
}

var policyTags = [3]string{"p", "sp", "np"}

// states reports whether a tag states a policy.
func (p *policies) states(name string) bool {
	return slices.Contains(policyTags[:], name) && (p.np || name != "np")
}

// tag takes one well-formed tag into the record.
func (r *Record) tag(tag tagvalue.Tag, p *policies) {
	name := domain.ToLower(tag.Name)
	kind := kind(name)
	repeated := kind != TagUnknown && r.Stated(name)
	r.Tags = append(r.Tags, Tag{Name: tag.Name, Value: tag.Value, Kind: kind})
	if repeated {
		// A tag list with a repeated tag is invalid (RFC 6376, section 3.2): a
		// policy stated twice is none, of other tags the first one stands.
		assumed := "the first one"
		if p.states(name) {
			p.broken = true
			assumed = "no policy stated"
		}
		r.problem(name, "the tag is repeated", assumed)
		return
	}
	value := domain.ToLower(tag.Value)
	bad := func(text, assumed string) {
		r.problem(name, strconv.QuoteToASCII(tag.Value)+" is not "+text, assumed)
	}
	switch name {
	case "p", "sp", "np":
		if !p.states(name) {
			break
		}
		stated, _ := enum.Parse[Policy](policyWords, value)
		if stated == PolicyUnset {
			p.broken = true
			bad("none, quarantine or reject", "no policy stated")
		}
		p.value[slices.Index(policyTags[:], name)] = stated
	case "adkim", "aspf":
		mode := &r.DKIMAlignment
		if name == "aspf" {
			mode = &r.SPFAlignment
		}
		switch value {
		case "r":
		case "s":
			*mode = alignment.Strict
		default:
			bad("r or s", "r")
		}
	case "psd":
		psd, ok := enum.Parse[PSD](psdWords, value)
		if !ok {
			bad("y, n or u", "u")
		}
		r.PSD = psd
	case "t":
		r.Testing = value == "y"
		if value != "y" && value != "n" {
			bad("y or n", "n")
		}
	case "rua":
		r.AggregateReports = r.uris(name, tag.Value)
	case "ruf":
		r.FailureReports = r.uris(name, tag.Value)
	case "fo":
		var fault string
		if r.FailureOptions, fault = failureOptions(value); fault != "" {
			r.problem(name, strconv.QuoteToASCII(tag.Value)+" is "+fault, strings.Join(r.FailureOptions, ":"))
		}
	case "pct":
		if n, err := strconv.ParseUint(value, 10, 31); err == nil && n <= 100 {
			r.Percent = int(n)
		} else {
			bad("a number from 0 to 100", "100")
		}
	case "ri":
		if n, err := strconv.ParseUint(value, 10, 31); err == nil {
			r.Interval = int(n)
		} else {
			bad("a number of seconds", "86400")
		}
	}
}

func kind(name string) TagKind {
	switch name {
	case "v", "p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo":
		return TagKnown
	case "pct", "ri", "rf":
		return TagRemoved
	}
	return TagUnknown
}

func (r *Record) uris(tag, value string) []URI {
	var uris []URI
	for item := range tagvalue.Items(value, ',') {
		uri := parseURI(item)
		if uri.Err != nil {
			r.problem(tag, strconv.QuoteToASCII(item)+": "+uri.Err.Error(), "not used")
		}
		uris = append(uris, uri)
	}
	return uris
}

// failureOptions reads fo. RFC 9989, section 4.8, has each of its values at most once, and
// not 0 with 1; RFC 7489 did not say so. Such a list is taken as it stands, and the fault
// is told.
func failureOptions(value string) (options []string, fault string) {
	var seen [4]bool
	for item := range tagvalue.Items(value, ':') {
		i := strings.Index("01ds", item)
		if len(item) != 1 || i < 0 {
			return []string{"0"}, "not a list of 0, 1, d and s"
		}
		if seen[i] {
			fault = "a list that has " + item + " twice"
		}
		seen[i] = true
		options = append(options, item)
	}
	if seen[0] && seen[1] {
		fault = "a list of both 0 and 1"
	}
	return options, fault
}

// settle fills in the policies: RFC 9989, section 4.7 for the fallbacks, 4.10.1 for a
// policy that is missing or broken.
func (r *Record) settle(p policies) error {
	if p.value[0] == PolicyUnset && !r.Stated("p") {
		r.problem("p", "the tag is missing", "no policy stated")
	}
	if p.broken || p.value[0] == PolicyUnset {
		for _, uri := range r.AggregateReports {
			if uri.Valid() {
				r.Policy, r.SubdomainPolicy, r.NonexistentPolicy = PolicyNone, PolicyNone, PolicyNone
				r.problem("p", "no valid policy, but reports are asked for", "p=none")
				return nil
			}
		}
		return ErrNoPolicy
	}
	r.Policy, r.SubdomainPolicy, r.NonexistentPolicy = p.value[0], p.value[1], p.value[2]
	if r.SubdomainPolicy == PolicyUnset {
		r.SubdomainPolicy = r.Policy
	}
	if r.NonexistentPolicy == PolicyUnset {
		r.NonexistentPolicy = r.SubdomainPolicy
	}
	return nil
}

// Stated reports whether the record has a tag of that name, which RFC 9989 or RFC 7489
// defines and which is given in lower case.
func (r *Record) Stated(name string) bool {
	for _, tag := range r.Tags {
		if (tag.Kind == TagKnown || tag.Kind == TagRemoved) && domain.ToLower(tag.Name) == name {
			return true
		}
	}
	return false
}

func (r *Record) problem(tag, text, assumed string) {
	r.Problems = append(r.Problems, Problem{Tag: tag, Text: text, Assumed: assumed})
}

// String returns the record as it would be published: its tags as they stand in it.
// Parsing the string gives the same record again.
func (r *Record) String() string {
	var b strings.Builder
	for i, tag := range r.Tags {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(tag.Name)
		if tag.Kind != TagBroken {
			b.WriteByte('=')
			b.WriteString(tag.Value)
		}
	}
	return b.String()
}

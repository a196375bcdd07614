package record

import (
	"math"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// maxRecord is the longest record that is read, in octets. Real ones stay under 1 KiB.
const maxRecord = 8 << 10

// Parse reads a TXT record. isDMARC is false for a text that is not a DMARC record at all
// and has to be ignored without a word (RFC 9989, section 4.10, step 2); see [IsDMARC].
//
// The error is ErrNoPolicy for a record from which no policy can be had; ErrRecordLimit,
// which is an ErrNoPolicy too, for one that is too long to be read. The Record is returned
// beside it, since its psd tag still counts. Every other fault is listed in Problems.
func Parse(txt string, s Standard) (r *Record, isDMARC bool, err error) {
	if !IsDMARC(txt) {
		return nil, false, nil
	}
	r = &Record{
		Standard:       s,
		Percent:        100,
		Interval:       86400,
		FailureOptions: []string{"0"},
	}
	if len(txt) > maxRecord {
		r.problem(ProblemRecordLimit, "v", "the record has more than 8 KiB", "no policy")
		return r, true, ErrRecordLimit
	}
	p := parser{Record: r}
	p.list(txt)
	for _, tag := range p.tags {
		if !tag.conflict {
			p.read(tag.name, tag.value)
		}
	}
	return r, true, p.settle()
}

// A parser fills in a Record.
type parser struct {
	*Record
	tags []readTag // each name once

	// What p, sp and np state.
	policy, subdomain, nonexistent Policy
	invalid                        bool // the policy that the record states is not valid
}

// A readTag is a tag that the standard knows or knew, or does not know.
type readTag struct {
	name     string // in lower case
	value    string
	conflict bool // the name is repeated with another value
}

// list takes the items of a record into Tags, and the tags among them into p.tags.
func (p *parser) list(txt string) {
	index := make(map[string]int) // of a name in p.tags
	for item, err := range tagvalue.All(txt) {
		switch err {
		case tagvalue.ErrEmpty:
		case tagvalue.ErrNoEquals:
			p.broken(ProblemNoEquals, item.Name, err)
		case tagvalue.ErrName:
			p.broken(ProblemName, item.Name+"="+item.Value, err)
		default: // a value with a control character is for read to refuse
			name := domain.ToLower(item.Name)
			p.Tags = append(p.Tags, Tag{Name: item.Name, Value: item.Value, Kind: p.Standard.kind(name)})
			if i, ok := index[name]; ok {
				p.repeated(&p.tags[i], item.Value)
				continue
			}
			index[name] = len(p.tags)
			p.tags = append(p.tags, readTag{name: name, value: item.Value})
		}
	}
}

// broken takes what is no tag into the record, for people to read.
func (p *parser) broken(kind ProblemKind, text string, err error) {
	p.Tags = append(p.Tags, Tag{Name: text, Kind: TagBroken})
	p.problem(kind, text, err.Error(), "ignored")
}

// repeated compares a tag with an earlier one of its name. RFC 6376, section 3.2, makes the
// whole list invalid; that is not done to one which has a single reading all the same.
func (p *parser) repeated(first *readTag, value string) {
	same := first.value == value
	switch first.name {
	case "p", "sp", "np", "adkim", "aspf", "psd", "t", "fo": // values without case
		same = domain.ToLower(first.value) == domain.ToLower(value)
	}
	if same {
		p.problem(ProblemRepeated, first.name, "the tag is repeated", "the first one")
		return
	}
	p.problem(ProblemConflict, first.name, "the tag is repeated with another value", "no policy stated")
	first.conflict, p.invalid = true, true
}

// kind returns what the standard makes of a tag.
func (s Standard) kind(name string) TagKind {
	switch name {
	case "v", "p", "sp", "adkim", "aspf", "rua", "ruf", "fo":
		return TagKnown
	case "np", "psd", "t":
		if s == RFC7489 {
			return TagLater
		}
		return TagKnown
	case "pct", "ri", "rf":
		if s == RFC7489 {
			return TagKnown
		}
		return TagRemoved
	}
	return TagUnknown
}

// read takes the value of one tag into the record.
func (p *parser) read(name, value string) {
	if p.Standard.kind(name) == TagLater {
		return
	}
	switch name {
	case "p":
		p.policy = p.readPolicy(name, value)
	case "sp":
		p.subdomain = p.readPolicy(name, value)
	case "np":
		p.nonexistent = p.readPolicy(name, value)
	case "adkim":
		p.DKIMAlignment = p.mode(name, value)
	case "aspf":
		p.SPFAlignment = p.mode(name, value)
	case "psd":
		var ok bool
		if p.PSD, ok = enum.Parse[PSD](psdWords, value); !ok {
			p.badValue(name, value, "y, n or u", "u")
		}
	case "t":
		p.Testing = domain.ToLower(value) == "y"
		if !p.Testing && domain.ToLower(value) != "n" {
			p.badValue(name, value, "y or n", "n")
		}
	case "rua":
		p.AggregateReports = p.uris(name, value)
	case "ruf":
		p.FailureReports = p.uris(name, value)
	case "fo":
		p.FailureOptions = p.failureOptions(name, value)
	case "pct":
		p.Percent = p.number(name, value, "a number from 0 to 100", 100, p.Percent)
	case "ri":
		p.Interval = p.number(name, value, "a number of seconds", math.MaxInt32, p.Interval)
	}
}

// readPolicy reads the value of p, sp or np.
func (p *parser) readPolicy(name, value string) Policy {
	policy, _ := enum.Parse[Policy](policyWords, value)
	if policy == PolicyUnset {
		p.invalid = true
		p.badValue(name, value, "none, quarantine or reject", "no policy stated")
	}
	return policy
}

// mode reads the value of adkim or aspf.
func (p *parser) mode(name, value string) alignment.Mode {
	switch domain.ToLower(value) {
	case "s":
		return alignment.Strict
	case "r":
	default:
		p.badValue(name, value, "r or s", "r")
	}
	return alignment.Relaxed
}

// number reads a value of at most most. standard is the default.
func (p *parser) number(name, value, what string, most uint64, standard int) int {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n > most {
		p.badValue(name, value, what, strconv.Itoa(standard))
		return standard
	}
	return int(n)
}

// uris reads the value of rua or ruf. It lists every entry, also those that are not used.
func (p *parser) uris(name, value string) []URI {
	var uris []URI
	usable := 0
	for item := range tagvalue.Items(value, ',') {
		uri := parseURI(item)
		if uri.Err == nil {
			if usable++; usable > maxURIs {
				uri.Err = ErrURILimit
			}
		}
		if uri.Err != nil {
			p.problem(ProblemURI, name, quote(item)+": "+uri.Err.Error(), "not used")
		}
		uris = append(uris, uri)
	}
	return uris
}

// failureValues are what fo may hold: RFC 9989, section 4.7.
const failureValues = "01ds"

// failureOptions reads the value of fo. RFC 9989, section 4.8, has each of its values at most
// once, and not 0 with 1; RFC 7489 did not say so. Such a list is taken as it stands.
func (p *parser) failureOptions(name, value string) []string {
	var options []string
	var seen [len(failureValues)]bool
	fault := ""
	for item := range tagvalue.Items(domain.ToLower(value), ':') {
		i := strings.Index(failureValues, item)
		if len(item) != 1 || i < 0 {
			p.badValue(name, value, "a list of 0, 1, d and s", "0")
			return []string{"0"}
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
	if fault != "" {
		p.problem(ProblemList, name, quote(value)+" is "+fault, strings.Join(options, ":"))
	}
	return options
}

// settle fills in the policies: RFC 9989, section 4.7 for the fallbacks, 4.10.1 for a policy
// that is missing or broken.
func (p *parser) settle() error {
	if !p.Stated("p") {
		p.invalid = true
		p.problem(ProblemMissing, "p", "the tag is missing", "no policy stated")
	}
	if p.invalid {
		for _, uri := range p.AggregateReports {
			if uri.Valid() {
				p.Policy, p.SubdomainPolicy, p.NonexistentPolicy = PolicyNone, PolicyNone, PolicyNone
				p.PolicyAssumed = true
				p.problem(ProblemAssumed, "p", "no valid policy, but reports are asked for", "p=none")
				return nil
			}
		}
		return ErrNoPolicy
	}
	p.Policy, p.SubdomainPolicy, p.NonexistentPolicy = p.policy, p.policy, p.policy
	if p.subdomain != PolicyUnset {
		p.SubdomainPolicy, p.NonexistentPolicy = p.subdomain, p.subdomain
	}
	if p.nonexistent != PolicyUnset {
		p.NonexistentPolicy = p.nonexistent
	}
	return nil
}

// badValue notes that a tag has a value that it cannot have.
func (p *parser) badValue(name, value, want, assumed string) {
	p.problem(ProblemValue, name, quote(value)+" is not "+want, assumed)
}

func (r *Record) problem(kind ProblemKind, tag, text, assumed string) {
	r.Problems = append(r.Problems, Problem{Kind: kind, Tag: tag, Text: text, Assumed: assumed})
}

// quote returns s in quotes and as printable ASCII.
func quote(s string) string { return strconv.QuoteToASCII(s) }

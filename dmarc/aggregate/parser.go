package aggregate

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/xmltoken"
)

// namespace is that of RFC 9990.
const namespace = "urn:ietf:params:xml:ns:dmarc-2.0"

// maxList is how many entries of one list are kept: signatures of a row, for which RFC 9990
// names the number, its reasons, and the errors of a report.
const maxList = 100

// A parser reads one document, which holds one report as a rule.
type parser struct {
	tokens *xmltoken.Reader
	root   *element
	limits Limits
	take   func(*Report, Row) error // or nil

	open    []opened
	foreign map[string]bool // prefixes of namespaces that are not DMARC's

	reports []*Report
	report  *Report // the one that is being read, or nil
	outside string  // an element that stands before it
	rows    int     // of it
	more    int     // problems of it that are not listed
	faults  [3]bool // of the tokens, told once a report each

	row    Row
	auth   Auth
	reason Reason
	leaf   []byte // the text of the element that holds text
	err    error  // of take, or a limit

	strings map[string]string // short ones that were seen, as most come often
}

// An opened element is one whose end tag has not come. What is of unknown elements is nil.
type opened struct {
	name string // without its prefix
	what *element
	got  uint16 // the required children that were there
}

// parse reads a document to its end, and returns the reports in it. The error says why it was
// not read to its end; a report that was begun then has it too.
func parse(in io.Reader, l Limits, take func(*Report, Row) error) ([]*Report, error) {
	p := &parser{tokens: xmltoken.NewReader(in), root: rootElement, limits: l, take: take, strings: make(map[string]string)}
	p.tokens.MaxText = l.Text
	p.tokens.Fault = p.fault
	for {
		t, err := p.tokens.Next()
		switch {
		case err != nil:
			return p.reports, p.end(err)
		case t.Kind == xmltoken.Start:
			p.start(t)
		default:
			p.finish(t)
		}
		if p.err != nil {
			return p.reports, p.end(p.err)
		}
	}
}

// end takes the end of the document, or what kept it from being read to there.
func (p *parser) end(err error) error {
	switch {
	case err == io.EOF:
		err = nil
		if p.report != nil {
			err = ErrTruncated
		}
	case err == xmltoken.ErrDTD:
		err = ErrDTD
	case err == xmltoken.ErrText:
		err = exceeds("Text", p.limits.Text)
	case err != p.err:
		err = dataError(err)
	}
	switch {
	case err == nil:
	case p.report != nil:
		p.report.Err = err
	case len(p.reports) > 0 && p.err == nil && isDataError(err):
		p.more = 0
		p.last().problem(Problem{Kind: ProblemTrailing, Line: p.tokens.Line(), Text: visible(err.Error())}, &p.more)
		return nil
	}
	return err
}

func (p *parser) last() *Report { return p.reports[len(p.reports)-1] }

// exceeds is the error for a limit that was reached.
func exceeds[T int | int64](name string, most T) error {
	return cause.Wrap(ErrLimit, fmt.Sprintf("%s is %d", name, most), nil)
}

// start takes a start tag.
func (p *parser) start(t xmltoken.Token) {
	what := p.find(t)
	_, name := prefixed(t.Name)
	switch {
	case what == nil && p.report == nil:
		p.outside = t.Name
		return
	case name == "schema" && !p.tokens.Keep:
		// Some leave a tag of the schema in the report, and do not end it.
		p.problem(ProblemMarkup, "a stray "+visible(t.Name))
		return
	}
	if p.tokens.Keep { // it stands where only text does
		if what == nil {
			p.stray(t)
			return
		}
		p.problem(ProblemMarkup, "no end tag")
		p.leaf = append(p.leaf, t.Text...)
		p.pop(len(p.open) - 1)
	}
	if len(p.open) >= p.limits.Depth {
		p.err = exceeds("Depth", p.limits.Depth)
		return
	}
	if what == nil {
		p.open = append(p.open, opened{name: name})
		return
	}
	if what == p.root {
		p.begin(t)
	} else {
		p.open[len(p.open)-1].got |= what.bit
	}
	p.open = append(p.open, opened{name: name, what: what})
	if what.open != nil {
		what.open(p)
	}
	if what.rfc9990 {
		p.report.RFC9990 = true
	}
	p.tokens.Keep = what.text != nil
}

// find returns what is known of the element that a tag starts, or nil for one that is to be
// skipped. Where text is expected, it may be an element that stands after that text.
func (p *parser) find(t xmltoken.Token) *element {
	prefix, name := prefixed(t.Name)
	p.bind(t.Namespaces)
	if p.foreign[prefix] {
		return nil
	}
	if p.report == nil {
		if name == "feedback" {
			return p.root
		}
		return nil
	}
	within := len(p.open) - 1
	if p.tokens.Keep {
		within--
	}
	if parent := p.open[within].what; parent != nil {
		return parent.children[name]
	}
	return nil
}

func prefixed(name string) (prefix, local string) {
	if prefix, local, ok := strings.Cut(name, ":"); ok {
		return prefix, local
	}
	return "", name
}

// bind takes the namespaces that a tag declares. A prefix of another namespace than DMARC's marks
// elements of an extension: RFC 9990, section 5. Without a prefix, an element is DMARC's whatever
// namespace is declared, as many declare a wrong one.
func (p *parser) bind(list []xmltoken.Namespace) {
	for _, n := range list {
		if n.Prefix == "" || len(p.foreign) >= p.limits.Depth {
			continue
		}
		if p.foreign == nil {
			p.foreign = make(map[string]bool)
		}
		p.foreign[n.Prefix] = n.URI != namespace && !strings.HasPrefix(n.URI, "http://dmarc.org/")
	}
}

// begin begins a report, for the tag of its root element.
func (p *parser) begin(t xmltoken.Token) {
	p.report = &Report{}
	p.reports = append(p.reports, p.report)
	p.rows, p.more, p.faults = 0, 0, [3]bool{}
	prefix, _ := prefixed(t.Name)
	p.report.RFC9990 = slices.Contains(t.Namespaces, xmltoken.Namespace{Prefix: prefix, URI: namespace})
	if p.outside != "" {
		p.problem(ProblemMarkup, "after a stray "+visible(p.outside))
		p.outside = ""
	}
}

// stray takes a tag that stands where only text does as text, which the schema allows in no
// element that holds text: a Report-ID in angle brackets, as it stands in a mail.
func (p *parser) stray(t xmltoken.Token) {
	p.problem(ProblemMarkup, visible(string(t.Raw)))
	if len(p.leaf)+len(t.Text)+len(t.Raw) > p.limits.Text {
		p.err = exceeds("Text", p.limits.Text)
		return
	}
	p.leaf = append(append(p.leaf, t.Text...), strings.ToValidUTF8(string(t.Raw), "\uFFFD")...)
}

// finish takes an end tag: it ends the innermost element of its name, and all within it. Without
// one it is ignored.
func (p *parser) finish(t xmltoken.Token) {
	if p.report == nil {
		return
	}
	_, name := prefixed(t.Name)
	i := len(p.open) - 1
	for i >= 0 && p.open[i].name != name {
		i--
	}
	if i < 0 {
		if p.tokens.Keep {
			p.stray(t)
		} else {
			p.problem(ProblemMarkup, "no start tag for "+visible(t.Name))
		}
		return
	}
	if i < len(p.open)-1 {
		p.problem(ProblemMarkup, "no end tag for "+visible(p.open[len(p.open)-1].name))
	}
	if p.tokens.Keep {
		p.leaf = append(p.leaf, t.Text...)
	}
	p.pop(i)
}

// pop ends the elements from the i-th on.
func (p *parser) pop(i int) {
	for len(p.open) > i {
		last := p.open[len(p.open)-1]
		if last.what != nil {
			p.close(last)
		}
		p.open = p.open[:len(p.open)-1]
	}
	p.tokens.Keep = false
}

// close ends a known element, which is still open.
func (p *parser) close(e opened) {
	if e.what.text != nil {
		s := p.text()
		if s == "" && e.what.bit != 0 {
			p.problem(ProblemMissing, "")
		}
		e.what.text(p, s)
	}
	if e.what.required&^e.got != 0 {
		p.missing(e)
	}
	if e.what.close != nil {
		e.what.close(p)
	}
}

// missing tells of the required elements that an element does not have.
func (p *parser) missing(e opened) {
	var names []string
	for name, child := range e.what.children {
		if child.bit&^e.got != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p.problem(ProblemMissing, name)
	}
}

func (p *parser) fault(f xmltoken.Fault) {
	if p.report == nil || p.faults[f] {
		return
	}
	p.faults[f] = true
	switch f {
	case xmltoken.FaultMarkup:
		p.problem(ProblemMarkup, `a "<" that begins no tag was read as text`)
	case xmltoken.FaultReference:
		p.problem(ProblemMarkup, `an "&" that begins no reference was read as text`)
	case xmltoken.FaultOctets:
		p.problem(ProblemOctets, "")
	}
}

// problem adds a problem of the element that is open.
func (p *parser) problem(kind ProblemKind, text string) {
	if p.report != nil {
		p.report.problem(Problem{Kind: kind, Line: p.tokens.Line(), Element: p.path(), Text: text}, &p.more)
	}
}

// path names the element that is open below the root.
func (p *parser) path() string {
	var names []string
	for _, o := range slices.Backward(p.open) {
		if o.what == p.root || o.what == nil && len(names) > 0 {
			break
		}
		names = append(names, visible(o.name))
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

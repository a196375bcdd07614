package remedy

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// AddTerm returns an SPF record with a further term before its default, or "".
func AddTerm(text, term string) string {
	r, ok, err := spf.Parse(text)
	if !ok || err != nil {
		return ""
	}
	at := len(text)
	for _, t := range r.Terms {
		if t.Kind == spf.KindAll || t.Kind.IsModifier() {
			at = t.Offset
			break
		}
	}
	return strings.TrimRight(text[:at], " ") + " " + term + strings.TrimRight(" "+text[at:], " ")
}

// SPF is for an SPF record that cannot be used.
func SPF(res *spf.Result) Fix {
	is := func(err error) bool { return errors.Is(res.Err, err) }
	if is(spf.ErrMultipleRecords) || is(spf.ErrSyntax) || is(spf.ErrRecordLimit) {
		// The record in which the fault is may be one that is included.
		at := visible.Domain(cmp.Or(res.RejectedDomain, res.Domain))
		f := Fix{Text: "Correct the SPF record of " + at + ": " + SPFFault(res) + "."}
		texts := SPFRecords(res.Rejected)
		switch {
		case len(texts) == 0:
		case is(spf.ErrMultipleRecords):
			return MergeSPF(f, at, texts)
		case is(spf.ErrSyntax):
			return SPFText(f, at, texts[0])
		default:
			f.Broken = Whole(at, texts[0])
		}
		return f
	}
	at := visible.Domain(cmp.Or(res.RecordDomain, res.Domain))
	e := evaluationAt(res.Evaluation, res.RecordDomain)
	f := Fix{Text: "Correct the SPF record of " + at + ": " + SPFFault(res) + "."}
	r, isSPF, err := spf.Parse(res.Record)
	switch {
	case !isSPF || err != nil:
	case is(spf.ErrLoop):
		return dropLoop(f, at, r, e)
	case is(spf.ErrTermLimit):
		return dropTerms(f, at, r, e)
	case is(spf.ErrNoTarget), is(spf.ErrVoidLimit):
		return dropEmpty(f, at, r, e)
	default:
		f.Broken = Whole(at, r.Text)
	}
	return f
}

// evaluationAt returns the evaluation of the record of a domain, which the initial one may
// redirect to; or nil.
func evaluationAt(e *spf.Evaluation, name string) *spf.Evaluation {
	for e != nil && e.Domain != name {
		if len(e.Steps) == 0 {
			return nil
		}
		e = e.Steps[len(e.Steps)-1].Nested // a redirect comes last
	}
	return e
}

// SPFRecords returns those of some texts that are SPF records, broken or not.
func SPFRecords(texts []string) []string {
	var list []string
	for _, text := range texts {
		if _, is, _ := spf.Parse(text); is {
			list = append(list, text)
		}
	}
	return list
}

// SPFText is for a record with a fault in its text.
func SPFText(f Fix, at, text string) Fix {
	r, meant := mend.SPF(text)
	if !meant || len(r.Faults) == 0 {
		f.Broken = Whole(at, text)
		return f
	}
	f.Broken = Show(at, r)
	if r.Mended != "" {
		f.Changes = []Change{Replace(at, r.Mended, text)}
		f.Note = "This is what was probably meant. Compare it before you publish it."
	}
	return f
}

// MergeSPF is for several SPF records at one name.
func MergeSPF(f Fix, at string, records []string) Fix {
	merged := mend.Merge(records)
	if merged == "" {
		return f
	}
	if keep := slices.Index(records, merged); keep >= 0 {
		f.Text = "Keep one SPF record of " + at + " and delete the others. Several count as none."
		f.Note = "This one stays, and allows all that they allowed: " + merged
		for i, text := range records {
			if i != keep {
				f.Changes = append(f.Changes, New(ActionDelete, at, "TXT", text))
			}
		}
		return f
	}
	f.Text = "Publish one SPF record for " + at + " in place of " + strconv.Itoa(len(records)) + ". Several count as none."
	f.Changes = []Change{Replace(at, merged, records[0])}
	for _, text := range records[1:] {
		f.Changes = append(f.Changes, New(ActionDelete, at, "TXT", text))
	}
	f.Note = "This one allows all that they allowed. Take out what no longer sends for you."
	return f
}

// NearlySPF is for a text that was meant to be an SPF record, and is none.
func NearlySPF(res *spf.Result) (Fix, bool) {
	for _, text := range res.Rejected {
		if _, meant := mend.SPF(text); meant {
			at := visible.Domain(res.RejectedDomain)
			return SPFText(Fix{Text: "Correct the SPF record of " + at + ". As it is written it does not count as one."}, at, text), true
		}
	}
	return Fix{}, false
}

// A cost is what a term of a record costs in look-ups, those that it leads to included.
type cost struct {
	term    string
	lookups int
	more    bool // the check ended within it
}

// costs returns what the terms of a record cost, as far as they were looked at.
func costs(e *spf.Evaluation) []cost {
	if e == nil {
		return nil
	}
	var list []cost
	before := 0
	for i := range e.Steps {
		s := &e.Steps[i]
		if n := s.Lookups - before; n > 0 || s.Err != nil {
			list = append(list, cost{s.Term, max(n, 1), s.Err != nil})
		}
		before = s.Lookups
	}
	return list
}

// sendersPlaceholder stands for what only the owner of a domain knows: what sends its mail.
const sendersPlaceholder = "<your servers and mail companies>"

// LeaveOut marks some terms of a record, and returns the fix with the record without them. Where
// nothing would be left that lets anybody send, a placeholder takes their place: "v=spf1 -all" would
// say that the domain sends no mail.
func LeaveOut(f Fix, at string, r *spf.Record, terms []string) Fix {
	value := "v=spf1"
	if letsSend(r, nil) && !letsSend(r, terms) {
		value += " " + sendersPlaceholder
		f.Note = join(f.Note, "Nothing is left then that may send: name what sends your mail.")
	}
	all := false
	for _, t := range r.Terms {
		if !slices.Contains(terms, t.Text) {
			value += " " + t.Text
			all = all || t.Kind == spf.KindAll
		}
	}
	if !all && strings.Contains(value, sendersPlaceholder) {
		value += " ~all"
	}
	f.Broken = Marked(at, r, terms)
	f.Changes = []Change{Replace(at, value, r.Text)}
	return f
}

// letsSend reports whether a record without some of its terms lets somebody send.
func letsSend(r *spf.Record, without []string) bool {
	return slices.ContainsFunc(r.Terms, func(t spf.Term) bool {
		lets := t.Kind == spf.KindRedirect || !t.Kind.IsModifier() && t.Qualifier == spf.StatusPass
		return lets && !slices.Contains(without, t.Text)
	})
}

// join joins sentences.
func join(sentences ...string) string {
	return strings.TrimSpace(strings.Join(sentences, " "))
}

// dropTerms is for a record that needs too many look-ups.
func dropTerms(f Fix, at string, r *spf.Record, e *spf.Evaluation) Fix {
	f.Text = "The SPF record of " + at + " needs more than ten look-ups in DNS. Take out the companies that no longer send for you."
	f.Broken = Whole(at, r.Text)
	terms := costs(e)
	if len(terms) == 0 {
		return f
	}
	var parts []string
	for _, c := range terms {
		n := strconv.Itoa(c.lookups)
		if c.more {
			n = "at least " + n
		}
		parts = append(parts, c.term+" "+n)
	}
	drop, why := dropFirst(terms)
	f = LeaveOut(f, at, r, []string{drop.term})
	f.Broken.Faults = []string{"Ten look-ups are allowed. Its parts need: " + strings.Join(parts, ", ") + "."}
	f.Note = join("Here "+drop.term+" is left out, "+why+". It can move to a name below "+at+" and send from there.", f.Note)
	return f
}

// dropFirst returns the term to leave out of a record that needs too many look-ups: the cheapest
// include without which ten are enough, if it is known what all cost, else the dearest term.
func dropFirst(terms []cost) (drop cost, why string) {
	const most = 10
	total, known := 0, true
	for _, c := range terms {
		total += c.lookups
		known = known && !c.more
	}
	drop = terms[0]
	cheapest := cost{lookups: total + 1}
	for _, c := range terms {
		if c.lookups > drop.lookups {
			drop = c
		}
		isInclude := strings.Contains(domain.ToLower(c.term), "include:")
		if isInclude && total-c.lookups <= most && c.lookups < cheapest.lookups {
			cheapest = c
		}
	}
	if known && cheapest.term != "" {
		return cheapest, "the cheapest include that is enough"
	}
	return drop, "which costs most"
}

// dropLoop is for a record that leads back to itself, by way of others or not.
func dropLoop(f Fix, at string, r *spf.Record, e *spf.Evaluation) Fix {
	if name, record, term := loopBelow(at, e); record != nil {
		f.Text = "Take " + term + " out of the SPF record of " + name + ". It leads back to a record that includes it: a loop."
		return LeaveOut(f, name, record, []string{term})
	}
	term := ""
	for _, t := range r.Terms {
		if (t.Kind == spf.KindInclude || t.Kind == spf.KindRedirect) && domain.ToLower(t.Domain()) == at {
			term = t.Text
		}
	}
	if term == "" && e != nil && len(e.Steps) > 0 {
		term = e.Steps[len(e.Steps)-1].Term // the check ended within the one that leads there
	}
	if term == "" {
		f.Broken = Whole(at, r.Text)
		return f
	}
	f.Text = "Take " + term + " out of the SPF record of " + at + ". It leads back to the record itself: a loop."
	return LeaveOut(f, at, r, []string{term})
}

// loopBelow returns the record of the same owner, below that of a domain, that has the term which leads
// back, if something else in it lets somebody send. It is the place to correct, since the include of
// it has a use.
func loopBelow(at string, e *spf.Evaluation) (name string, r *spf.Record, term string) {
	owner := alignment.PublicSuffix{}.Of(at).Organizational
	for e != nil && len(e.Steps) > 0 {
		last := &e.Steps[len(e.Steps)-1]
		if last.Nested != nil && len(last.Nested.Steps) > 0 {
			e = last.Nested
			continue
		}
		if !errors.Is(last.Err, spf.ErrLoop) || e.Domain == at || owner == "" || !domain.Within(e.Domain, owner) {
			break
		}
		r, ok, err := spf.Parse(e.Record)
		if ok && err == nil && letsSend(r, []string{last.Term}) {
			return visible.Domain(e.Domain), r, last.Term
		}
		break
	}
	return "", nil, ""
}

// dropEmpty is for terms that lead nowhere.
func dropEmpty(f Fix, at string, r *spf.Record, e *spf.Evaluation) Fix {
	var terms []string
	if e != nil {
		voids := 0
		for i := range e.Steps {
			s := &e.Steps[i]
			if s.VoidLookups > voids || errors.Is(s.Err, spf.ErrNoTarget) || errors.Is(s.Err, spf.ErrVoidLimit) {
				terms = append(terms, s.Term)
			}
			voids = s.VoidLookups
		}
	}
	if len(terms) == 0 {
		f.Broken = Whole(at, r.Text)
		return f
	}
	f = LeaveOut(f, at, r, terms)
	f.Note = join("Left out here, since DNS has nothing there: "+List(terms)+".", f.Note)
	return f
}

// Marked shows a record with some of its terms marked.
func Marked(at string, r *spf.Record, terms []string) *Broken {
	b := &Broken{Name: at, Type: "TXT"}
	pos := 0
	for _, t := range r.Terms {
		if slices.Contains(terms, t.Text) {
			end := t.Offset + len(t.Text)
			b.Parts = append(b.Parts, Part{Text: r.Text[pos:t.Offset]}, Part{Text: t.Text, Wrong: true})
			pos = end
		}
	}
	if pos < len(r.Text) {
		b.Parts = append(b.Parts, Part{Text: r.Text[pos:]})
	}
	return b
}

// How wide a network may be that one sender has.
const (
	widest4 = 8
	widest6 = 16
)

// Everybody reports whether a term lets everybody pass, or nearly so.
func Everybody(t *spf.Term) bool {
	wide := false
	switch t.Kind {
	case spf.KindAll:
		wide = true
	case spf.KindA, spf.KindMX, spf.KindIP4, spf.KindIP6:
		wide = t.Bits4 < widest4 || t.Bits6 < widest6
	}
	return wide && t.Qualifier == spf.StatusPass
}

// CloseSPF is for an SPF record that lets everybody pass. Open is false if it does not.
func CloseSPF(at, text string) (f Fix, open bool) {
	r, ok, err := spf.Parse(text)
	if !ok || err != nil {
		return Fix{}, false
	}
	value, terms := "", []string(nil)
	for i := range r.Terms {
		t := &r.Terms[i]
		if !Everybody(t) {
			value += " " + t.Text
			continue
		}
		if t.Kind == spf.KindAll {
			value += " ~all"
		}
		terms = append(terms, t.Text)
	}
	if len(terms) == 0 {
		return Fix{}, false
	}
	if !letsSend(r, terms) {
		value = " " + sendersPlaceholder + value
	}
	return Fix{
		Text:    "Close the SPF record of " + at + ". It lets everybody send mail in your name: " + List(terms) + ".",
		Note:    "Name your own servers and mail companies in it, and nobody else.",
		Broken:  Marked(at, r, terms),
		Changes: []Change{Replace(at, "v=spf1"+value, text)},
	}, true
}

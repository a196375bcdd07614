package inspect

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/layout"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// TextOptions say how Text writes.
type TextOptions struct {
	// Width is the number of columns. Default 80; fewer than 40 are taken as 40. Only the
	// values of records may be wider: they stay in one piece, so that they can be copied.
	Width int

	// Color asks for ANSI escape sequences. Default false: for a terminal only.
	Color bool

	// Lookups asks for the tree of the SPF record with the cost of every include.
	Lookups bool
}

// Text writes a report as text for a terminal or a log: what is wrong first, with the records to
// publish, then what the domain publishes. All text of strangers is escaped. The error is that of
// w.
func (r *Report) Text(w io.Writer, o TextOptions) error {
	if o.Width == 0 {
		o.Width = 80
	}
	p := &printer{layout.Printer{Width: max(o.Width, 40), Color: o.Color}}
	p.headline(r)
	for i := range r.Findings {
		p.finding(&r.Findings[i])
	}
	if r.DMARC != nil {
		p.facts(r)
	}
	p.setup(r)
	p.bulk(r.Bulk)
	if o.Lookups && r.SPF != nil && r.SPF.Tree != nil {
		p.tree(r)
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// A printer lays out a report.
type printer struct{ layout.Printer }

// color returns the colour of a severity.
func (s Severity) color() string {
	switch s {
	case SeverityError:
		return layout.Red
	case SeverityWarning:
		return layout.Yellow
	case "":
		return layout.Green
	}
	return ""
}

func (p *printer) headline(r *Report) {
	p.Paragraph(0, layout.Bold+r.Worst().color(), visible.BothForms(r.Domain)+": "+r.counts())
	p.Raw("\n")
}

// finding writes what is wrong, and what to publish.
func (p *printer) finding(f *Finding) {
	p.Paragraph(0, layout.Bold+f.Severity.color(), strings.ToUpper(f.Severity.String())+" "+f.ID)
	p.Paragraph(2, "", f.Message)
	p.Paragraph(2, layout.Dim, f.Evidence)
	if f.Fix != nil {
		p.Fix("-", f.Fix)
	}
	p.Raw("\n")
}

// labels is how wide the column of labels is.
const labels = 9

func (p *printer) row(label, text string) {
	if text != "" {
		p.Row(2, labels, label, text)
	}
}

// facts writes what the domain publishes.
func (p *printer) facts(r *Report) {
	p.Paragraph(0, layout.Bold, "What "+r.Domain+" publishes")
	for _, f := range r.facts() {
		p.row(f.Label, f.Text)
	}
	p.Raw("\n")
}

// A fact is a line of what a domain publishes. Those without a label belong to the line above.
type fact struct{ Label, Text string }

// facts are what the domain publishes.
func (r *Report) facts() []fact {
	var list []fact
	add := func(label, text string) {
		if text != "" {
			list = append(list, fact{label, visible.Value(text)})
		}
	}
	if s := r.SPF; s != nil {
		add("SPF", or(s.Record, "none"))
		if s.Record != "" {
			add("", s.cost())
			add("", s.who())
		}
		if s.Record != "" && s.Status != "valid" {
			add("", s.Status+": "+s.Reason)
		}
	}
	list = append(list, r.DMARC.facts()...)
	for i, k := range r.DKIM {
		add(unless(i > 0, "DKIM"), k.String())
	}
	if len(r.DKIM) == 0 {
		add("DKIM", "no key found at the selectors that were tried")
	}
	return append(list, r.Mail.facts()...)
}

// unless returns text, or "" if a condition holds.
func unless(condition bool, text string) string {
	if condition {
		return ""
	}
	return text
}

// cost says what the record costs.
func (s *SPF) cost() string {
	text := strconv.Itoa(s.Lookups) + " of 10 look-ups"
	if s.VoidLookups > 0 {
		text += ", " + strconv.Itoa(s.VoidLookups) + " of 2 that find nothing"
	}
	if s.Tree != nil && s.Tree.unknownCost() {
		text += ", and those of names with macros, which depend on the message"
	}
	return text
}

// unknownCost reports whether an include or redirect has a macro in its name.
func (r *SPFRecord) unknownCost() bool {
	return slices.ContainsFunc(r.Terms, func(t SPFTerm) bool {
		leads := strings.Contains(t.Text, "include:") || strings.Contains(t.Text, "redirect=")
		return leads && t.Include == nil && strings.Contains(t.Text, "%") || t.Include != nil && t.Include.unknownCost()
	})
}

// who says how many may send.
func (s *SPF) who() string {
	var list []string
	if s.IPv4Addresses > 0 {
		list = append(list, thousands(s.IPv4Addresses)+" IPv4 "+either(s.IPv4Addresses == 1, "address", "addresses"))
	}
	if s.IPv6Networks > 0 {
		list = append(list, thousands(s.IPv6Networks)+" IPv6 "+either(s.IPv6Networks == 1, "network", "networks")+" (/64)")
	}
	text := or(remedy.List(list), "nobody") + " may send"
	if len(s.Unknown) > 0 {
		text += "; and whom " + remedy.List(s.Unknown) + " let pass, which only a message tells"
	}
	return text
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// thousands writes a number with commas between its thousands.
func thousands(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func (d *DMARC) facts() []fact {
	list := []fact{{"DMARC", visible.Value(or(d.Record, "none"))}}
	add := func(label, text string) { list = append(list, fact{label, visible.Value(text)}) }
	if d.FoundAt != "" {
		add("", d.sentence())
	}
	if d.Differ {
		add("", "by the public suffix list (RFC 7489): "+d.BySuffixList.short())
	}
	switch n := d.Nonexistent; {
	case n == nil || n.Applies == "":
	case d.Wildcard:
		add("", "every name below it exists (a wildcard): mail from there gets "+n.Effect+", by "+n.Applies+"="+n.Policy)
	default:
		add("", "mail from a name below it that does not exist gets "+n.Effect+", by "+n.Applies+"="+n.Policy)
	}
	for i, dest := range d.Destinations {
		add(unless(i > 0, "reports"), dest.Tag+" "+dest.Address+": "+destinationWords[dest.Status])
	}
	return list
}

var destinationWords = map[string]string{
	destinationOK:           "takes them",
	destinationMalformed:    "cannot be used",
	destinationUnauthorized: "has not agreed to take them",
	destinationNoMX:         "takes no mail",
	destinationUnknown:      "could not be asked",
}

// sentence says which policy applies, where from.
func (a *Applied) sentence() string {
	if a.Applies == "" {
		return "at _dmarc." + a.FoundAt + ": it states no policy that can be followed"
	}
	text := "at _dmarc." + a.FoundAt + ", " + a.Applies + "=" + a.Policy + ": mail that fails gets " + a.Effect
	if a.Organizational != "" && a.Organizational != a.Name {
		text += "; Organizational Domain " + a.Organizational
	}
	return text
}

// String says what a key is, in a line that is safe to print.
func (k Key) String() string {
	text := k.Selector + ": "
	switch {
	case k.Problem != "":
		text += k.Problem
	case k.KeyType == "rsa":
		text += "RSA, " + plural(k.KeyBits, "bit", "bits")
	default:
		text += k.KeyType
	}
	if k.Alias != "" {
		text += ", alias of " + k.Alias
	}
	return visible.Line(text)
}

func (m *Mail) facts() []fact {
	var list []fact
	for i, mx := range m.MX {
		list = append(list, fact{unless(i > 0, "MX"), mx.String()})
	}
	switch {
	case m.NullMX:
		list = append(list, fact{unless(len(m.MX) > 0, "MX"), "null: it takes no mail"})
	case len(m.MX) == 0:
		list = append(list, fact{"MX", "none"})
	}
	for _, f := range []fact{{"MTA-STS", m.MTASTS}, {"TLS-RPT", m.TLSRPT}, {"BIMI", m.BIMI}} {
		if f.Text != "" {
			list = append(list, fact{f.Label, visible.Value(f.Text)})
		}
	}
	return list
}

// setup writes how far the domain is set up with the companies that send for it.
func (p *printer) setup(r *Report) {
	for _, s := range r.Setup {
		p.Paragraph(0, layout.Bold, s.Name+" ("+strings.Join(s.Signs, ", ")+")")
		for i := range s.Steps {
			step := &s.Steps[i]
			if step.State == stepDone {
				p.Paragraph(2, layout.Green, "done: "+step.Fix.Text)
				continue
			}
			p.Paragraph(2, layout.Yellow, stepWords[step.State])
			p.Fix("-", &step.Fix)
		}
		p.Raw("\n")
	}
}

var stepWords = map[string]string{
	stepMissing: "missing:",
	stepUnknown: "cannot be seen in DNS; compare:",
}

// The marks and words of statuses.
var (
	bulkWords  = map[BulkStatus]string{BulkMet: "met", BulkNotMet: "NOT MET", BulkUnknown: "cannot be seen"}
	bulkColors = map[BulkStatus]string{BulkMet: layout.Green, BulkNotMet: layout.Red, BulkUnknown: layout.Dim}
)

// receiverName returns the name of a receiver for people.
func receiverName(id string) string {
	for _, r := range receivers() {
		if r.Receiver == id {
			return r.Name
		}
	}
	return id
}

// bulkTitle says whom a rule is for.
func bulkTitle(b *BulkResult) string {
	title := receiverName(b.Receiver)
	if b.For != "bulk" {
		return title + ", for everybody who sends"
	}
	for _, r := range receivers() {
		if r.Receiver == b.Receiver {
			return title + ", " + r.Bulk
		}
	}
	return title
}

// bulk writes what large receivers ask of a message.
func (p *printer) bulk(list []BulkResult) {
	if len(list) == 0 {
		return
	}
	p.Paragraph(0, layout.Bold, "What large receivers ask of the message")
	title := ""
	for i := range list {
		b := &list[i]
		if t := bulkTitle(b); t != title {
			title = t
			p.Paragraph(2, "", t)
		}
		p.status(b.Status, b.Message+" ("+b.Rule+")")
	}
	p.Raw("\n")
}

// status writes a status and a text beside it.
func (p *printer) status(s BulkStatus, text string) {
	const column = len("cannot be seen  ")
	word := bulkWords[s]
	for n, line := range layout.Wrap(visible.Line(text), p.Width-4-column) {
		if n > 0 {
			word = ""
		}
		p.Raw("    " + p.Paint(bulkColors[s], word) + strings.Repeat(" ", column-len(word)) + line + "\n")
	}
}

// tree writes the SPF record with what every term costs.
func (p *printer) tree(r *Report) {
	p.Paragraph(0, layout.Bold, "The look-ups of the SPF record: "+r.SPF.cost())
	p.record(r.SPF.Tree, 2)
	for _, o := range r.SPF.Overlaps {
		p.Paragraph(2, layout.Dim, o.Network.String()+" is in "+o.Terms[0]+" and in "+o.Terms[1])
	}
	p.Raw("\n")
}

// maxIndent is how deep includes are indented, in columns.
const maxIndent = 24

func (p *printer) record(r *SPFRecord, indent int) {
	if r.Problem != "" {
		p.Paragraph(indent, layout.Red, r.Problem)
	}
	for i := range r.Terms {
		t := &r.Terms[i]
		text := visible.Line(t.Text)
		right := t.right()
		gap := max(p.Width-indent-layout.Columns(text)-layout.Columns(right), 2)
		p.Raw(strings.Repeat(" ", indent) + text)
		if right != "" {
			p.Raw(strings.Repeat(" ", gap) + p.Paint(layout.Dim, right))
		}
		p.Raw("\n")
		if t.Problem != "" && (t.Include == nil || t.Include.Problem == "") {
			p.Paragraph(min(indent+2, maxIndent), layout.Red, t.Problem)
		}
		if t.Without != nil && t.Lookups > 0 {
			left := plural(t.Without.Lookups, "look-up", "look-ups") + ", " + thousands(t.Without.IPv4Addresses) + " IPv4 addresses"
			p.Paragraph(min(indent+2, maxIndent), layout.Dim, "without it: "+left)
		}
		if t.Include != nil {
			p.record(t.Include, min(indent+2, maxIndent))
		}
	}
}

// right is what stands behind a term: whom it lets pass, and what it costs.
func (t *SPFTerm) right() string {
	var list []string
	if t.IPv4Addresses > 0 {
		list = append(list, thousands(t.IPv4Addresses)+" IPv4")
	}
	if t.IPv6Networks > 0 {
		list = append(list, thousands(t.IPv6Networks)+" IPv6 /64")
	}
	if t.Lookups > 0 {
		list = append(list, plural(t.Lookups, "look-up", "look-ups"))
	}
	if t.Voids > 0 {
		list = append(list, strconv.Itoa(t.Voids)+" in vain")
	}
	return strings.Join(list, ", ")
}

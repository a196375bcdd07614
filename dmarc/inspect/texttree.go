package inspect

import (
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/figure"
	"github.com/mailverdict/mailverdict/internal/layout"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// This file writes SPF records as trees.

// tree writes the SPF record with what every term costs.
func (p *printer) tree(r *Report) {
	p.Paragraph(0, layout.Bold, "The look-ups of the SPF record: "+costOf(r.SPF))
	p.Paragraph(2, "", r.SPF.Tree.Domain)
	p.record(r.SPF.Tree, 4)
	for _, o := range r.SPF.Overlaps {
		p.Paragraph(2, layout.Dim, o.Network.String()+" is in "+o.Terms[0]+" and in "+o.Terms[1])
	}
	p.Raw("\n")
}

// maxShownTerms is how many terms of a tree are laid out.
const maxShownTerms = 400

// tooManyTerms stands in place of the rest.
const tooManyTerms = "and more terms than can be shown"

// maxIndent is how deep includes are indented, in columns.
const maxIndent = 24

func (p *printer) record(r *published.SPFRecord, indent int) {
	if r.Problem != "" {
		p.Paragraph(indent, layout.Red, r.Problem)
	}
	for i := range r.Terms {
		if p.terms++; p.terms > maxShownTerms {
			if p.terms == maxShownTerms+1 {
				p.Paragraph(indent, layout.Dim, tooManyTerms)
			}
			return
		}
		p.term(&r.Terms[i], indent)
	}
}

// term writes a term and the record that it includes.
func (p *printer) term(t *published.SPFTerm, indent int) {
	below := min(indent+2, maxIndent)
	text, cost := visible.Line(t.Text), termCost(t)
	p.Raw(strings.Repeat(" ", indent) + text)
	if cost != "" {
		gap := max(p.Width-indent-layout.Columns(text)-layout.Columns(cost), 2)
		p.Raw(strings.Repeat(" ", gap) + p.Paint(layout.Dim, cost))
	}
	p.Raw("\n")
	if t.Problem != "" && (t.Include == nil || t.Include.Problem == "") {
		p.Paragraph(below, layout.Red, t.Problem)
	}
	if t.Without != nil && t.Lookups > 0 {
		addresses := figure.Of(t.Without.IPv4Addresses) + " IPv4 " + either(t.Without.IPv4Addresses == 1, "address", "addresses")
		left := remedy.Plural(t.Without.Lookups, "look-up", "look-ups") + ", " + addresses
		p.Paragraph(below, layout.Dim, "without it: "+left)
	}
	if t.Include != nil {
		p.record(t.Include, below)
	}
}

// termCost is what stands behind a term: whom it lets pass, and what it costs.
func termCost(t *published.SPFTerm) string {
	var list []string
	if t.IPv4Addresses > 0 {
		list = append(list, figure.Of(t.IPv4Addresses)+" IPv4")
	}
	if t.IPv6Networks > 0 {
		list = append(list, figure.Of(t.IPv6Networks)+" IPv6 /64")
	}
	if t.Lookups > 0 {
		list = append(list, remedy.Plural(t.Lookups, "look-up", "look-ups"))
	}
	if t.Voids > 0 {
		list = append(list, strconv.Itoa(t.Voids)+" in vain")
	}
	return strings.Join(list, ", ")
}

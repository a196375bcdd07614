package inspect

import (
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
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

// maxIndent is how deep includes are indented, in columns.
const maxIndent = 24

func (p *printer) record(r *published.SPFRecord, indent int) {
	if r.Problem != "" {
		p.Paragraph(indent, layout.Red, r.Problem)
	}
	for i := range r.Terms {
		t := &r.Terms[i]
		text := visible.Line(t.Text)
		right := right(t)
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
			addresses := thousands(t.Without.IPv4Addresses) + " IPv4 " + either(t.Without.IPv4Addresses == 1, "address", "addresses")
			left := remedy.Plural(t.Without.Lookups, "look-up", "look-ups") + ", " + addresses
			p.Paragraph(min(indent+2, maxIndent), layout.Dim, "without it: "+left)
		}
		if t.Include != nil {
			p.record(t.Include, min(indent+2, maxIndent))
		}
	}
}

// right is what stands behind a term: whom it lets pass, and what it costs.
func right(t *published.SPFTerm) string {
	var list []string
	if t.IPv4Addresses > 0 {
		list = append(list, thousands(t.IPv4Addresses)+" IPv4")
	}
	if t.IPv6Networks > 0 {
		list = append(list, thousands(t.IPv6Networks)+" IPv6 /64")
	}
	if t.Lookups > 0 {
		list = append(list, remedy.Plural(t.Lookups, "look-up", "look-ups"))
	}
	if t.Voids > 0 {
		list = append(list, strconv.Itoa(t.Voids)+" in vain")
	}
	return strings.Join(list, ", ")
}

package inspect

import (
	"strings"

	"github.com/mailverdict/mailverdict/internal/layout"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// This file writes what large receivers ask of a message.

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

package layout

import (
	_ "embed"
	"html/template"
	"strings"

	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// Fix writes one thing to do, indented behind its mark.
func (p *Printer) Fix(mark string, f *remedy.Fix) {
	const indent = 5
	for n, line := range Wrap(visible.Line(f.Text), p.Width-indent) {
		if n > 0 {
			mark = ""
		}
		p.text.WriteString("  " + mark + strings.Repeat(" ", max(indent-2-len(mark), 1)) + line + "\n")
	}
	if f.Broken != nil {
		p.broken(indent, f.Broken)
	}
	for i := range f.Changes {
		p.change(indent, &f.Changes[i])
	}
	p.Paragraph(indent, "", f.Note)
}

// change writes a record to add, replace or delete.
func (p *Printer) change(indent int, c *remedy.Change) {
	column := len("replace")
	if c.Type == "MX" {
		column = len("priority")
	}
	p.Row(indent, column, c.Action.String(), visible.Line(c.Type)+" "+visible.Line(c.Name))
	p.Row(indent, column, "host", c.Host)
	if priority, target, found := exchanger(c); found {
		p.Row(indent, column, "priority", visible.Line(priority))
		p.value(indent, column, "target", target)
		return
	}
	p.value(indent, column, "value", c.Value)
}

// exchanger parts the value of an MX record, for which DNS panels have two fields.
func exchanger(c *remedy.Change) (priority, target string, found bool) {
	priority, target, found = strings.Cut(c.Value, " ")
	return priority, target, found && c.Type == "MX"
}

// value writes a value in one piece, on a line of its own where it is too long for the column.
func (p *Printer) value(indent, column int, label, value string) {
	value = visible.Value(value)
	p.text.WriteString(strings.Repeat(" ", indent) + p.Paint(Dim, label))
	if indent+column+2+Columns(value) > p.Width {
		p.text.WriteString("\n" + value + "\n")
		return
	}
	p.text.WriteString(strings.Repeat(" ", column-len(label)+2) + value + "\n")
}

// broken writes a record with its wrong parts marked below it.
func (p *Printer) broken(indent int, b *remedy.Broken) {
	room := p.Width - indent - 2
	p.Paragraph(indent, Dim, "now, at "+b.Name+":")
	var text, marks strings.Builder // of the line under way
	used := 0
	flush := func() {
		p.text.WriteString(strings.Repeat(" ", indent+2) + strings.TrimRight(text.String(), " ") + "\n")
		if line := strings.TrimRight(marks.String(), " "); line != "" {
			p.text.WriteString(strings.Repeat(" ", indent+2) + p.Paint(Red, line) + "\n")
		}
		text.Reset()
		marks.Reset()
		used = 0
	}
	missing := false
	put := func(r rune, wrong bool) {
		mark := " "
		if wrong {
			mark = "^"
		}
		text.WriteRune(r)
		marks.WriteString(strings.Repeat(mark, runeColumns(r)))
		used += runeColumns(r)
	}
	for _, part := range b.Parts {
		shown := visible.Value(part.Text)
		missing = missing || part.Wrong && shown == ""
		for i, r := range shown {
			// A new line begins before a word that the line has no room for, if there
			// is room for it on a line.
			word, _, _ := strings.Cut(shown[i:], " ")
			begins := i == 0 || shown[i-1] == ' '
			if used > 0 && (used+runeColumns(r) > room || begins && used+Columns(word) > room) {
				flush()
			}
			put(r, part.Wrong || missing)
			missing = false
		}
	}
	if missing {
		marks.WriteString("^")
	}
	flush()
	for _, fault := range b.Faults {
		p.Paragraph(indent, "", fault)
	}
}

//go:embed fix.html
var fixHTML string

// Templates returns the template "fix", which lays out one remedy.Fix as a list item, and the
// functions that it needs. Its texts have to be escaped by remedy.Fix.Escape before.
func Templates(name string) (*template.Template, error) {
	return template.New(name).Funcs(template.FuncMap{"marked": markedValue, "priority": priorityOf}).Parse(fixHTML)
}

// priorityOf returns the priority of an MX record, or "".
func priorityOf(c remedy.Change) string {
	priority, _, found := exchanger(&c)
	if !found {
		return ""
	}
	return priority
}

// markedValue returns the value of a change in parts, with its placeholders marked; of an MX record, its
// target.
func markedValue(c remedy.Change) []remedy.Part {
	var parts []remedy.Part
	text := c.Value
	if _, target, found := exchanger(&c); found {
		text = target
	}
	for {
		begin, mark := -1, ""
		for _, m := range c.Placeholders {
			if i := strings.Index(text, m); m != "" && i >= 0 && (begin < 0 || i < begin) {
				begin, mark = i, m
			}
		}
		if begin < 0 {
			return append(parts, remedy.Part{Text: text})
		}
		parts = append(parts, remedy.Part{Text: text[:begin]}, remedy.Part{Text: mark, Wrong: true})
		text = text[begin+len(mark):]
	}
}

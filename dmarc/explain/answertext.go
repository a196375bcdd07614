package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/visible"
)

// answer writes the answer.
func (p *printer) answer(a *Answer) {
	p.paragraph(0, bold+a.Tone.color(), a.Verdict)
	text := strings.Join(a.Sentences, " ")
	if a.Asked != "" {
		text += " " + a.Asked
	}
	p.paragraph(2, "", text)
	p.text.WriteByte('\n')
	p.fixes("What to do", a.Unless, a.Fixes, true)
	p.fixes("What else is wrong", "", a.Advice, false)
}

// fixes writes things to do, numbered where they are ways to the same end.
func (p *printer) fixes(title, unless string, list []Fix, numbered bool) {
	if len(list) == 0 {
		return
	}
	if numbered && len(list) > 1 {
		title += " (one of these is enough, the first is best)"
	}
	p.paragraph(0, bold, title)
	p.paragraph(2, "", unless)
	for i := range list {
		mark := "-"
		if numbered {
			mark = strconv.Itoa(i+1) + "."
		}
		p.fix(mark, &list[i])
	}
	p.text.WriteByte('\n')
}

// fix writes one thing to do, indented behind its mark.
func (p *printer) fix(mark string, f *Fix) {
	const indent = 5
	for n, line := range wrap(visible.Line(f.Text), p.width-indent) {
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
	p.paragraph(indent, "", f.Note)
}

// change writes a record to add, replace or delete.
func (p *printer) change(indent int, c *Change) {
	const column = 7
	p.row(indent, column, Fact{c.Action.String(), visible.Line(c.Type) + " " + visible.Line(c.Name)})
	p.row(indent, column, Fact{"host", c.Host})
	label := "value"
	if c.Type == "MX" {
		label = "target"
	}
	p.value(indent, column, label, c.Value)
}

// value writes a value in one piece, on a line of its own where it is too long for the column.
func (p *printer) value(indent, column int, label, value string) {
	value = visible.Value(value)
	p.text.WriteString(strings.Repeat(" ", indent) + p.paint(dim, label))
	if indent+column+2+columns(value) > p.width {
		p.text.WriteString("\n" + value + "\n")
		return
	}
	p.text.WriteString(strings.Repeat(" ", column-len(label)+2) + value + "\n")
}

// broken writes a record with its wrong parts marked below it.
func (p *printer) broken(indent int, b *Broken) {
	room := p.width - indent - 2
	p.paragraph(indent, dim, "now, at "+b.Name+":")
	var text, marks strings.Builder // of the line under way
	used := 0
	flush := func() {
		p.text.WriteString(strings.Repeat(" ", indent+2) + strings.TrimRight(text.String(), " ") + "\n")
		if line := strings.TrimRight(marks.String(), " "); line != "" {
			p.text.WriteString(strings.Repeat(" ", indent+2) + p.paint(ToneBad.color(), line) + "\n")
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
			if used > 0 && (used+runeColumns(r) > room || begins && used+columns(word) > room) {
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
		p.paragraph(indent, "", fault)
	}
}

// reasons writes what each check found.
func (p *printer) reasons(list []string) {
	if len(list) == 0 {
		return
	}
	p.paragraph(0, bold, "Why")
	for _, text := range list {
		for n, line := range wrap(visible.Line(text), p.width-4) {
			mark := "  - "
			if n > 0 {
				mark = "    "
			}
			p.text.WriteString(mark + line + "\n")
		}
	}
	p.text.WriteByte('\n')
}

// markedValue returns the value of a change in parts, with its placeholders marked.
func markedValue(c Change) []Part {
	var parts []Part
	text := c.Value
	for {
		begin, mark := -1, ""
		for _, m := range c.Placeholders {
			if i := strings.Index(text, m); m != "" && i >= 0 && (begin < 0 || i < begin) {
				begin, mark = i, m
			}
		}
		if begin < 0 {
			return append(parts, Part{Text: text})
		}
		parts = append(parts, Part{Text: text[:begin]}, Part{Text: mark, Wrong: true})
		text = text[begin+len(mark):]
	}
}

// clone returns an answer that shares nothing with a.
func (a *Answer) clone() Answer {
	c := *a
	c.Sentences = slices.Clone(a.Sentences)
	c.Fixes, c.Advice = cloneFixes(a.Fixes), cloneFixes(a.Advice)
	return c
}

func cloneFixes(list []Fix) []Fix {
	list = slices.Clone(list)
	for i := range list {
		f := &list[i]
		f.Changes = slices.Clone(f.Changes)
		for n := range f.Changes {
			f.Changes[n].Placeholders = slices.Clone(f.Changes[n].Placeholders)
		}
		if f.Broken != nil {
			b := *f.Broken
			b.Parts, b.Faults = slices.Clone(b.Parts), slices.Clone(b.Faults)
			f.Broken = &b
		}
	}
	return list
}

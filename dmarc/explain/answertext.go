package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/layout"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// answer writes the answer.
func (p *printer) answer(a *Answer) {
	p.Paragraph(0, layout.Bold+a.Tone.color(), a.Verdict)
	text := strings.Join(a.Sentences, " ")
	if a.Asked != "" {
		text += " " + a.Asked
	}
	p.Paragraph(2, "", text)
	p.Raw("\n")
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
	p.Paragraph(0, layout.Bold, title)
	p.Paragraph(2, "", unless)
	for i := range list {
		mark := "-"
		if numbered {
			mark = strconv.Itoa(i+1) + "."
		}
		p.Fix(mark, &list[i])
	}
	p.Raw("\n")
}

// reasons writes what each check found.
func (p *printer) reasons(list []string) {
	if len(list) == 0 {
		return
	}
	p.Paragraph(0, layout.Bold, "Why")
	for _, text := range list {
		for n, line := range layout.Wrap(visible.Line(text), p.Width-4) {
			mark := "  - "
			if n > 0 {
				mark = "    "
			}
			p.Raw(mark + line + "\n")
		}
	}
	p.Raw("\n")
}

// clone returns an answer that shares nothing with a.
func (a *Answer) clone() Answer {
	c := *a
	c.Sentences = slices.Clone(a.Sentences)
	c.Fixes, c.Advice = remedy.Clone(a.Fixes), remedy.Clone(a.Advice)
	return c
}

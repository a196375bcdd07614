package remedy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// KeepOne is for several DMARC records at one name.
func KeepOne(q *discovery.Query) Fix {
	name := visible.Domain(q.Domain)
	f := Fix{Text: "Keep one DMARC record for " + name + " and delete the others. Several count as none."}
	mildest, policy := -1, record.Policy(0)
	var texts []string
	for _, d := range q.Discarded {
		if d.Reason != discovery.Several {
			continue
		}
		texts = append(texts, d.Text)
		if r, ok, err := record.Parse(d.Text, record.RFC9989); ok && err == nil && (mildest < 0 || r.Policy < policy) {
			mildest, policy = len(texts)-1, r.Policy
		}
	}
	for i, text := range texts {
		if i != mildest {
			f.Changes = append(f.Changes, New(ActionDelete, "_dmarc."+name, "TXT", text))
		}
	}
	if mildest >= 0 {
		f.Note = "Here the mildest of them stays."
	}
	return f
}

// DMARC is for a DMARC record that says nothing, or not what was meant.
func DMARC(at, text string) Fix {
	name := "_dmarc." + visible.Domain(at)
	f := Fix{Text: "Correct the DMARC record of " + visible.Domain(at) + "."}
	r, meant := mend.DMARC(text)
	if !meant {
		f.Broken = Whole(name, text)
		return f
	}
	f.Broken = Show(name, r)
	if r.Mended != "" {
		f.Changes = []Change{Replace(name, r.Mended, text)}
		f.Note = "This is what was probably meant. Compare it before you publish it."
	}
	return f
}

// WithoutTags returns a DMARC record without some of its tags.
func WithoutTags(r *record.Record, names ...string) string {
	var list []string
	for _, tag := range r.Tags {
		if tag.Kind != record.TagBroken && !slices.Contains(names, domain.ToLower(tag.Name)) {
			list = append(list, tag.Name+"="+tag.Value)
		}
	}
	return strings.Join(list, "; ")
}

// PublishDMARC is for a domain without a DMARC record.
func PublishDMARC(name, value string) Fix {
	return Fix{
		Text:    "Publish a DMARC record for " + name + ". It says what to do with mail that nothing proves.",
		Changes: []Change{New(ActionAdd, "_dmarc."+name, "TXT", value)},
		Note:    "p=none asks for nothing yet. When all your mail passes, quarantine and then reject protect your name.",
	}
}

// MoveDMARC is for a DMARC record of a domain that stands at another name, where nobody looks for
// it. Meant is false if the text was not meant to be one.
func MoveDMARC(name, at, text string) (f Fix, meant bool) {
	r, meant := mend.DMARC(text)
	if !meant {
		return Fix{}, false
	}
	f = Fix{
		Text:    "Move the DMARC record of " + at + " to _dmarc." + name + ". Nobody looks for it where it stands now.",
		Changes: []Change{New(ActionAdd, "_dmarc."+name, "TXT", cmp.Or(r.Mended, text)), New(ActionDelete, at, "TXT", text)},
	}
	if len(r.Faults) > 0 {
		f.Broken = Show(at, r)
	}
	return f, true
}

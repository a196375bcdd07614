// Package remedy says which records to publish in place of those that are wrong. Packages
// explain, which has a message's results, and inspect, which has a domain, share it, so that both
// say the same of the same fault.
package remedy

import (
	"slices"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// A Fix is one thing to do, and the DNS records that it takes.
type Fix struct {
	Text string `json:"text"`           // what to do, in plain sentences
	Note string `json:"note,omitempty"` // what to know beside it

	Broken  *Broken  `json:"broken,omitempty"`  // the record that is wrong
	Changes []Change `json:"changes,omitempty"` // what to do with which records

	// Provider is the company that the fix is about: a stable word, such as
	// "amazon-ses".
	Provider string `json:"provider,omitempty"`
}

// A Change is a DNS record to add, to replace or to delete.
type Change struct {
	Action Action `json:"action"`

	// Name is the full name of the record, and Host the same name as the panels of DNS
	// providers want it: without the domain Zone at its end, "@" for Zone itself.
	Name string `json:"name"`
	Host string `json:"host"`
	Zone string `json:"zone"`

	Type  string `json:"type"`            // TXT, CNAME, MX
	Value string `json:"value,omitempty"` // what to publish, ready to copy; of ActionDelete, what to delete
	Old   string `json:"old,omitempty"`   // of ActionReplace: what is published now

	// Placeholders are the parts of Host and Value that only a provider knows, with
	// their "<" and ">": "<REGION>".
	Placeholders []string `json:"placeholders,omitempty"`
}

// Action says what is to be done with a record.
type Action string

// The actions.
const (
	ActionAdd     Action = "add"
	ActionReplace Action = "replace"
	ActionDelete  Action = "delete"
)

// String returns the word.
func (a Action) String() string { return string(a) }

// A Broken is a record that is wrong, as it is published.
type Broken struct {
	Name   string   `json:"name"` // full
	Type   string   `json:"type"`
	Parts  []Part   `json:"parts"`            // the text of the record, in order
	Faults []string `json:"faults,omitempty"` // what is wrong, a sentence for each wrong part
}

// A Part is a part of a record's text.
type Part struct {
	Text  string `json:"text"`
	Wrong bool   `json:"wrong,omitempty"` // it is wrong; an empty Text: something is missing here
}

// New returns a change of the record at a name.
func New(action Action, name, kind, value string) Change {
	return Below(action, "@", name, kind, value)
}

// Replace returns the change of a TXT record.
func Replace(name, value, old string) Change {
	c := New(ActionReplace, name, "TXT", value)
	c.Old = old
	return c
}

// Below returns a change of the record at a host below a domain, or at the domain itself
// for "@". The host may hold placeholders.
func Below(action Action, host, name, kind, value string) Change {
	zone, panel := PanelHost(name)
	switch {
	case host == "@":
	case panel == "@":
		name, panel = host+"."+name, host
	default:
		name, panel = host+"."+name, host+"."+panel
	}
	return Change{
		Action: action, Name: name, Host: panel, Zone: zone, Type: kind, Value: value,
		Placeholders: provider.Placeholders(panel + " " + value),
	}
}

// PanelHost returns the domain that a DNS panel is about, and a name as it wants it there.
func PanelHost(name string) (zone, host string) {
	zone = alignment.PublicSuffix{}.Of(name).Organizational
	if zone == "" || zone == name || !domain.Within(name, zone) {
		return name, "@"
	}
	return zone, name[:len(name)-len(zone)-1]
}

// Show takes over a record that was looked at, with the places where it is wrong.
func Show(name string, r *mend.Record) *Broken {
	b := &Broken{Name: name, Type: "TXT"}
	pos := 0
	for _, f := range r.Faults {
		b.Faults = append(b.Faults, f.Text)
		if f.Begin < pos {
			continue // within a part that is marked already
		}
		if f.Begin > pos {
			b.Parts = append(b.Parts, Part{Text: r.Text[pos:f.Begin]})
		}
		b.Parts = append(b.Parts, Part{Text: r.Text[f.Begin:f.End], Wrong: true})
		pos = f.End
	}
	if pos < len(r.Text) {
		b.Parts = append(b.Parts, Part{Text: r.Text[pos:]})
	}
	return b
}

// Whole shows a record without a place that is wrong.
func Whole(name, text string) *Broken {
	return &Broken{Name: name, Type: "TXT", Parts: []Part{{Text: text}}}
}

// Escape makes all text of a fix fit to be shown.
func (f *Fix) Escape() {
	f.Text, f.Note = visible.Line(f.Text), visible.Line(f.Note)
	for i := range f.Changes {
		c := &f.Changes[i]
		for _, text := range []*string{&c.Name, &c.Host, &c.Zone} {
			*text = visible.Line(*text)
		}
		c.Value, c.Old = visible.Value(c.Value), visible.Value(c.Old)
		for n := range c.Placeholders {
			c.Placeholders[n] = visible.Line(c.Placeholders[n])
		}
	}
	if b := f.Broken; b != nil {
		b.Name = visible.Line(b.Name)
		for i := range b.Parts {
			b.Parts[i].Text = visible.Value(b.Parts[i].Text)
		}
		for i := range b.Faults {
			b.Faults[i] = visible.Line(b.Faults[i])
		}
	}
}

// Clone returns fixes that share nothing with those of the list.
func Clone(list []Fix) []Fix {
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

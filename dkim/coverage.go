package dkim

import (
	"slices"

	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/message"
)

// cover sets the lists of the result that say which fields are signed and which are not.
// names are those of all fields of the message: see namesOf.
func (c *check) cover(m *message.Message, selection *message.Selection, names string) {
	r, h := &c.result, c.signature.Header
	fields := m.Header().Fields
	unsigned := 0
	for _, signed := range selection.Signed {
		if !signed {
			unsigned++
		}
	}
	lists := make([]string, 0, len(h)+unsigned) // memory of the four lists
	list := func(belongs func(field int) bool) []string {
		start := len(lists)
		for n, name := range h {
			if belongs(selection.Fields[n]) {
				lists = append(lists, name)
			}
		}
		return sublist(lists, start)
	}
	r.Signed = list(func(field int) bool { return field >= 0 })
	if len(r.Signed) < len(h) {
		r.Absent = list(func(field int) bool { return field == message.Absent })
		r.OverSigned = list(func(field int) bool { return field == message.OverSigned })
	}
	start := len(lists)
	for i := range fields {
		n := len(fields[i].Name())
		name := names[:n]
		names = names[n:]
		if selection.Signed[i] || i == c.field || n == 0 {
			continue
		}
		lists = append(lists, name)
		switch string(fields[i].LowerName()) {
		case "subject":
			r.warn(WarningSubjectNotSigned)
		case "content-type":
			r.warn(WarningContentTypeNotSigned)
		}
	}
	r.NotSigned = sublist(lists, start)
	c.findAdded(m, selection)
}

// findAdded finds a field that stands above a signed field of the same name and is not
// signed itself: it was added after signing. Only fields that a message may have once
// count.
func (c *check) findAdded(m *message.Message, selection *message.Selection) {
	fields := m.Header().Fields
	for _, i := range selection.Fields {
		if i < 0 {
			continue
		}
		above := m.Above(i)
		if above < 0 || selection.Signed[above] {
			continue
		}
		shown := isOneOf(&fields[above], shownFields[:])
		if shown || isOneOf(&fields[above], otherFields[:]) {
			c.result.warn(WarningFieldAdded)
		}
		if shown && c.added == "" {
			c.added = string(fields[above].Name())
		}
	}
}

// sublist returns what was appended to lists since it had start elements, or nil.
func sublist(lists []string, start int) []string {
	if start == len(lists) {
		return nil
	}
	return slices.Clip(lists[start:])
}

// Fields that a message may have once: RFC 5322, section 3.6, RFC 2045, section 3, and
// RFC 2183. Mail readers show or obey shownFields, so that an attacker gains by adding
// one. A second field of otherFields is shown to nobody, and honest relays add one:
// Message-ID most often.
var (
	shownFields = [...]string{
		"from", "sender", "reply-to", "to", "cc", "subject", "date",
		"content-type", "content-transfer-encoding", "content-disposition",
	}
	otherFields = [...]string{"bcc", "message-id", "in-reply-to", "references", "mime-version", "content-id", "content-description"}
)

func isOneOf(f *header.Field, names []string) bool {
	for _, name := range names {
		if f.Is(name) {
			return true
		}
	}
	return false
}

// warn adds a warning, once.
func (r *Result) warn(w Warning) {
	for _, given := range r.Warnings {
		if given == w {
			return
		}
	}
	r.Warnings = append(r.Warnings, w)
}

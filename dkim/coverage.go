package dkim

import (
	"slices"

	"github.com/mailverdict/mailverdict/internal/header"
)

// cover puts down which names in h= stand for a field, which fields of the message
// are not covered, and whether one of those was added. own is the signature's own
// field.
func (w *workspace) cover(c *check, own int) {
	r, s, fields := &c.result, &w.selector, w.header.Fields
	// The four lists in one piece.
	lists := make([]string, 0, len(c.signature.Header)+len(fields)-len(s.picked)-1)
	for fate, list := range []*[]string{nameSigned: &r.Signed, nameAbsent: &r.Absent, nameOverSigned: &r.OverSigned} {
		start := len(lists)
		for n, name := range c.signature.Header {
			if int(s.fates[n]) == fate {
				lists = append(lists, name)
			}
		}
		*list = sublist(lists, start)
	}
	start := len(lists)
	for i := range fields {
		f := &fields[i]
		if s.signed[i] || i == own || len(f.Name()) == 0 {
			continue
		}
		lists = append(lists, w.nameOf(i))
		switch {
		case f.Is("subject"):
			r.warn(WarningSubjectNotSigned)
		case f.Is("content-type"):
			r.warn(WarningContentTypeNotSigned)
		}
	}
	r.NotSigned = sublist(lists, start)
	for _, i := range s.picked {
		above := w.index.Above(i)
		if above >= 0 && !s.signed[above] && isSingle(fields[above]) {
			c.added = string(fields[above].Name())
			return
		}
	}
}

// nameOf returns the name of field i.
func (w *workspace) nameOf(i int) string {
	if f := &w.header.Fields[i]; f.Is("dkim-signature") {
		return string(f.Name())
	}
	return w.quoted(i)
}

// sublist returns what was appended to lists since start, nil for nothing.
func sublist(lists []string, start int) []string {
	if start == len(lists) {
		return nil
	}
	return slices.Clip(lists[start:])
}

// isSingle reports whether a message may have that field once only. RFC 5322, section 3.6, and
// RFC 2045, section 3, with Content-Disposition of RFC 2183.
func isSingle(f header.Field) bool {
	for _, name := range [...]string{
		"from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject", "date",
		"mime-version", "content-type", "content-transfer-encoding", "content-id", "content-description", "content-disposition",
	} {
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

package dkim

import (
	"slices"

	"github.com/mailverdict/mailverdict/internal/header"
)

// cover puts down which names in h= stand for a field, which fields of the message
// are not covered, and whether one of those was added. own is the signature's own
// field.
func (w *workspace) cover(c *check, own int) {
	r, fields := &c.result, w.header.Fields
	open := 0
	for i := range fields {
		if w.isOpen(i, own) {
			open++
		}
	}
	// The four lists in one piece.
	lists := make([]string, 0, len(c.signature.Header)+open)
	for fate, list := range []*[]string{nameSigned: &r.Signed, nameAbsent: &r.Absent, nameOverSigned: &r.OverSigned} {
		start := len(lists)
		for n, name := range c.signature.Header {
			if int(w.selector.fates[n]) == fate {
				lists = append(lists, name)
			}
		}
		*list = sublist(lists, start)
	}
	start := len(lists)
	for i, f := range fields {
		if !w.isOpen(i, own) {
			continue
		}
		lists = append(lists, w.nameOf(i))
		if c.added == "" && isSingle(f) && w.isPartlySigned(f) {
			c.added = string(f.Name())
		}
		switch {
		case f.Is("subject"):
			r.warn(WarningSubjectNotSigned)
		case f.Is("content-type"):
			r.warn(WarningContentTypeNotSigned)
		}
	}
	r.NotSigned = sublist(lists, start)
}

// isOpen reports whether field i has a name and is not covered.
func (w *workspace) isOpen(i, own int) bool {
	return !w.selector.signed[i] && i != own && len(w.header.Fields[i].Name()) > 0
}

// nameOf returns the name of field i.
func (w *workspace) nameOf(i int) string {
	if slices.Contains(w.own, i) {
		return string(w.header.Fields[i].Name())
	}
	return w.quotes[i]
}

// isPartlySigned reports whether a field of that name is covered: if one is, it is
// the lowest.
func (w *workspace) isPartlySigned(f header.Field) bool {
	_, lowest := w.index.Slot(string(f.Name()))
	return w.selector.signed[lowest]
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

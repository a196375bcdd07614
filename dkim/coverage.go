package dkim

import "github.com/mailverdict/mailverdict/internal/header"

// putDownRest puts down the names in h= that no field was picked for, the fields of
// the message that are not covered, and whether one of those was added.
func (s *selector) putDownRest(c *check, own int) {
	r := &c.result
	s.next = zeroed(s.next, s.index.Slots())
	for _, name := range c.signature.Header {
		if s.pick(name, own) >= 0 {
			continue
		}
		if _, bottom := s.index.Slot(name); bottom < 0 || bottom == own && s.index.Above(own) < 0 {
			r.Absent = append(r.Absent, name)
		} else {
			r.OverSigned = append(r.OverSigned, name)
		}
	}
	for i, f := range s.fields {
		if s.signed[i] || i == own || len(f.Name()) == 0 {
			continue
		}
		name := string(f.Name())
		r.NotSigned = append(r.NotSigned, name)
		if _, bottom := s.index.Slot(name); c.added == "" && s.signed[bottom] && isSingle(f) {
			c.added = name
		}
		switch {
		case f.Is("subject"):
			r.warn(WarningSubjectNotSigned)
		case f.Is("content-type"):
			r.warn(WarningContentTypeNotSigned)
		}
	}
}

// singles are the fields that a message may have once. RFC 5322, section 3.6, and
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

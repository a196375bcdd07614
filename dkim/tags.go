package dkim

import (
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// A tagSet holds the tags that a signature or a key record can have. Others are
// ignored, but may not stand twice either: RFC 6376, section 3.2.
type tagSet struct {
	tags [14]tagvalue.Tag
	seen uint16
}

func (s *tagSet) has(tag int) bool          { return s.seen&(1<<tag) != 0 }
func (s *tagSet) get(tag int) *tagvalue.Tag { return &s.tags[tag] }

// read takes the tags of list whose names stand in names; the place of a name there
// is its number. It reads to the end and returns the first fault, ErrSyntax or
// ErrDuplicateTag.
func (s *tagSet) read(list string, names []string) error {
	var first error
	var unknown map[string]bool
	for tag, err := range tagvalue.All(list) {
		number := tagNumber(names, tag.Name)
		switch {
		case err != nil:
			err = cause.Wrap(ErrSyntax, "", err)
		case number < 0 && unknown[tag.Name], number >= 0 && s.has(number):
			err = cause.Wrap(ErrDuplicateTag, tag.Name+"=", nil)
		case number < 0:
			if unknown == nil {
				unknown = make(map[string]bool)
			}
			unknown[tag.Name] = true
		default:
			s.tags[number] = tag
			s.seen |= 1 << number
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// tagNumber returns the place of name in names, of which none is empty, or -1.
func tagNumber(names []string, name string) int {
	if name == "" {
		return -1
	}
	for n := range names {
		// Most names are one letter, which is compared faster than strings are.
		if names[n][0] == name[0] && names[n] == name {
			return n
		}
	}
	return -1
}

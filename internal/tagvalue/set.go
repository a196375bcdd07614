package tagvalue

import "errors"

// ErrDuplicate says that a tag stands more than once.
var ErrDuplicate = errors.New("a tag stands more than once")

// A Set holds the tags of a list by the place of their name in a list of names. It is
// for lists that have no tag twice, as those of DKIM and ARC: RFC 6376, section 3.2.
type Set struct {
	values [maxTags]string
	seen   uint16
}

// maxTags is how many names a Set distinguishes: 14, as many as DKIM-Signature fields have. A
// new tag there needs one more here; seen has room for 16.
const maxTags = 14

// Has reports whether the list has a tag.
func (s *Set) Has(tag int) bool { return s.seen&(1<<tag) != 0 }

// Value returns the value of a tag, without the white space around it, or "".
func (s *Set) Value(tag int) string { return s.values[tag] }

// Read takes the tags of list whose names stand in names, of which there are 1 to maxTags:
// the place of a name is the number of its tag. Other tags are ignored, but may not stand
// twice either.
//
// Read reads to the end of the list, and returns its first fault: ErrDuplicate, with the
// name of the tag, or one of the errors of All.
func (s *Set) Read(list string, names []string) (tag string, fault error) {
	_ = s.values[len(names)-1] // too many names panic with every list, and so in the first test
	var others map[string]bool
	for t, err := range All(list) {
		number := indexOf(names, t.Name)
		switch {
		case err != nil:
		case number < 0 && others[t.Name], number >= 0 && s.Has(number):
			err = ErrDuplicate
		case number < 0:
			if others == nil {
				others = make(map[string]bool)
			}
			others[t.Name] = true
		default:
			s.values[number] = t.Value
			s.seen |= 1 << number
		}
		if fault == nil && err != nil {
			tag, fault = t.Name, err
		}
	}
	return tag, fault
}

// indexOf returns the place of name in names, of which none is empty, or -1.
func indexOf(names []string, name string) int {
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

package alignment

import (
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
	"golang.org/x/net/publicsuffix"
)

// PublicSuffix finds Organizational Domains by the public suffix list, as RFC 7489,
// section 3.2, does: the suffix and one label more. The zero value uses the whole
// list, its private section included: customers of one hosting company are strangers
// to each other.
//
// The list is the copy within golang.org/x/net/publicsuffix; it is as current as the
// version of that module. A name that no rule matches has its last label as suffix,
// which is the list's own default rule.
type PublicSuffix struct {
	// ICANNOnly leaves out the private section of the list.
	ICANNOnly bool
}

// Of returns name in canonical form with its Organizational Domain. A public suffix
// is its own Organizational Domain. What is not a domain name gives the zero Domain.
func (l PublicSuffix) Of(name string) Domain {
	name, err := domain.Canonical(name)
	if err != nil {
		return Domain{}
	}
	return Domain{Name: name, Organizational: l.organizational(name)}
}

// Suffix returns the public suffix of name in canonical form: name itself, or the lowest
// name above it below which strangers to each other have domains of their own. What is not
// a domain name gives "".
func (l PublicSuffix) Suffix(name string) string {
	name, err := domain.Canonical(name)
	if err != nil {
		return ""
	}
	return l.suffix(name)
}

// Is reports whether name is a public suffix.
func (l PublicSuffix) Is(name string) bool {
	name, err := domain.Canonical(name)
	return err == nil && l.suffix(name) == name
}

func (l PublicSuffix) organizational(name string) string {
	suffix := l.suffix(name)
	if suffix == name {
		return name
	}
	above := name[:len(name)-len(suffix)-1] // without the suffix and its dot
	return name[strings.LastIndexByte(above, '.')+1:]
}

// suffix returns the public suffix of a name in canonical form: the list knows no
// other form, and answers in silence as if the name were another one.
func (l PublicSuffix) suffix(name string) string {
	suffix, icann := publicsuffix.PublicSuffix(name)
	for l.ICANNOnly && !icann && strings.IndexByte(suffix, '.') >= 0 {
		// A rule of the private section: ask again above it.
		suffix, icann = publicsuffix.PublicSuffix(domain.Parent(suffix))
	}
	return suffix
}

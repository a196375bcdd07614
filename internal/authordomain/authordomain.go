// Package authordomain says what can be an Author Domain: RFC 9989, section 5.3.1.
package authordomain

import (
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
)

var causes cause.Table

// Err is the error of Canonical.
var Err = causes.New("from-domain", "the Author Domain is not a domain name")

// Canonical returns name in A-labels and in lower case, without a final dot. If it is not the
// name of a domain, or has a number as its last label, the error wraps Err.
func Canonical(name string) (string, error) {
	canonical, err := domain.CanonicalMail(name)
	if err != nil {
		return "", cause.Wrap(Err, "", err)
	}
	return canonical, nil
}

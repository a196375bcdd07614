package authres

import "strings"

// isToken reports whether c can be part of a token: RFC 2045, section 5.1.
func isToken(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`()<>@,;:\"/[]?=`, c) < 0
}

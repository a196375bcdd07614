package tagvalue

import (
	"strconv"
	"strings"
)

// DecodeQuotedPrintable decodes dkim-quoted-printable: RFC 6376, section 2.11. It leaves
// an "=" without two hexadecimal digits as it is, which is no octet of a domain.
func DecodeQuotedPrintable(s string) string {
	if strings.IndexByte(s, '=') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(n))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

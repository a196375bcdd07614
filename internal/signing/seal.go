package signing

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/canon"
	"github.com/mailverdict/mailverdict/internal/header"
)

// A Seal says how an ARC set is added to a message (RFC 8617). A zero field means what stands
// with it.
type Seal struct {
	Key      crypto.Signer // RSA or Ed25519; it has to be there
	Domain   string        // d= of both signatures; it has to be there
	Selector string        // s= of both, "arc"

	// Results is what stands behind the instance in ARC-Authentication-Results; it has to be
	// there.
	Results string

	Instance int    // i=, one more than the sets that the message has
	CV       string // cv=, "none" for the first set and "pass" for others
	Header   string // h= of the message signature, "from:to:subject"
	Tags     string // further tags of both, such as "t=1;"
}

// Add returns message with a set on top, each field on one line. Lines of the message end in
// CRLF.
func (s Seal) Add(message string) (string, error) {
	block, body, _ := strings.Cut(message, "\r\n\r\n")
	fields := header.Parse([]byte(block)).Fields
	instance := s.Instance
	if instance == 0 {
		instance = 1
		for _, f := range fields {
			if f.Is("arc-seal") {
				instance++
			}
		}
	}
	cv := "pass"
	if instance == 1 {
		cv = "none"
	}
	signature := Signature{Key: s.Key, Domain: s.Domain, Selector: or(s.Selector, "arc")}
	common := fmt.Sprintf("i=%d; a=%s; d=%s; s=%s; %s", instance, signature.algorithm(), s.Domain, signature.Selector, s.Tags)

	results := fmt.Sprintf("ARC-Authentication-Results: i=%d; %s", instance, s.Results)
	bodyHash := base64.StdEncoding.EncodeToString(digest(crypto.SHA256, []byte(canon.PlainBody(canon.Relaxed, body))))
	names := or(s.Header, "from:to:subject")
	signed := fmt.Sprintf("ARC-Message-Signature: %s c=relaxed/relaxed; h=%s; bh=%s; b=", common, names, bodyHash)
	value, err := s.value(headerData(canon.Relaxed, names, block, signed))
	if err != nil {
		return "", err
	}
	signed += value

	seal := fmt.Sprintf("ARC-Seal: %s cv=%s; b=", common, or(s.CV, cv))
	data := appendLine(appendLine(sets(fields, instance), results), signed)
	f := header.Parse([]byte(seal)).Fields[0]
	value, err = s.value(canon.AppendField(data, canon.Relaxed, f.BeforeColon(), f.Body()))
	if err != nil {
		return "", err
	}
	return seal + value + "\r\n" + signed + "\r\n" + results + "\r\n" + message, nil
}

// value returns the value of b= over data.
func (s Seal) value(data []byte) (string, error) {
	value, err := sign(s.Key, crypto.SHA256, digest(crypto.SHA256, data))
	return base64.StdEncoding.EncodeToString(value), err
}

// sets returns the canonical fields of the sets below an instance, in the order in which a seal
// is over them: RFC 8617, section 5.1.1.
func sets(fields []header.Field, below int) (data []byte) {
	for n := 1; n < below; n++ {
		for _, name := range []string{"arc-authentication-results", "arc-message-signature", "arc-seal"} {
			i := slices.IndexFunc(fields, func(f header.Field) bool {
				return f.Is(name) && strings.HasPrefix(strings.TrimSpace(string(f.Body())), "i="+strconv.Itoa(n)+";")
			})
			if i >= 0 {
				data = appendLine(data, string(fields[i].Raw()))
			}
		}
	}
	return data
}

// appendLine appends the canonical form of a field, and its line end.
func appendLine(data []byte, field string) []byte {
	f := header.Parse([]byte(field)).Fields[0]
	return append(canon.AppendField(data, canon.Relaxed, f.BeforeColon(), f.Body()), "\r\n"...)
}

package explain

import (
	"errors"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// fixSignature says what to do about a signature that does not count.
func fixSignature(d *dkim.Result) Fix {
	key := visible.Domain(d.Selector + "._domainkey." + d.Domain)
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(d.Err, target) {
				return true
			}
		}
		return false
	}
	switch {
	case is(dkim.ErrBodyHashMismatch, dkim.ErrBodyLength):
		return Fix{
			Text: "Let nothing change the text after it is signed: no filter and no footer.",
			Note: "A mailing list that changes it has to put its own address into From.",
		}
	case is(dkim.ErrSignatureMismatch):
		return Fix{
			Text: "See that the key at " + key + " is the one that signs, and that nothing changes the header afterwards.",
		}
	case is(dkim.ErrKeyMissing):
		return remedy.MissingKey(d.Selector, visible.Domain(d.Domain), key)
	case is(dkim.ErrKeyRevoked):
		return remedy.RevokedKey(key)
	case is(dkim.ErrKeyTooSmall, dkim.ErrKeyTooLarge):
		return remedy.ReplaceKey(key, recordOf(d))
	case is(dkim.ErrKeyMalformed, dkim.ErrKeyType, dkim.ErrKeyHash, dkim.ErrKeyService, dkim.ErrKeyStrict, dkim.ErrKeyUnsafe):
		return remedy.MendKey(key, recordOf(d), dkimFault(d))
	case is(dkim.ErrExpired, dkim.ErrExpiryBeforeTime):
		return Fix{Text: "Let signatures last longer before they expire (x=), or deliver sooner."}
	case is(dkim.ErrFuture):
		return Fix{Text: "Set the clock of the server that signs."}
	case is(dkim.ErrSHA1):
		return Fix{Text: "Sign with rsa-sha256 in place of rsa-sha1."}
	case is(dkim.ErrBodyUnsigned):
		return Fix{Text: "Sign the whole text: set no length (l=) in the program that signs."}
	case is(dkim.ErrFieldAdded, dkim.ErrFieldNotSigned, dkim.ErrFromNotSigned):
		return Fix{Text: "Sign every line that names the author, the subject and the content, and name each once more than it occurs (h=)."}
	case is(dkim.ErrKeyTesting):
		return remedy.TestingKey(key)
	}
	return Fix{Text: "Correct the program that signs for " + visible.Domain(d.Domain) + ": " + dkimFault(d) + "."}
}

func recordOf(d *dkim.Result) string {
	if d.Key == nil {
		return ""
	}
	return d.Key.Record
}

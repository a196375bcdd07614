package explain

import (
	"errors"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/provider"
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
		return missingKey(d, key)
	case is(dkim.ErrKeyRevoked):
		return Fix{Text: "Sign with another key. The one at " + key + " was withdrawn: its p= is empty."}
	case is(dkim.ErrKeyTooSmall, dkim.ErrKeyTooLarge):
		return Fix{
			Text:    "Sign with a new key of 2048 bits, and publish it in place of the one at " + key + ".",
			Changes: []Change{remedy.Replace(key, remedy.KeyPlaceholder, recordOf(d))},
		}
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
		return Fix{Text: "Take t=y out of the key at " + key + ". It says that the key is only for testing."}
	}
	return Fix{Text: "Correct the program that signs for " + visible.Domain(d.Domain) + ": " + dkimFault(d) + "."}
}

func recordOf(d *dkim.Result) string {
	if d.Key == nil {
		return ""
	}
	return d.Key.Record
}

// missingKey is for a signature whose key is not in DNS.
func missingKey(d *dkim.Result, key string) Fix {
	f := Fix{
		Text: "Publish the key of the signature (DKIM) at " + key + ".",
		Note: "If you did: some panels add the domain by themselves, and it now stands at " + key + "." + zoneOf(key) + ".",
	}
	if domain.Check(key) != nil {
		return Fix{Text: f.Text}
	}
	if p := provider.OfSelector(d.Selector); p != nil {
		for _, fix := range p.Fixes {
			for _, r := range fix.For(visible.Domain(d.Domain)).Records {
				if r.Host == domain.ToLower(d.Selector)+"._domainkey" {
					f.Provider = p.ID
					f.Changes = []Change{remedy.New(ActionAdd, key, r.Type, r.Value)}
					return f
				}
			}
		}
	}
	f.Changes = []Change{remedy.New(ActionAdd, key, "TXT", remedy.KeyPlaceholder)}
	return f
}

func zoneOf(name string) string {
	zone, _ := remedy.PanelHost(name)
	return zone
}

package remedy

import (
	"cmp"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/provider"
)

// KeyPlaceholder stands for a key that only its owner knows.
const KeyPlaceholder = "v=DKIM1; k=rsa; p=<the public key of the server that signs>"

// MendKey is for a key in DNS that cannot be used. Key is its name, text the record, and fault
// what is wrong with it.
func MendKey(key, text, fault string) Fix {
	if fault == DKIMWords["key-malformed"] {
		fault = "it cannot be read" // the record shows more
	}
	f := Fix{Text: "Correct the key at " + key + ": " + fault + "."}
	if text == "" {
		return f
	}
	placeholder := KeyPlaceholder
	selector, signer, _ := strings.Cut(key, "._domainkey.")
	if p, record := recordAt(selector, signer); p != nil && record.Type == "TXT" {
		f.Provider, placeholder = p.ID, record.Value
	}
	r, meant := mend.Key(text)
	if !meant {
		f.Broken = Whole(key, text)
		f.Changes = []Change{Replace(key, placeholder, text)}
		return f
	}
	f.Broken = Show(key, r)
	f.Changes = []Change{Replace(key, cmp.Or(r.Mended, placeholder), text)}
	return f
}

// recordAt returns the record that a provider has its customers publish for a selector, if the
// selector tells of one.
func recordAt(selector, signer string) (*provider.Provider, provider.Record) {
	p := provider.OfSelector(selector)
	if p == nil {
		return nil, provider.Record{}
	}
	for _, fix := range p.Fixes {
		for _, r := range fix.For(signer).Records {
			if r.Host == domain.ToLower(selector)+"._domainkey" {
				return p, r
			}
		}
	}
	return nil, provider.Record{}
}

// RevokedKey is for a key whose owner has withdrawn it.
func RevokedKey(key string) Fix {
	return Fix{Text: "Sign with another key. The one at " + key + " was withdrawn: its p= is empty."}
}

// ReplaceKey is for a key whose size nobody takes.
func ReplaceKey(key, text string) Fix {
	return Fix{
		Text:    "Sign with a new key of 2048 bits, and publish it in place of the one at " + key + ".",
		Changes: []Change{Replace(key, KeyPlaceholder, text)},
	}
}

// ShortKey is for a key that should be longer.
func ShortKey(key string) Fix {
	return Fix{Text: "Sign with a new key of 2048 bits. The one at " + key + " is short."}
}

// TestingKey is for a key that says that it is for testing.
func TestingKey(key string) Fix {
	return Fix{Text: "Take t=y out of the key at " + key + ". It says that the key is only for testing."}
}

// MissingKey is for a key that signatures of a domain name and that is not in DNS. Key is its
// name.
func MissingKey(selector, signer, key string) Fix {
	zone, _ := PanelHost(key)
	f := Fix{
		Text: "Publish the key of the signature (DKIM) at " + key + ".",
		Note: "If you did: some panels add the domain by themselves, and it now stands at " + key + "." + zone + ".",
	}
	if domain.Check(key) != nil {
		return Fix{Text: f.Text}
	}
	if p, r := recordAt(selector, signer); p != nil {
		f.Provider = p.ID
		f.Changes = []Change{New(ActionAdd, key, r.Type, r.Value)}
		return f
	}
	f.Changes = []Change{New(ActionAdd, key, "TXT", KeyPlaceholder)}
	return f
}

package remedy

import "github.com/mailverdict/mailverdict/internal/mend"

// KeyPlaceholder stands for a key that only its owner knows.
const KeyPlaceholder = "v=DKIM1; k=rsa; p=<the public key of the server that signs>"

// MendKey is for a key in DNS that cannot be used. Key is its name, text the record, and fault
// what is wrong with it.
func MendKey(key, text, fault string) Fix {
	f := Fix{Text: "Correct the key at " + key + ": " + fault + "."}
	if text == "" {
		return f
	}
	r, meant := mend.Key(text)
	if !meant {
		f.Broken = Whole(key, text)
		f.Changes = []Change{Replace(key, KeyPlaceholder, text)}
		return f
	}
	f.Broken = Show(key, r)
	value := or(r.Mended, KeyPlaceholder)
	f.Changes = []Change{Replace(key, value, text)}
	return f
}

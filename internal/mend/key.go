package mend

import (
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/keys"
)

var keyTags = []string{"v", "k", "p", "t", "s", "h", "n", "g"}

// maxString is how long one string of a TXT record may be, in octets: RFC 1035, section 3.3.
const maxString = 255

// Key reads a TXT record that stands where a DKIM key has to. Meant is false for one that was
// not meant to be a key.
func Key(text string) (r *Record, meant bool) {
	if len(text) > maxText {
		return nil, false
	}
	r = &Record{Text: text}
	src := r.clean()
	src = r.half(src)
	src = r.withoutArmor(src)
	items := r.tags(src, keyTags)
	if _, ok := value(items, "p"); !ok {
		v, _ := value(items, "v")
		if len(items) == 0 || !strings.HasPrefix(domain.ToLower(v), "dkim") {
			return nil, false
		}
		r.faultAt(src, span{len(src.text), len(src.text)}, KindMissing, "The key itself (p=) is missing.")
		r.finish()
		return r, true
	}
	r.semicolons(src)
	items, sure := r.once(src, items)
	list := items[:0:0]
	for _, it := range items {
		mended, ok := r.keyTag(src, it)
		sure = sure && ok
		if mended.name != "" {
			list = append(list, mended)
		}
	}
	if i := slices.IndexFunc(list, func(it item) bool { return it.name == "v" }); i > 0 {
		r.faultAt(src, list[i].whole, KindVersion, `"v=DKIM1" has to stand first.`)
		v := list[i]
		list = slices.Insert(slices.Delete(list, i, i+1), 0, v)
	}
	if mended := written(list); sure {
		if _, err := keys.Parse(mended); err == nil || errors.Is(err, keys.ErrRevoked) {
			r.Mended = mended
		}
	}
	r.finish()
	return r, true
}

// half drops the second half of a record that is the first one again.
func (r *Record) half(src source) source {
	lower := domain.ToLower(src.text)
	i := strings.LastIndex(lower, "v=dkim")
	if i <= 0 || strings.Trim(src.text[:i], " ;") != strings.Trim(src.text[i:], " ;") {
		return src
	}
	r.faultAt(src, span{i, len(src.text)}, KindRepeated, "The record stands here twice, one copy behind the other.")
	return source{src.text[:i], append(src.at[:i:i], src.at[i])}
}

// withoutArmor drops the lines around a key in a file.
func (r *Record) withoutArmor(src source) source {
	for {
		begin := strings.Index(src.text, "-----")
		if begin < 0 {
			return src
		}
		end := strings.Index(src.text[begin+5:], "-----")
		if end < 0 {
			return src
		}
		end += begin + 10
		r.faultAt(src, span{begin, end}, KindCharacter, "The lines with BEGIN and END do not belong to the key.")
		src = source{src.text[:begin] + src.text[end:], append(src.at[:begin:begin], src.at[end:]...)}
	}
}

// semicolons reports tags that are empty.
func (r *Record) semicolons(src source) {
	begin := 0
	for i := 0; i < len(src.text); i++ {
		if src.text[i] == ';' {
			if strings.TrimSpace(src.text[begin:i]) == "" {
				r.faultAt(src, span{i, i + 1}, KindSeparator, "There is one semicolon too many.")
			}
			begin = i + 1
		}
	}
}

// keyTag mends one tag of a key.
func (r *Record) keyTag(src source, it item) (mended item, ok bool) {
	switch it.name {
	case "":
		r.faultAt(src, it.whole, KindValue, "This is not a tag.")
		return item{}, true
	case "v":
		if it.value != "DKIM1" {
			r.faultAt(src, it.whole, KindVersion, `The version is "v=DKIM1".`)
			it.value = "DKIM1"
		}
	case "k":
		word := domain.ToLower(it.value)
		if word != "rsa" && word != "ed25519" {
			r.faultAt(src, it.whole, KindValue, "k= is rsa or ed25519.")
			switch {
			case strings.HasPrefix(word, "rsa"):
				it.value = "rsa"
			case strings.HasPrefix(word, "ed25519"):
				it.value = "ed25519"
			default:
				return it, false
			}
		}
	case "h":
		if strings.Contains(domain.ToLower(it.value), "sha256") && it.value != "sha256" && !slices.Contains(strings.Split(it.value, ":"), "sha256") {
			r.faultAt(src, it.whole, KindValue, "h= names hashes, as in h=sha256.")
			it.value = "sha256"
		}
	case "p":
		return r.keyData(src, it)
	}
	return it, true
}

// keyData mends the key itself.
func (r *Record) keyData(src source, it item) (item, bool) {
	data := strings.ReplaceAll(it.value, " ", "")
	if twice := data[:len(data)/2]; len(data) >= 40 && data == twice+twice {
		r.faultAt(src, it.whole, KindRepeated, "The key stands here twice, one copy behind the other.")
		data, it.value = twice, twice
	}
	if i := strings.IndexFunc(data, func(c rune) bool { return c > '~' || !letter(byte(c)) && !strings.ContainsRune("+/=", c) }); i >= 0 {
		r.faultAt(src, it.whole, KindValue, "A key has letters, digits, +, / and = only; here is "+strconv.QuoteToASCII(data[i:i+1])+".")
		return it, false
	}
	if have, want, known := derLength(data); known && have < want {
		text := "The end of the key is missing: " + strconv.Itoa(have) + " of " + strconv.Itoa(want) + " bytes are here."
		if n := len(r.Text); n == maxString || len(data) == maxString {
			text += " One string of a TXT record holds 255 characters: a longer key is published as several strings."
		}
		r.faultAt(src, span{len(src.text), len(src.text)}, KindCut, text)
		return it, false
	}
	return it, true
}

// derLength returns how many bytes of a key there are, and how many there have to be by what
// it begins with (X.690, section 8.1.3), where that can be told.
func derLength(data string) (have, want int, known bool) {
	data = strings.TrimRight(data, "=")
	if len(data)%4 == 1 {
		data = data[:len(data)-1] // too few bits for a byte
	}
	b, _ := base64.RawStdEncoding.DecodeString(data)
	if len(b) < 4 || b[0] != 0x30 {
		return 0, 0, false
	}
	switch {
	case b[1] < 0x80:
		return len(b), 2 + int(b[1]), true
	case b[1] == 0x81:
		return len(b), 3 + int(b[2]), true
	case b[1] == 0x82:
		return len(b), 4 + int(b[2])<<8 + int(b[3]), true
	}
	return 0, 0, false
}

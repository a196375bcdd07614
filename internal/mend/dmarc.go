package mend

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
)

var dmarcTags = []string{"v", "p", "sp", "np", "adkim", "aspf", "rua", "ruf", "fo", "pct", "rf", "ri", "psd", "t"}

// DMARC reads a TXT record. Meant is false for one that was not meant to be a DMARC record.
func DMARC(text string) (r *Record, meant bool) {
	if len(text) > maxText {
		return nil, false
	}
	r = &Record{Text: text}
	src := r.clean()
	if src.text != strings.TrimLeft(src.text, " ") {
		r.faultAt(src, span{0, len(src.text) - len(strings.TrimLeft(src.text, " "))}, KindVersion, `Nothing may stand before "v=DMARC1", not even a space.`)
	}
	items := r.tags(src, dmarcTags)
	if items, meant = r.dmarcVersion(src, items); !meant {
		return nil, false
	}
	items, sure := r.once(src, r.listed(src, items))
	list := items[:0:0]
	for _, it := range items {
		switch mended, ok := r.dmarcTag(src, it); {
		case !ok:
			sure = false
		case mended.name != "":
			list = append(list, mended)
		}
	}
	if _, ok := value(list, "p"); !ok && sure {
		end := len(src.text)
		if len(items) > 0 {
			end = items[0].whole.end
		}
		r.faultAt(src, span{end, end}, KindMissing, "The record has to say p=none, p=quarantine or p=reject.")
		list = slices.Insert(list, 1, item{name: "p", value: "none"})
	}
	if mended := written(list); sure {
		if _, is, err := record.Parse(mended, record.RFC9989); is && err == nil {
			r.Mended = mended
		}
	}
	r.finish()
	return r, true
}

// dmarcVersion mends v=DMARC1 and puts it first.
func (r *Record) dmarcVersion(src source, items []item) (list []item, meant bool) {
	found := -1
	for i, it := range items {
		if it.name == "v" && isDMARC1(it.value) || it.name == "" && isDMARC1(strings.TrimPrefix(domain.ToLower(it.value), "v")) {
			found = i
			break
		}
	}
	if found < 0 {
		// Without a version, only a policy says what was meant.
		p, ok := value(items, "p")
		if _, good := policy(p); !ok || !good || items[0].name == "v" {
			return nil, false
		}
		r.faultAt(src, span{0, 0}, KindVersion, `The record has to begin with "v=DMARC1".`)
		return append([]item{{name: "v", value: "DMARC1"}}, items...), true
	}
	v := items[found]
	if found > 0 {
		r.faultAt(src, v.whole, KindVersion, `"v=DMARC1" has to stand first.`)
	}
	if v.value != "DMARC1" || v.name == "" {
		r.faultAt(src, v.whole, KindVersion, `The record has to begin with "v=DMARC1", in capitals.`)
	}
	items = slices.Delete(slices.Clone(items), found, found+1)
	return append([]item{{name: "v", value: "DMARC1", whole: v.whole}}, items...), true
}

// isDMARC1 reports whether text is meant to be DMARC1.
func isDMARC1(text string) bool {
	b := make([]byte, 0, 8)
	for i := 0; i < len(text) && len(b) < 8; i++ {
		if letter(text[i]) {
			b = append(b, text[i])
		}
	}
	word := domain.ToLower(string(b))
	return word == "dmarc1" || word == "dmarc" || word == "dmarc2" || len(word) == 6 && distance(word, "dmarc1") == 1
}

// listed puts addresses that a semicolon parts from rua or ruf back into it.
func (r *Record) listed(src source, items []item) []item {
	list := items[:0:0]
	for _, it := range items {
		if last := len(list) - 1; last >= 0 && it.name == "" && strings.Contains(it.value, "@") && (list[last].name == "rua" || list[last].name == "ruf") {
			r.faultAt(src, it.whole, KindSeparator, "Several addresses are parted by commas, not by semicolons.")
			list[last].value += "," + it.value
			continue
		}
		list = append(list, it)
	}
	return list
}

// dmarcTag mends one tag. A tag without a name in what it returns is left out; ok is false for
// one of which nobody can say what was meant.
func (r *Record) dmarcTag(src source, it item) (mended item, ok bool) {
	switch it.name {
	case "":
		r.faultAt(src, it.whole, KindValue, "This is not a tag.")
		return item{}, true
	case "p", "sp", "np":
		word, good := policy(it.value)
		if word != domain.ToLower(it.value) {
			r.faultAt(src, it.whole, KindValue, it.name+"= is none, quarantine or reject.")
		}
		it.value = word
		return it, good
	case "adkim", "aspf":
		return r.oneOf(src, it, map[string]string{"r": "r", "s": "s", "relaxed": "r", "strict": "s", "relax": "r"}, "is r (relaxed) or s (strict)")
	case "t":
		return r.oneOf(src, it, map[string]string{"y": "y", "n": "n", "yes": "y", "no": "n"}, "is y or n")
	case "psd":
		return r.oneOf(src, it, map[string]string{"y": "y", "n": "n", "u": "u"}, "is y, n or u")
	case "fo":
		if strings.ContainsAny(it.value, ", ") {
			r.faultAt(src, it.whole, KindSeparator, "The values of fo= are parted by colons.")
			it.value = strings.Join(strings.FieldsFunc(it.value, func(c rune) bool { return c == ',' || c == ' ' || c == ':' }), ":")
		}
	case "rua", "ruf":
		return r.reportAddresses(src, it)
	}
	return it, true
}

// oneOf mends a tag that has one of a few values, given with other spellings of them. One that
// cannot be read is left out: it has a default.
func (r *Record) oneOf(src source, it item, values map[string]string, what string) (item, bool) {
	word := domain.ToLower(it.value)
	good := values[word]
	if good != word {
		r.faultAt(src, it.whole, KindValue, it.name+"= "+what+".")
	}
	if good == "" {
		return item{}, true
	}
	it.value = good
	return it, true
}

// policy returns the policy that a word means.
func policy(word string) (string, bool) {
	switch word = strings.Trim(domain.ToLower(word), ". "); word {
	case "monitor", "monitoring", "report", "reporting", "off", "no", "0", "test", "nothing", "allow", "accept", "deliver":
		return "none", true
	case "block", "deny", "drop", "refuse", "bounce", "delete", "discard":
		return "reject", true
	case "spam", "junk", "mark", "tag":
		return "quarantine", true
	}
	word = nearest(word, []string{"none", "quarantine", "reject"})
	return word, word != ""
}

// reportAddresses mends the addresses of rua or ruf.
func (r *Record) reportAddresses(src source, it item) (item, bool) {
	var list, asIs []string
	for _, uri := range strings.Split(it.value, ",") {
		asIs = append(asIs, strings.TrimSpace(uri))
	}
	faults := len(r.Faults)
	text := strings.NewReplacer("mailto: ", "mailto:", " :", ":").Replace(it.value)
	for _, uri := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' }) {
		if mended := reportURI(uri); mended != "" {
			list = append(list, mended)
			continue
		}
		r.faultAt(src, it.whole, KindValue, "Reports go to addresses such as mailto:name@example.com. "+strconv.Quote(uri)+" is none.")
	}
	it.value = strings.Join(list, ",")
	if len(r.Faults) == faults && it.value != strings.Join(asIs, ",") {
		r.faultAt(src, it.whole, KindValue, "Each address has mailto: before it, and commas part them.")
	}
	if it.value == "" {
		return item{}, true
	}
	return it, true
}

// reportURI returns the mailto URI that was meant, or "".
func reportURI(text string) string {
	lower := domain.ToLower(text)
	for _, scheme := range []string{"mailto://", "mailto:", "mailto=", "mail:", "email:", "smtp:"} {
		if strings.HasPrefix(lower, scheme) {
			text = text[len(scheme):]
			break
		}
	}
	text = strings.Trim(text, "<>.;")
	parsed, ok, err := record.Parse("v=DMARC1; p=none; rua=mailto:"+text, record.RFC9989)
	if !ok || err != nil || len(parsed.Problems) > 0 || !strings.Contains(text, "@") {
		return ""
	}
	return "mailto:" + text
}

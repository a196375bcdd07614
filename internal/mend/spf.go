package mend

import (
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/spf"
)

// maxText is how long a record may be that is looked at, in octets.
const maxText = 8 << 10

// SPF reads a TXT record. Meant is false for one that was not meant to be an SPF record.
func SPF(text string) (r *Record, meant bool) {
	if len(text) > maxText {
		return nil, false
	}
	r = &Record{Text: text}
	src := r.clean()
	begin, ok := r.version(src)
	if !ok {
		return nil, false
	}
	terms, sure := r.spfTerms(src, begin)
	if mended := strings.Join(append([]string{"v=spf1"}, terms...), " "); sure && isSPF(mended) {
		r.Mended = mended
	}
	r.finish()
	return r, true
}

func isSPF(text string) bool {
	_, ok, err := spf.Parse(text)
	return ok && err == nil
}

// version reads what an SPF record begins with and returns where its terms begin.
func (r *Record) version(src source) (begin int, ok bool) {
	text := domain.ToLower(src.text)
	start := len(text) - len(strings.TrimLeft(text, " "))
	end := 0
	for _, form := range []string{"vspf1", "vspf", "spf1", "vsfp1", "vsp1"} {
		if end = spelled(text[start:], form); end > 0 {
			break
		}
	}
	if end == 0 {
		return 0, r.termsAlone(src, start)
	}
	end += start
	rest := strings.TrimLeft(text[end:], "0123456789.")
	wrong := span{start, len(text) - len(rest)}
	if strings.HasPrefix(text[start:], "spf2.0/") {
		return 0, false // Sender ID, RFC 4406
	}
	switch {
	case text[start:wrong.end] != "v=spf1":
		r.faultAt(src, wrong, KindVersion, `The record has to begin with "v=spf1".`)
	case start > 0:
		r.faultAt(src, span{0, start}, KindVersion, `Nothing may stand before "v=spf1", not even a space.`)
	case rest != "" && rest[0] != ' ':
		r.faultAt(src, span{wrong.end, wrong.end}, KindSeparator, `A space has to follow "v=spf1".`)
	}
	return wrong.end, true
}

// spelled returns how much of text spells a word, whatever stands between its letters, or 0.
func spelled(text, word string) int {
	j := 0
	for i := range len(text) {
		switch {
		case text[i] == word[j]:
			if j++; j == len(word) {
				return i + 1
			}
		case j == 0 || strings.IndexByte(" =:-_.", text[i]) < 0:
			return 0
		}
	}
	return 0
}

// termsAlone reports whether a text has the terms of a record, but nothing before them.
func (r *Record) termsAlone(src source, start int) bool {
	text := domain.ToLower(src.text)
	if !strings.HasPrefix(text[start:], "include:") && !strings.HasPrefix(text[start:], "ip4:") || !strings.HasSuffix(text, "all") {
		return false
	}
	r.faultAt(src, span{start, start}, KindVersion, `The record has to begin with "v=spf1".`)
	return true
}

// spfTerms mends the terms from begin on. Sure is false where one of them cannot be.
func (r *Record) spfTerms(src source, begin int) (terms []string, sure bool) {
	words := split(src, span{begin, len(src.text)}, ' ')
	sure = true
	for i := 0; i < len(words); i++ {
		word := words[i]
		text := word.in(src)
		if i+1 < len(words) && joins(text, words[i+1].in(src)) {
			r.faultAt(src, span{word.end, words[i+1].begin}, KindSeparator, "A space parts here what belongs together.")
			text += words[i+1].in(src)
			word.end = words[i+1].end
			i++
		}
		if domain.ToLower(text) == "v=spf1" {
			r.faultAt(src, word, KindRepeated, `"v=spf1" stands in the record twice.`)
			continue
		}
		mended, ok := r.spfTerm(src, word, text)
		if !ok {
			sure = false
			mended = []string{text}
		}
		terms = append(terms, mended...)
	}
	return terms, sure
}

// split parts a span at a character. Empty parts are left out.
func split(src source, s span, at byte) []span {
	var parts []span
	for begin := s.begin; begin <= s.end; {
		end := begin
		for end < s.end && src.text[end] != at {
			end++
		}
		if end > begin {
			parts = append(parts, span{begin, end})
		}
		begin = end + 1
	}
	return parts
}

// joins reports whether a space has come between a term and what belongs to it: "ip4: x",
// "- all".
func joins(first, second string) bool {
	if len(first) == 1 && strings.Contains("+-~?", first) {
		return !strings.ContainsAny(second[:1], "+-~?")
	}
	if last := first[len(first)-1]; last != ':' && last != '=' || strings.ContainsAny(second[:1], "+-~?") {
		return false
	}
	if _, ok := address(second); ok {
		return true
	}
	name, _, found := strings.Cut(second, ":")
	return !found || !known(strings.TrimLeft(domain.ToLower(name), "+-~?"))
}

var mechanisms = []string{"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists", "redirect", "exp"}

func known(name string) bool {
	for _, m := range mechanisms {
		if m == name {
			return true
		}
	}
	return false
}

// Merge returns one record with the terms of several: each once, and of their defaults (all)
// the mildest, so that no sender is refused whom one of the records allows. It returns "" where
// one of the records cannot be read.
func Merge(records []string) string {
	var terms []string
	seen := make(map[string]bool)
	all := ""
	for _, text := range records {
		r, ok, err := spf.Parse(text)
		if !ok || err != nil {
			return ""
		}
		for _, t := range r.Terms {
			word := t.Text
			switch t.Kind {
			case spf.KindAll:
				all = milder(all, word)
				continue
			case spf.KindRedirect:
				word = "include:" + t.Domain()
			case spf.KindExp:
				if len(records) > 1 {
					continue
				}
			}
			if key := strings.TrimPrefix(domain.ToLower(word), "+"); !seen[key] {
				seen[key] = true
				terms = append(terms, word)
			}
		}
	}
	if all == "" {
		all = "~all"
	}
	merged := strings.Join(append(append([]string{"v=spf1"}, terms...), all), " ")
	if !isSPF(merged) {
		return ""
	}
	return merged
}

// milder returns which of two all terms refuses less. One that lets everybody pass is not
// taken over.
func milder(a, b string) string {
	if strings.HasPrefix(a, "~") || strings.HasPrefix(a, "?") {
		return a
	}
	if strings.HasPrefix(b, "+") || domain.ToLower(b) == "all" {
		return a
	}
	return b
}

// address reports whether text is an IP address or network, and which mechanism it is for.
func address(text string) (mechanism string, ok bool) {
	host, bits, slash := strings.Cut(text, "/")
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || ip.Zone() != "" || slash && (bits == "" || strings.Trim(bits, "0123456789") != "") {
		return "", false
	}
	if ip.Is4() {
		return "ip4", true
	}
	return "ip6", true
}

package compare

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/internal/domain"
)

const fromFields = 30_000

// TestNoReaderShowsAnotherDomain gives hostile From fields to author.Parse and to other
// readers: where one of them shows an address of another domain than the Author Domain,
// there must be no Author Domain. Readers that decode encoded-words before they parse are
// not among them; no parser can know what they see.
func TestNoReaderShowsAnotherDomain(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 4))
	var fields, domains []string
	taken, problems := 0, 0
	for range fromFields {
		field := hostileFrom(random)
		a := author.Parse(field)
		name := ""
		if a.Err == nil {
			name = a.Domains[0]
			taken++
			problems += min(1, len(a.Problems))
		}
		fields, domains = append(fields, field), append(domains, name)
	}
	t.Logf("%d fields, %d taken, %d of them with problems", len(fields), taken, problems)
	if taken < fromFields/20 || problems < taken/20 {
		t.Error("the fields are such that hardly one is taken")
	}
	for _, reader := range fromReaders {
		t.Run(reader.name, func(t *testing.T) {
			differences, sees := 0, 0
			for i, shown := range reader.shown(t, fields) {
				other := otherDomain(shown, domains[i])
				if len(shown) > 0 && shown[0] != "" {
					sees++
				}
				if domains[i] == "" || other == "" {
					continue
				}
				if differences++; differences <= 20 {
					t.Errorf("From: %q\n\tis of %s, and it shows %q of %q", fields[i], domains[i], shown, other)
				}
			}
			t.Logf("it shows addresses in %d fields, of another domain in %d that are taken", sees, differences)
		})
	}
}

// otherDomain returns what stands behind an "@" in one of the addresses that a reader shows
// and is not the name, or "".
func otherDomain(shown []string, name string) string {
	for _, address := range shown {
		at := strings.LastIndexByte(address, '@')
		if at < 0 {
			continue // no address: readers show such a text as a name
		}
		theirs := address[at+1:]
		// Python shows all that stands behind a stray quote as a local part.
		if n := strings.IndexAny(theirs, " \t()<>,;\""); n > 0 && endsDomain(theirs[n:]) {
			theirs = theirs[:n]
		}
		if canonical, err := domain.Canonical(theirs); err != nil || canonical != name {
			return theirs
		}
	}
	return ""
}

// endsDomain reports whether text goes on with something else than the domain before it.
func endsDomain(text string) bool {
	text = strings.TrimLeft(text, " \t")
	return text == "" || strings.IndexByte("(>,;\"", text[0]) >= 0
}

// hostileFrom makes the body of a From field of parts that readers are known to stumble
// over.
func hostileFrom(random *rand.Rand) string {
	of := func(list ...string) string { return list[random.IntN(len(list))] }
	address := func() string {
		return of("ceo@victim.example", "x@attacker.example", "x@attacker.example", "a.b@attacker.example", "x@ATTACKER.example", `"c d"@attacker.example`)
	}
	part := func() string {
		switch random.IntN(9) {
		case 0, 1:
			return address()
		case 2, 3:
			return "<" + address() + ">"
		case 4:
			return of("Joe", "J. R.", `"Joe"`, `"a, b"`, `"ceo@victim.example"`, `"ceo@victim.example via List"`, `"ceo\"@victim.example"`, `"<ceo@victim.example>"`, "\"J\xf6rg ceo@victim.example\"", `"ceo@victim.example"@attacker.example`, "=?utf-8?q?Joe?=", "=?utf-8?q?ceo=40victim.example?=",
				"=?utf-8?b?Y2VvQHZpY3RpbS5leGFtcGxl?=", "=?q?=3Cceo=40victim.example=3E?=", "J\xf6rg", "J\u00f6rg", "\uff20", "ceo\uff20victim.example", "ceo\ufe6bvictim.example", "ceo@victim\u3002example", "[x]")
		case 5:
			return of("(Joe)", "(ceo@victim.example)", "(a (b) c)", `(\))`, `(")`, "()", "(<)", "(\uff20)")
		case 6:
			return of(" ", " ", "  ", "\t", "\r\n ", "")
		case 7:
			return of(",", ",", ";", ":", "Team:", ".", "@", "@victim.example:", "@victim.example,", "<", ">", "<>", "<@victim.example:", ".attacker.example", ".example")
		default:
			return of(`"`, `\`, `\"`, `\,`, "(", ")", "[", "]", "'", "|", "/", "\x01", "\x7f", "\x0b", "\u200b", "\u00a0", "\u2028", "a", "=", "?", "%", "!", "ceo", "ceo@", "victim.example", "@attacker.example", "@")
		}
	}
	var b strings.Builder
	if random.IntN(3) == 0 { // an ordinary field with one oddity
		parts := []string{of("", "Joe ", `"Joe" `, "Kock, Arne "), of("<x@attacker.example>", "x@attacker.example"), of("", "", " (c)", ", <x@attacker.example>")}
		at := random.IntN(len(parts) + 1)
		for i, text := range parts {
			if i == at {
				b.WriteString(part())
			}
			b.WriteString(text)
		}
		if at == len(parts) {
			b.WriteString(part())
		}
		return b.String()
	}
	for range 1 + random.IntN(7) {
		b.WriteString(part())
		if random.IntN(2) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

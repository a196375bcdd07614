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
	var b strings.Builder
	switch random.IntN(4) {
	case 0: // an ordinary field with one oddity
		parts := []string{of("", "Joe ", `"Joe" `, "Kock, Arne "), of("<x@attacker.example>", "x@attacker.example"), of("", "", " (c)", ", <x@attacker.example>")}
		at := random.IntN(len(parts) + 1)
		for i, text := range parts {
			if i == at {
				b.WriteString(hostilePart(of))
			}
			b.WriteString(text)
		}
		if at == len(parts) {
			b.WriteString(hostilePart(of))
		}
	case 1: // a name with an address in it before one that is hard to read
		b.WriteString(of("", "", "Joe ", "J. R. ", "T:", "J\xf6rg ", "(c) ") + hostileName(of) + of("", " ", " Joe ", "\r\n ", " J. ", " (c) ", " (a (b) c) ", " - "))
		b.WriteString(of("<x@attacker.example>", "<@r.example:x@attacker.example>", `<"x"@attacker.example>`, "< x@attacker.example >", "<x @ attacker.example>",
			"<x.@attacker.example>", "<.x@attacker.example>", "<x..y@attacker.example>", "<x@attacker.example.>", "<x@att\u00e4cker.example>", "<x(c)@attacker.example>",
			"<x(a (b) c)@attacker.example>", "<x@attacker.example(c)>", "<x@a_b.example>", `<"a b".c@attacker.example>`, "x@attacker.example", "<x@attacker.example", "<x\u00e4@attacker.example>"))
		b.WriteString(of("", "", " ", " (c)", " (a (b) c)", ", <y@attacker.example>", ",", " ,,", ";"))
	default:
		for range 1 + random.IntN(7) {
			b.WriteString(hostilePart(of))
			b.WriteString(of("", " "))
		}
	}
	return b.String()
}

// hostileName is a name with the address of a victim in it.
func hostileName(of func(...string) string) string {
	return of(`"ceo@victim.example"`, `"ceo@victim.example via List"`, `"ceo\"@victim.example"`, `"<ceo@victim.example>"`, `"x, ceo@victim.example"`, `"(ceo@victim.example)"`,
		`"\"ceo@victim.example\""`, `"ceo@victim.example:"`, "\"J\xf6rg ceo@victim.example\"", "=?utf-8?q?ceo=40victim.example?=", "=?utf-8?b?Y2VvQHZpY3RpbS5leGFtcGxl?=",
		"=?utf-8?q?=3Cceo=40victim.example=3E?=", "=?q?=3Cceo=40victim.example=3E?=", "=?utf-8?q?the.ceo=40victim.example?=", "ceo\uff20victim.example",
		"ceo\ufe6bvictim.example", "ceo@victim\u3002example", "ceo@victim.example")
}

func hostilePart(of func(...string) string) string {
	address := func() string {
		return of("ceo@victim.example", "x@attacker.example", "x@attacker.example", "a.b@attacker.example", "x@ATTACKER.example", `"c d"@attacker.example`)
	}
	switch of("address", "address", "brackets", "brackets", "name", "comment", "space", "special", "octet", "octet") {
	case "address":
		return address()
	case "brackets":
		return "<" + address() + ">"
	case "name":
		return of(hostileName(of), "Joe", "J. R.", `"Joe"`, `"a, b"`, "=?utf-8?q?Joe?=", "J\xf6rg", "J\u00f6rg", "\uff20", "[x]", `"ceo@victim.example"@attacker.example`)
	case "comment":
		return of("(Joe)", "(ceo@victim.example)", "(a (b) c)", `(\))`, `(")`, "()", "(<)", "(\uff20)")
	case "space":
		return of(" ", " ", "  ", "\t", "\r\n ", "")
	case "special":
		return of(",", ",", ";", ":", "Team:", ".", "@", "@victim.example:", "@victim.example,", "<", ">", "<>", "<@victim.example:", ".attacker.example", ".example")
	}
	return of(`"`, `\`, `\"`, `\,`, "(", ")", "[", "]", "'", "|", "/", "\x01", "\x7f", "\x0b", "\u200b", "\u00a0", "\u2028", "a", "=", "?", "%", "!", "ceo", "ceo@", "victim.example", "@attacker.example", "@")
}

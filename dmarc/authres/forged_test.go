package authres

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

const ours = "mx.receiver.example"

func TestRemoveForgedFields(t *testing.T) {
	long := strings.Repeat("c", 70_000)
	tests := []struct {
		name, field string
		keep        bool
	}{
		{"a plain claim", "Authentication-Results: mx.receiver.example; dmarc=pass header.from=victim.example", false},
		{"a claim with nothing", "Authentication-Results: mx.receiver.example; none", false},
		{"a claim without results", "Authentication-Results: mx.receiver.example", false},
		{"case, a space before the colon, a comment and a version", "authentication-results : (hi) MX.Receiver.EXAMPLE 1 ; dkim=pass", false},
		{"control characters before the colon", "Authentication-Results\x00\v: mx.receiver.example; dkim=pass", false},
		{"an id that is folded and quoted", "Authentication-Results:\r\n \"mx.receiver.example\"; spf=pass", false},
		{"an id with an escaped letter in quotes", `Authentication-Results: "mx\.receiver.example"; spf=pass`, false},
		{"a version behind a slash", "Authentication-Results: mx.receiver.example/1; dmarc=pass", false},
		{"a version that is not known", "Authentication-Results: mx.receiver.example 2; dmarc=pass", false},
		{"an id with a final dot", "Authentication-Results: mx.receiver.example.; dmarc=pass", false},
		{"an id with white space in quotes", "Authentication-Results: \" mx.receiver.example\t\"; dmarc=pass", false},
		{"an id in fullwidth letters", "Authentication-Results: ｍｘ.receiver.example; dmarc=pass", false},
		{"an encoded word that spells the id otherwise", "Authentication-Results: =?utf-8?q?m=78=2Ereceiver=2Eexample?=; dmarc=pass", false},
		{"an encoded word in base64", "Authentication-Results: =?utf-8?b?bXgucmVjZWl2ZXIuZXhhbXBsZQ==?=; dmarc=pass", false},
		{"an encoded word behind another's id", "Authentication-Results: other.example =?utf-8?q?m=78?=; dmarc=pass", false},
		{"a quote in a comment before the id", `Authentication-Results: (") mx.receiver.example; dmarc=pass (")`, false},
		{"a semicolon in a comment before the id", "Authentication-Results: (other.example; none) mx.receiver.example; dmarc=pass", false},
		{"nested comments before the id", "Authentication-Results: (a (other.example; none) b) mx.receiver.example; dmarc=pass", false},
		{"a parenthesis escaped in a comment before the id", `Authentication-Results: (\) other.example; none) mx.receiver.example; dmarc=pass`, false},
		{"a long comment behind the id", "Authentication-Results: mx.receiver.example; dkim=pass (" + strings.Repeat("c", 6000) + ")", false},
		{"a longer one", "Authentication-Results: mx.receiver.example; dkim=pass (" + long + ")", false},
		{"a long comment before the id", "Authentication-Results: (" + long + ") mx.receiver.example; dkim=pass", false},
		{"a long space before the colon", "Authentication-Results" + strings.Repeat(" ", 70_000) + ": mx.receiver.example; dkim=pass", false},
		{"an unclosed comment behind the id", "Authentication-Results: mx.receiver.example; dkim=pass (((( header.d=victim.example", false},
		{"an unclosed comment before the id", "Authentication-Results: (((( mx.receiver.example; dkim=pass", false},
		{"an unclosed quote before the id", `Authentication-Results: "mx.receiver.example; dkim=pass`, false},
		{"a NUL in the id", "Authentication-Results: mx.\x00receiver.example; dkim=pass", false},
		{"a comment in the id", "Authentication-Results: mx.(x)receiver.example; dkim=pass", false},
		{"two ids", "Authentication-Results: other.example mx.receiver.example; dkim=pass", false},
		{"results before the id", "Authentication-Results: spf=pass smtp.helo=a; mx.receiver.example; dkim=pass", false},
		{"a colon on the line after the name", "Authentication-Results\r\n : mx.receiver.example; dkim=pass", false},

		{"another author", "Authentication-Results: other.example; dmarc=pass header.from=victim.example", true},
		{"an id on the next line, behind a tab", "Authentication-Results:\r\n\tmx.receiver.example; dmarc=pass", false},
		{"another id, behind which a comment never ends", "Authentication-Results: other.example (mx.receiver.example; dmarc=pass", false},
		{"a nested comment in the id", "Authentication-Results: mx.(a(b)c)receiver.example; dkim=pass", false},
		{"an escaped parenthesis in a comment in the id", `Authentication-Results: mx.(a\)b)receiver.example; dkim=pass`, false},
		{"a parenthesis alone in the id", "Authentication-Results: mx.)receiver.example; dkim=pass", false},
		{"a backslash in the id", `Authentication-Results: mx.\(receiver.example; dkim=pass`, false},
		{"another author with a version", "Authentication-Results: other.example 1 ; none (mx.receiver.example)", true},
		{"another author with version 0", "Authentication-Results: other.example 0; none (mx.receiver.example)", true},
		{"another author with version 9, and no results", "Authentication-Results: other.example 90 (mx.receiver.example)", true},
		{"another author and nothing but a comment", "Authentication-Results: other.example (mx.receiver.example)", true},
		{"another author on the next line", "Authentication-Results:\r\n other.example;\r\n none (mx.receiver.example)", true},
		{"another author behind a comment with a quote", `Authentication-Results: (") other.example (mx.receiver.example"); dmarc=pass`, true},
		{"another author behind nested comments", "Authentication-Results: (a (mx.receiver.example; none) b) other.example; dmarc=pass", true},
		{"another author below us", "Authentication-Results: a.mx.receiver.example; none", true},
		{"another author above us", "Authentication-Results: receiver.example; none", true},
		{"another author who names us in a comment", "Authentication-Results: other.example (mx.receiver.example); spf=pass", true},
		{"another author who names us in a value", "Authentication-Results: other.example;\r\n smtp.mailfrom=mx.receiver.example", true},
		{"another author with a broken rest", "Authentication-Results: other.example; dkim=pass header.b=ab/cd;", true},
		{"another author with a long rest", "Authentication-Results: other.example; dkim=pass (" + long + ")", true},
		{"no author at all", "Authentication-Results: spf=pass smtp.mailfrom=a.example", true},
		{"another name", "X-Authentication-Results: mx.receiver.example; dkim=pass", true},
		{"a longer name", "Authentication-Results-Original: mx.receiver.example; dkim=pass", true},
		{"the name in the value of another field", "Subject: a\r\n Authentication-Results: mx.receiver.example; dkim=pass", true},
	}
	for _, test := range tests {
		for _, place := range []struct{ name, before, after string }{
			{"first", "", "From: a@victim.example\r\n\r\nbody\r\n"},
			{"in between", "Received: x\r\n", "From: a@victim.example\r\n\r\nbody\r\n"},
			{"last", "From: a@victim.example\r\n", "\r\nbody\r\n"},
		} {
			t.Run(test.name+", "+place.name, func(t *testing.T) {
				message := place.before + test.field + "\r\n" + place.after
				want, count := place.before+place.after, 1
				if test.keep {
					want, count = message, 0
				}
				if got := Claims(ours, test.field); got == test.keep {
					t.Errorf("Claims says %v", got)
				}
				for _, unix := range []bool{false, true} {
					if unix {
						message = strings.ReplaceAll(message, "\r\n", "\n")
						want = strings.ReplaceAll(want, "\r\n", "\n")
					}
					got, removed := filtered(t, message, ours)
					if got != want || removed != count {
						t.Errorf("unix %v: removed %d, got %.300q", unix, removed, got)
					}
				}
			})
		}
	}
}

// filtered runs a message through RemoveForged, whole and in pieces: octet by octet, if it
// is not long.
func filtered(t *testing.T, message, id string) (string, int) {
	t.Helper()
	var whole, parts bytes.Buffer
	n, err := RemoveForged(&whole, strings.NewReader(message), id)
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader = iotest.HalfReader(strings.NewReader(message))
	if len(message) < 4<<10 {
		r = iotest.OneByteReader(strings.NewReader(message))
	}
	if _, err := RemoveForged(&parts, r, id); err != nil {
		t.Fatal(err)
	}
	if whole.String() != parts.String() {
		t.Fatalf("the message came out in two ways: %.300q and %.300q", whole.String(), parts.String())
	}
	return whole.String(), n
}

func TestRemoveForgedLeavesTheRestOfAMessageAlone(t *testing.T) {
	for name, message := range map[string]string{
		"an empty message":                   "",
		"a body that looks like a header":    "A: b\r\n\r\nAuthentication-Results: mx.receiver.example; none\r\n",
		"a message that begins with a body":  "\r\nAuthentication-Results: mx.receiver.example; none\r\n",
		"octets that are no text":            "A: \x00\xff\r\n\r\n\x00\xff\x1b\r\r\n\n",
		"bare line ends":                     "A: b\nC: d\rE: f\r\n\r\nbody\n",
		"a header without an end":            "A: b\r\nC",
		"a header whose last line end stays": "A: b\r\n",
		"a lone CR":                          "\r",
		"a line of white space":              "A: b\r\n \t\r\nC: d\r\n\r\n",
		"a body after a first line with LF":  "A: b\nC: d\r\n\r\nAuthentication-Results: mx.receiver.example; none\r\n",
		"a body after a line with LF alone":  "A: b\n\r\nAuthentication-Results: mx.receiver.example; none\r\n",
		"a body after a lone LF, CRLF CRLF":  "A: b\r\nC: d\n\r\n\r\nAuthentication-Results: mx.receiver.example; none\n",
		"another's field whose folds differ": "A: b\nAuthentication-Results:\r\n a.example;\n none\r\n\n",
		"a long line":                        strings.Repeat("a", 100_000) + ": b\r\n\r\nbody",
	} {
		t.Run(name, func(t *testing.T) {
			if got, n := filtered(t, message, ours); got != message || n != 0 {
				t.Errorf("%.100q became %.100q", message, got)
			}
		})
	}
}

func TestAForgedFieldBehindABareLineEndIsSeenByNobody(t *testing.T) {
	const forged = "Authentication-Results: mx.receiver.example; dmarc=pass"
	for _, test := range []struct{ name, message, want string }{
		{
			"a bare LF before it",
			"Subject: a\r\nX: b\n" + forged + "\r\nFrom: c\r\n\r\nbody",
			"Subject: a\r\nX: b\r\nFrom: c\r\n\r\nbody",
		},
		{
			"a bare CR before it",
			"Subject: a\r\nX: b\r" + forged + "\nY: d\r\nFrom: c\r\n\r\nbody",
			"Subject: a\r\nX: b\r\nFrom: c\r\n\r\nbody",
		},
		{
			"a bare LF after it does not make a field of what follows",
			"Subject: a\r\n" + forged + "\nFrom: ceo@victim.example\r\nFrom: c\r\n\r\nbody",
			"Subject: a\r\nFrom: c\r\n\r\nbody",
		},
		{
			"two bare LF above it, which end no header for those who go by CRLF",
			"Subject: a\r\nX: b\n\ny\r\n" + forged + "\r\nFrom: c\r\n\r\n" + forged,
			"Subject: a\r\nX: b\n\ny\r\nFrom: c\r\n\r\n" + forged,
		},
		{
			"CRLF before and after it where the first line ends in LF",
			"Subject: a\nX: b\r\n" + forged + "\r\nFrom: c\r\n\r\n" + forged,
			"Subject: a\nX: b\r\nFrom: c\r\n\r\n" + forged,
		},
		{
			"a fold that only some take for one, in a field that is another's by one reading",
			"Subject: a\r\nAuthentication-Results:\n other.example; none (mx.receiver.example)\r\nFrom: c\r\n\r\nbody",
			"Subject: a\r\nFrom: c\r\n\r\nbody",
		},
		{
			"a body that begins with a bare LF",
			"Subject: a\r\n" + forged + "\r\n\r\n\n" + forged + "\r\n",
			"Subject: a\r\n\r\n\n" + forged + "\r\n",
		},
		{
			"a CR at the end of it",
			"Subject: a\r\n" + forged + "\r\r\nFrom: c\r\n\r\nbody",
			"Subject: a\r\nFrom: c\r\n\r\nbody",
		},
		{
			"a CRLF in a fold only, below a first line with LF",
			"X: a\nY: b\r\n c\n\nZ: d\n" + forged + "\r\nFrom: c\r\n\r\nbody",
			"X: a\nY: b\r\n c\n\nZ: d\r\nFrom: c\r\n\r\nbody",
		},
		{
			"nothing behind it",
			"Subject: a\r\nX: b\n" + forged,
			"Subject: a\r\nX: b",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, n := filtered(t, test.message, ours); got != test.want || n != 1 {
				t.Errorf("removed %d, got %q, want %q", n, got, test.want)
			}
		})
	}
}

// What was removed may not make a forged field of what is left.
func TestRemoveForgedIsIdempotentForEveryMixOfLineEnds(t *testing.T) {
	lines := []string{
		"Authentication-Results: mx.receiver.example; dmarc=pass", "Received-SPF: pass", "X: a", " c", "",
	}
	ends := []string{"\r\n", "\n", "\r"}
	var messages []string
	var grow func(message string, lines []string, depth int)
	grow = func(message string, lines []string, depth int) {
		messages = append(messages, message)
		if depth == 0 {
			return
		}
		for _, line := range lines {
			for _, end := range ends {
				grow(message+line+end, lines, depth-1)
			}
		}
	}
	grow("", lines, 3)
	grow("", []string{lines[0], "X: a", ""}, 4)
	messages = append(messages,
		"X: a\r\r"+lines[0]+"\n\n",
		lines[0]+"\nX: a\r\nX: a\n"+lines[0]+"\r\n\r\n",
	)
	filter := Filter{ID: ours, ReceivedSPF: true}
	for _, message := range messages {
		message += lines[0] + "\r\n" + lines[1]
		var once, twice strings.Builder
		removed, err := filter.Remove(&once, strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		again, err := filter.Remove(&twice, strings.NewReader(once.String()))
		if err != nil || again != 0 || twice.String() != once.String() {
			t.Fatalf("%q: removed %d and %q was left, then %d (%v) and %q", message, removed, once.String(), again, err, twice.String())
		}
		if removed == 0 && once.String() != message {
			t.Fatalf("%q became %q, and nothing was removed", message, once.String())
		}
		for _, field := range fieldsOf(once.String()) {
			if Claims(ours, field) {
				t.Fatalf("%q became %q, whose header has the field %q", message, once.String(), field)
			}
		}
	}
}

// fieldsOf returns the fields that a reader sees: one that goes by the line end of the first
// line, and takes either where that is LF.
func fieldsOf(message string) []string {
	if first, _, _ := strings.Cut(message, "\n"); strings.HasSuffix(first, "\r") {
		message, _, _ = strings.Cut("\r\n"+message, "\r\n\r\n")
		return strings.Split(message, "\r\n")
	}
	message = strings.ReplaceAll(message, "\r\n", "\n")
	message, _, _ = strings.Cut("\n"+message, "\n\n")
	return strings.Split(message, "\n")
}

func TestReceivedSPFIsRemovedOnRequest(t *testing.T) {
	for _, test := range []struct {
		name, field string
		keep        bool
	}{
		{"a field without a receiver", "Received-SPF: pass client-ip=192.0.2.1; helo=mx.victim.example", false},
		{"our receiver", "Received-SPF: pass (x) receiver=MX.receiver.example; client-ip=192.0.2.1", false},
		{"our receiver in quotes", `Received-SPF: pass receiver="mx\.receiver.example."`, false},
		{"capitals, white space before the colon, and a fold", "RECEIVED-SPF : pass\r\n receiver=mx.receiver.example", false},
		{"two receivers", "Received-SPF: pass receiver=other.example; receiver=mx.receiver.example", false},
		{"a receiver that is no name", "Received-SPF: pass receiver=unknown!", false},
		{"a field that cannot be read", "Received-SPF: (pass receiver=other.example", false},
		{"a field that is too long", "Received-SPF: pass (" + strings.Repeat("c", 70_000) + ") receiver=other.example", false},
		{"another receiver", "Received-SPF: pass receiver=other.example; client-ip=192.0.2.1", true},
		{"another field", "X-Received-SPF: pass", true},
		{"a longer name", "Received-SPF-Original: pass", true},
		{"Received", "Received: from mx.receiver.example", true},
		{"Authentication-Results of another author", "Authentication-Results: other.example; spf=pass", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := "A: b\r\n" + test.field + "\r\nC: d\r\n\r\n" + test.field + "\r\n"
			want := message
			if !test.keep {
				want = strings.Replace(message, test.field+"\r\n", "", 1)
			}
			var out strings.Builder
			n, err := Filter{ID: ours, ReceivedSPF: true}.Remove(&out, strings.NewReader(message))
			if err != nil || out.String() != want || (n == 0) != test.keep {
				t.Errorf("removed %d (%v), got %.300q", n, err, out.String())
			}
			if got := Claims(ours, test.field); got == test.keep {
				t.Errorf("Claims says %v", got)
			}
			if got, n := filtered(t, message, ours); got != message || n != 0 {
				t.Errorf("without a request, removed %d, got %.300q", n, got)
			}
		})
	}
}

func TestAnEmptyIDIsClaimedByAllFields(t *testing.T) {
	for field, want := range map[string]bool{
		"Authentication-Results: other.example; none":  true,
		"Received-SPF: pass receiver=other.example":    true,
		"Subject: Authentication-Results: none":        false,
		"Authentication-Results":                       false,
		"":                                             false,
		" Authentication-Results: other.example; none": false,
	} {
		if got := Claims("", field); got != want {
			t.Errorf("%q: %v", field, got)
		}
	}
}

func TestClaimsTakesAFieldAsAMilterHasIt(t *testing.T) {
	for field, want := range map[string]bool{
		"Authentication-Results:\n\tmx.receiver.example;\n\tdmarc=pass":              true,
		"Authentication-Results:\r\n\tmx.receiver.example;\r\n\tdmarc=pass\r\n":      true,
		"Authentication-Results: other.example;\n\tdmarc=pass (mx.receiver.example)": false,
		"Authentication-Results: other.example\n":                                    false,
	} {
		if got := Claims(ours, field); got != want {
			t.Errorf("%q: %v", field, got)
		}
	}
}

func TestRemoveForgedOfManyFieldsRemovesEach(t *testing.T) {
	one := "Authentication-Results: mx.receiver.example; dmarc=pass\r\n"
	got, n := filtered(t, strings.Repeat(one+one+"A: b\r\n", 1000)+one+"\r\n"+one, ours)
	if want := strings.Repeat("A: b\r\n", 1000) + "\r\n" + one; got != want || n != 2001 {
		t.Errorf("removed %d, %d octets left, want %d", n, len(got), len(want))
	}
}

func TestRemoveForgedTakesAnInternationalizedIDInEitherForm(t *testing.T) {
	message := "Authentication-Results: bücher.example; none\r\nAuthentication-Results: XN--BCHER-KVA.example; none\r\n\r\n"
	for _, id := range []string{"bücher.example", "xn--bcher-kva.example"} {
		if got, n := filtered(t, message, id); got != "\r\n" || n != 2 {
			t.Errorf("with id %s: removed %d, got %q", id, n, got)
		}
	}
}

func TestIDsThatDifferInMoreThanASCIIDiffer(t *testing.T) {
	for field, want := range map[string]bool{
		`Authentication-Results: "\u00fc host"; none`: true,
		`Authentication-Results: "\u00dc host"; none`: false,
		`Authentication-Results: host; none`:          false,
	} {
		field = strings.NewReplacer(`\u00fc`, "\u00fc", `\u00dc`, "\u00dc").Replace(field)
		if got := Claims("\u00fc host", field); got != want {
			t.Errorf("%s: %v", field, got)
		}
	}
}

func TestRemoveForgedWithoutAnIDRemovesAll(t *testing.T) {
	if got, n := filtered(t, "Authentication-Results: other.example; none\r\nA: b\r\n\r\n", ""); got != "A: b\r\n\r\n" || n != 1 {
		t.Errorf("removed %d, got %q", n, got)
	}
}

func TestRemoveForgedReturnsErrorsOfItsReaderAndWriter(t *testing.T) {
	broken := errors.New("broken")
	for _, message := range []string{"A: b", "A: b\r\n\r\nbody"} {
		r := io.MultiReader(strings.NewReader(message), iotest.ErrReader(broken))
		if _, err := RemoveForged(io.Discard, r, ours); !errors.Is(err, broken) {
			t.Errorf("reader after %q: got %v", message, err)
		}
		if _, err := RemoveForged(failing{broken}, strings.NewReader(message), ours); !errors.Is(err, broken) {
			t.Errorf("writer of %q: got %v", message, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestRemoveForgedNeedsLittleMemory(t *testing.T) {
	for name, begin := range map[string]string{
		"a forged field": "Authentication-Results: (",
		"another field":  "X: ",
		"a body":         "\r\n",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := RemoveForged(io.Discard, io.MultiReader(strings.NewReader(begin), io.LimitReader(letters{}, 4<<20)), ours)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s of 4 MiB took %d octets of memory", name, n)
		}
	}
}

// letters is an endless reader.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

package compare

import (
	"crypto"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

// A dkimCase is a message with one signature, the zone with its key, and at most two
// peculiarities, which say what is unusual about it.
type dkimCase struct {
	message       string
	zone          resolver.Zone
	peculiarities []string
}

// dkimNow is the time that signatures are dated with: the one side has a clock that
// can be set, the other has only that of the machine.
var dkimNow = time.Now()

// A dkimTwist makes a case peculiar, either before it is signed or after.
type dkimTwist struct {
	name   string
	before func(*dkimDraft)
	after  func(*dkimDraft)
}

// A dkimDraft is a case while it is made.
type dkimDraft struct {
	random  *rand.Rand
	signer  signer
	header  []string // fields, each with its CRLF
	body    string
	key     string // record; empty: none
	more    []string
	zone    resolver.Zone
	message string // once it is signed
}

const (
	dkimDomain = "news.shop.example"
	dkimKey    = "s1._domainkey." + dkimDomain
)

// newDKIMCase makes a case of a random message. Its body is built of pieces that
// canonicalization cares about.
func newDKIMCase(random *rand.Rand, keys []crypto.Signer, twists []dkimTwist) (dkimCase, error) {
	d := &dkimDraft{random: random, zone: resolver.Zone{}}
	for range random.IntN(25) {
		d.body += pick(random, bodyPieces)
	}
	d.header = randomHeader(random)
	key := pick(random, keys)
	d.signer = newSigner(key, dkimDomain, "s1", random.IntN(2) == 0, randomNames(random)...)
	d.signer.fold = pick(random, []string{"\r\n\t", " ", "\r\n  ", ""})
	d.signer.bodyRelaxed = random.IntN(2) == 0
	d.signer.set("c", canonicalizations[d.signer.headerRelaxed]+"/"+canonicalizations[d.signer.bodyRelaxed])
	// The signer signs with whatever tags it has, in whatever order.
	random.Shuffle(len(d.signer.tags), func(i, j int) {
		d.signer.tags[i], d.signer.tags[j] = d.signer.tags[j], d.signer.tags[i]
	})
	d.key = keyRecord(key)

	var names []string
	for _, t := range twists {
		names = append(names, t.name)
		if t.before != nil {
			t.before(d)
		}
	}
	var err error
	if d.message, err = d.signer.sign(strings.Join(d.header, "") + "\r\n" + d.body); err != nil {
		return dkimCase{}, err
	}
	for _, t := range twists {
		if t.after != nil {
			t.after(d)
		}
	}
	if d.key != "" {
		d.more = append(d.more, d.key)
	}
	if _, planted := d.zone[dkimKey]; !planted && len(d.more) > 0 {
		d.zone[dkimKey] = resolver.Records{TXT: d.more}
	}
	return dkimCase{d.message, d.zone, names}, nil
}

var canonicalizations = map[bool]string{false: "simple", true: "relaxed"}

func pick[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

var bodyPieces = []string{
	"a", "word ", " ", "  ", "\t", " \t", "\r\n", "\r\n", "\r\n\r\n", " \r\n", "\t\r\n", "b=x; ", "\x80\xff", "é ",
	"The quick brown fox jumps over the lazy dog.\r\n", "two  spaces and a\ttab\r\n", "\r\n\r\n\r\n\r\n",
	strings.Repeat("QUJDREVGR0hJSktM", 4) + "\r\n", strings.Repeat("x", 990), strings.Repeat(" ", 70), strings.Repeat("a  b\t", 200),
	strings.Repeat("line after line\r\n", 300),
}

// randomHeader has a From field and others, folded and spaced in all legal ways.
func randomHeader(random *rand.Rand) []string {
	names := []string{"From", "Subject", "To"}[:1+random.IntN(3)] // which stand once in a message
	for range random.IntN(8) {
		names = append(names, pick(random, []string{"X-One", "x-one", "X-ONE", "Received", "List-Id", "X-Two-Words"}))
	}
	var fields []string
	for _, name := range names {
		fields = append(fields, name+":"+randomValue(random, name)+"\r\n")
	}
	random.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	return fields
}

func randomValue(random *rand.Rand, name string) string {
	if name == "From" {
		return " Shop <news@shop.example>"
	}
	value := ""
	for range random.IntN(6) {
		value += pick(random, []string{" ", "  ", "\t", "word", "b=", "ü", ":", ";", "\r\n ", " \r\n\tmore", "x"})
	}
	if strings.HasSuffix(value, "\r\n ") {
		value += "end"
	}
	return value
}

// randomNames are for h=: From, and some that the header may have.
func randomNames(random *rand.Rand) []string {
	names := []string{"From"}
	for range random.IntN(8) {
		names = append(names, pick(random, []string{"subject", "Subject", "to", "x-one", "X-One", "Received", "Date", "list-id", "from"}))
	}
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// tampered gives a twist that changes the signed message.
func tampered(change func(d *dkimDraft, header, body string) string) func(*dkimDraft) {
	return func(d *dkimDraft) {
		header, body, _ := strings.Cut(d.message, "\r\n\r\n")
		d.message = change(d, header+"\r\n", body)
	}
}

// tags gives a twist that sets tags of the signature, which is then signed so.
func tags(pairs ...string) func(*dkimDraft) {
	return func(d *dkimDraft) {
		for i := 0; i < len(pairs); i += 2 {
			d.signer.set(pairs[i], pairs[i+1])
		}
	}
}

// record gives a twist that changes the key record.
func record(change func(string) string) func(*dkimDraft) {
	return func(d *dkimDraft) { d.key = change(d.key) }
}

func prefixed(s string) func(*dkimDraft) { return record(func(key string) string { return s + key }) }
func suffixed(s string) func(*dkimDraft) { return record(func(key string) string { return key + s }) }

func replaced(old, new string) func(*dkimDraft) {
	return record(func(key string) string { return strings.Replace(key, old, new, 1) })
}

func unix(t time.Time) string { return fmt.Sprint(t.Unix()) }

// dkimTwists are the peculiarities of cases. Their names are those in dkimDifferences.
var dkimTwists = []dkimTwist{
	// What was done to the message after it was signed.
	{name: "an octet of the body changed", after: tampered(func(d *dkimDraft, header, body string) string {
		return header + "\r\n" + body + "changed"
	})},
	{name: "empty lines added at the end", after: tampered(func(d *dkimDraft, header, body string) string {
		return header + "\r\n" + body + "\r\n\r\n\r\n"
	})},
	{name: "white space of the body changed", after: tampered(func(d *dkimDraft, header, body string) string {
		return header + "\r\n" + strings.ReplaceAll(body, "  ", " \t ")
	})},
	{name: "white space of the header changed", after: tampered(func(d *dkimDraft, header, body string) string {
		return strings.ReplaceAll(header, ": ", ":  ") + "\r\n" + body
	})},
	{name: "names of fields in upper case", after: tampered(func(d *dkimDraft, header, body string) string {
		fields := splitFields(header)
		for i, f := range fields {
			name, value, _ := strings.Cut(f, ":")
			fields[i] = strings.ToUpper(name) + ":" + value
		}
		return strings.Join(fields, "") + "\r\n" + body
	})},
	{name: "a field changed", after: tampered(func(d *dkimDraft, header, body string) string {
		return strings.Replace(header, "Shop", "Shopp", 1) + "\r\n" + body
	})},
	{name: "a Subject field added", after: tampered(func(d *dkimDraft, header, body string) string {
		return "Subject: added\r\n" + header + "\r\n" + body
	})},
	{name: "a trace field added", after: tampered(func(d *dkimDraft, header, body string) string {
		return "Received: by here\r\n" + header + "\r\n" + body
	})},
	{name: "a field removed", after: tampered(func(d *dkimDraft, header, body string) string {
		fields := splitFields(header)
		return strings.Join(fields[:len(fields)-1], "") + "\r\n" + body
	})},
	{name: "an octet of b= changed", after: tampered(func(d *dkimDraft, header, body string) string {
		return strings.Replace(header, " b=", " b=AAAA", 1) + "\r\n" + body
	})},

	// What the signature says.
	{name: "i= below d=", before: tags("i", "joe@mail."+dkimDomain)},
	{name: "i= of another domain", before: tags("i", "joe@other.example")},
	{name: "i= ends like d= within a label", before: tags("i", "joe@bad"+dkimDomain)},
	{name: "i= in upper case", before: tags("i", "@"+strings.ToUpper(dkimDomain))},
	{name: "d= in upper case", before: tags("d", strings.ToUpper(dkimDomain))},
	{name: "x= in the past", before: tags("x", unix(dkimNow.Add(-time.Hour)))},
	{name: "x= in the future", before: tags("x", unix(dkimNow.Add(time.Hour)))},
	{name: "x= before t=", before: tags("t", unix(dkimNow.Add(2*time.Minute)), "x", unix(dkimNow.Add(time.Minute)))},
	{name: "t= in the future", before: tags("t", unix(dkimNow.Add(24*time.Hour)))},
	{name: "t= is not a number", before: tags("t", "yesterday")},
	{name: "l= covers all of the body", before: func(d *dkimDraft) {
		d.signer.set("l", fmt.Sprint(d.signer.bodyLength(d.body)))
	}},
	{name: "l= covers half of the body", before: func(d *dkimDraft) {
		d.body += "the end\r\n"
		d.signer.set("l", fmt.Sprint(d.signer.bodyLength(d.body)/2))
	}},
	{name: "v= missing", before: func(d *dkimDraft) { d.signer.remove("v") }},
	{name: "h= missing", before: func(d *dkimDraft) { d.signer.remove("h") }},
	{name: "v=2", before: tags("v", "2")},
	{name: "a=rsa-sha1", before: tags("a", "rsa-sha1")},
	{name: "a= in upper case", before: func(d *dkimDraft) {
		for i := range d.signer.tags {
			if d.signer.tags[i].name == "a" {
				d.signer.tags[i].value = strings.ToUpper(d.signer.tags[i].value)
			}
		}
	}},
	{name: "a= unknown", before: tags("a", "rsa-sha512")},
	{name: "c= unknown", before: tags("c", "nowsp/simple")},
	{name: "q= known and unknown", before: tags("q", "x/y:dns/txt")},
	{name: "q= unknown", before: tags("q", "x/y")},
	{name: "an unknown tag", before: tags("foo", "bar")},
	{name: "z= with a b= in it", before: tags("z", "Subject:a b=20c|To:x")},
	{name: "a tag twice", before: func(d *dkimDraft) { d.signer.tags = append(d.signer.tags, tag{"d", dkimDomain}) }},
	{name: "From not signed", before: tags("h", "Subject")},
	{name: "h= with spaces", before: func(d *dkimDraft) {
		d.signer.set("h", strings.ReplaceAll(d.signer.get("h"), ":", " :\r\n\t "))
	}},
	{name: "From in h= once too often", before: func(d *dkimDraft) { d.signer.set("h", d.signer.get("h")+":From:From") }},
	{name: "b= folded", after: tampered(func(d *dkimDraft, header, body string) string {
		i := strings.Index(header, " b=") + 3
		return header[:i+10] + "\r\n\t " + header[i+10:] + "\r\n" + body
	})},

	// The key record.
	{name: "no key", before: record(func(string) string { return "" })},
	{name: "the key is revoked", before: record(func(string) string { return "v=DKIM1; p=" })},
	{name: "another key", before: record(func(string) string { return otherKey })},
	{name: "the record is no key", before: record(func(string) string { return "hello" })},
	{name: "p= is no base64", before: record(func(string) string { return "v=DKIM1; p=!!" })},
	{name: "no v= in the key record", before: replaced("v=DKIM1; ", "")},
	{name: "v=DKIM2 in the key record", before: replaced("v=DKIM1", "v=DKIM2")},
	{name: "v= not first in the key record", before: record(func(key string) string {
		return strings.TrimPrefix(key, "v=DKIM1; ") + "; v=DKIM1"
	})},
	{name: "k= of another type", before: record(func(key string) string {
		if strings.Contains(key, "k=rsa") {
			return strings.Replace(key, "k=rsa", "k=ed25519", 1)
		}
		return strings.Replace(key, "k=ed25519", "k=rsa", 1)
	})},
	{name: "k= unknown", before: record(func(string) string { return "v=DKIM1; k=ecdsa; p=AAAA" })},
	{name: "h=sha1:sha256 in the key record", before: suffixed("; h=sha1:sha256")},
	{name: "h=sha1 in the key record", before: suffixed("; h=sha1")},
	{name: "s=email in the key record", before: suffixed("; s=email")},
	{name: "s=* in the key record", before: suffixed("; s=*")},
	{name: "s=tlsrpt in the key record", before: suffixed("; s=tlsrpt")},
	{name: "t=y in the key record", before: suffixed("; t=y")},
	{name: "t=s in the key record", before: suffixed("; t=s")},
	{name: "a tag twice in the key record", before: suffixed("; n=a; n=b")},
	{name: "an unknown tag in the key record", before: suffixed("; zz=b")},
	{name: "white space in p=", before: replaced("p=", "p= \r\n ")},
	{name: "a semicolon at the end of the key record", after: suffixed(";")},
	{name: "spaces before the key record", before: prefixed("  ")},
	{name: "a broken record beside the key", before: func(d *dkimDraft) { d.more = []string{"v=spf1 -all"} }},
	{name: "another key beside the key", before: func(d *dkimDraft) { d.more = []string{otherKey} }},
	{name: "DNS fails", before: func(d *dkimDraft) {
		d.zone[dkimKey] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	}},

	// The octets of the message.
	{name: "a bare LF in the body", before: func(d *dkimDraft) { d.body = "a\nb\r\n" + d.body }},
	{name: "a bare CR in the body", before: func(d *dkimDraft) { d.body = "a\rb \rc\r\n" + d.body }},
	{name: "no empty line after the header", after: func(d *dkimDraft) {
		header, _, _ := strings.Cut(d.message, "\r\n\r\n")
		d.message = header + "\r\n"
	}},
	{name: "white space before a colon", before: func(d *dkimDraft) {
		d.header = append([]string{"X-One \t: a\r\n"}, d.header...)
	}},
	{name: "a Unix file", after: func(d *dkimDraft) { d.message = strings.ReplaceAll(d.message, "\r\n", "\n") }},
}

// otherKey is an Ed25519 key that nothing is signed with.
const otherKey = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

// randomTwists takes none, one or two.
func randomTwists(random *rand.Rand) []dkimTwist {
	var twists []dkimTwist
	for range []int{0, 1, 1, 1, 1, 1, 2, 2}[random.IntN(8)] {
		twists = append(twists, pick(random, dkimTwists))
	}
	if len(twists) == 2 && twists[0].name == twists[1].name {
		twists = twists[:1]
	}
	return twists
}

func dkimKeys() []crypto.Signer {
	return []crypto.Signer{testKey("a"), testKey("a"), testKey("b"), testKey("rsa"), testKey("rsa1024")}
}

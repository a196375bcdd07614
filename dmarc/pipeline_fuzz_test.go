package dmarc_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// What a fuzzed message is checked with.
const (
	signAsShop = 1 << iota
	signAsStranger
	signAsBelowShop
	appendToBody
	hostileKeys // the records of keys are the fuzzer's
	byList
	literal
	evaluateAll
	reverseRecords
)

// faulty is a zone in which questions go wrong as the octets say, the same ones each time.
type faulty struct {
	zone   resolver.Zone
	faults []byte
}

func (f *faulty) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	answer, err := f.zone.Resolve(ctx, q)
	if len(f.faults) == 0 {
		return answer, err
	}
	h := fnv.New32a()
	h.Write([]byte(q.String()))
	switch f.faults[h.Sum32()%uint32(len(f.faults))] % 16 {
	case 10:
		return resolver.Answer{}, resolver.ErrServFail
	case 11:
		return resolver.Answer{}, fmt.Errorf("asking %s: %w", q, resolver.ErrTimeout)
	case 12:
		return resolver.Answer{}, &resolver.Error{Question: q, Err: resolver.ErrNXDomain}
	case 13:
		panic("defect")
	case 14:
		return resolver.Answer{}, nil
	case 15:
		return resolver.Answer{Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.5")}, TXT: []string{"\x00", "v=DMARC1;p=none"}, PTR: []string{"..", ""}}, nil
	}
	return answer, err
}

// FuzzPipeline checks that whatever comes in a message, an SMTP session and DNS, the result
// is one that can be relied on.
func FuzzPipeline(f *testing.F) {
	const message = "From: a@shop.example\r\nTo: b@receiver.example\r\nSubject: hi\r\n\r\nhello\r\n"
	const policy, record, key = "v=DMARC1; p=reject", "v=spf1 ip4:203.0.113.5 -all", "v=DKIM1; k=rsa; p=AAAA"
	for _, options := range []uint16{0, signAsShop, signAsStranger, signAsBelowShop, signAsShop | appendToBody, signAsShop | hostileKeys, byList | signAsBelowShop, literal} {
		f.Add([]byte(message), "mail.shop.example", "a@shop.example", record, policy, key, []byte{}, options)
		f.Add([]byte(message), "out.stranger.example", "a@stranger.example", record, policy, key, []byte{0, 10, 0, 11, 0, 12, 13}, options)
	}
	f.Add([]byte("From: a@shop.example, b@stranger.example\r\n\r\n"), "", "", "v=spf1 include:%{d} ?all", "v=DMARC1; p=quarantine; sp=none; np=reject; adkim=s; t=y", key, []byte{14, 15}, uint16(evaluateAll))
	f.Add([]byte("DKIM-Signature: v=1; a=rsa-sha256; d=shop.example; s=s; h=from; bh=; b=\r\nFrom: =?x?Q?y?= <a@b.\u00fc.example>\r\n\r\n"), "[192.0.2.1]", "\"a@b\"@shop.example",
		"v=spf1 a mx ptr exists:%{ir}.%{v}.%{l1r-}.%{d2} redirect=x.shop.example exp=%{h}.shop.example", "v=DMARC1; p=none; psd=n; rua=mailto:a@b!9", key, []byte{1}, uint16(signAsShop|reverseRecords))
	f.Add([]byte("From : a@shop.example\nSubject: x\r\n\r\n"), "\xff\x00", "@a,@b:c@shop.example", "v=spf1 +all", "v=DMARC1; psd=y; np=reject", key, []byte{0, 0, 0, 10}, uint16(literal))

	f.Fuzz(func(t *testing.T, message []byte, helo, mailFrom, record, policy, key string, faults []byte, options uint16) {
		zone := fuzzZone(record, policy, key, options)
		message = fuzzSign(t, message, options)
		e := dmarc.Envelope{IP: netip.MustParseAddr("203.0.113.5"), HELO: helo, MailFrom: mailFrom}
		checkPipeline(t, e, message, zone, faults, options)
	})
}

// checkPipeline checks a message twice, in different pieces, and what came of it.
func checkPipeline(t *testing.T, e dmarc.Envelope, message []byte, zone resolver.Zone, faults []byte, options uint16) *dmarc.Result {
	t.Helper()
	var results [2]*dmarc.Result
	for i := range results {
		dns := &counting{Resolver: &faulty{zone, faults}}
		v := &dmarc.Verifier{Resolver: dns, Draw: func() float64 { return 0.5 }, Now: func() time.Time { return time.Unix(1780315200, 0) }}
		fuzzSettings(v, options)
		s := v.Begin(t.Context(), e)
		for rest := message; len(rest) > 0; {
			n := len(rest)
			if i > 0 {
				n = min(n, 1+int(options)%61)
			}
			if _, err := s.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		result, err := s.Finish()
		if err != nil {
			t.Fatal(err)
		}
		results[i] = result
		checkQuestions(t, dns)
	}
	if outcome(results[0]) != outcome(results[1]) {
		t.Errorf("twice the same message:\n%s\n%s", outcome(results[0]), outcome(results[1]))
	}
	checkVerdict(t, results[0])
	checkJSON(t, results[0])
	checkText(t, results[0])
	return results[0]
}

func fuzzZone(record, policy, key string, options uint16) resolver.Zone {
	public := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(attackKeys()["ed_victim"].public[:ed25519.PublicKeySize])
	keys := []string{public}
	if options&hostileKeys != 0 {
		keys = strings.Split(key, "\n")
	}
	records, policies := strings.Split(record, "\n"), strings.Split(policy, "\n")
	zone := resolver.Zone{
		"shop.example":                  {TXT: records, A: []string{"203.0.113.5"}, MX: []string{"10 mail.shop.example"}},
		"*.shop.example":                {TXT: records, A: []string{"198.51.100.1"}},
		"mail.shop.example":             {TXT: records, A: []string{"203.0.113.5"}},
		"_dmarc.shop.example":           {TXT: policies},
		"s._domainkey.shop.example":     {TXT: keys},
		"s._domainkey.a.shop.example":   {TXT: keys},
		"stranger.example":              {TXT: records},
		"out.stranger.example":          {TXT: []string{"v=spf1 ip4:203.0.113.5 -all"}},
		"s._domainkey.stranger.example": {TXT: keys},
		"_dmarc.stranger.example":       {TXT: policies},
		"5.113.0.203.in-addr.arpa":      {PTR: []string{"mail.shop.example", "x.shop.example"}},
	}
	if options&reverseRecords != 0 {
		return reversed(zone)
	}
	return zone
}

// fuzzSign signs a message as somebody who has the keys, in a way that is valid unless the
// body is added to.
func fuzzSign(t *testing.T, message []byte, options uint16) []byte {
	if !bytes.Contains(message, []byte("\r\n\r\n")) {
		return message
	}
	text := string(message)
	for _, signer := range []struct {
		option uint16
		name   string
	}{{signAsShop, "shop.example"}, {signAsStranger, "stranger.example"}, {signAsBelowShop, "a.shop.example"}} {
		if options&signer.option != 0 {
			s := attackSignature{Key: "ed_victim", A: "ed25519-sha256", D: signer.name, S: "s", H: "from:subject", C: "relaxed/relaxed"}
			text = s.sign(t, text)
		}
	}
	if options&appendToBody != 0 {
		text += "more\r\n"
	}
	return []byte(text)
}

func fuzzSettings(v *dmarc.Verifier, options uint16) {
	switch {
	case options&byList != 0:
		v.Discovery.Mode = discovery.PublicSuffix
	case options&literal != 0:
		v.Discovery.Mode = discovery.TreeWalkLiteral
	}
	if options&evaluateAll != 0 {
		v.InvalidAuthor = dmarc.InvalidAuthorEvaluateAll
	}
}

func checkQuestions(t *testing.T, dns *counting) {
	t.Helper()
	for _, q := range dns.questions {
		if problem := questionProblem(q); problem != "" {
			t.Errorf("%q: %s", q, problem)
		}
	}
	if n, most := len(dns.questions), 100+3*discovery.DefaultQuestions; n > most { // of up to four Author Domains
		t.Errorf("%d questions, want at most %d", n, most)
	}
}

// checkVerdict holds the verdicts of a result against its parts.
func checkVerdict(t *testing.T, r *dmarc.Result) {
	t.Helper()
	verdicts := append([]dmarc.Verdict{r.DMARC}, r.Others...)
	for _, v := range verdicts {
		one := *r
		one.DMARC = v
		if problem := passProblem(&one); problem != "" {
			t.Error(problem)
		}
		for _, i := range v.Identifiers {
			if i.Authenticated && i.Alignment == discovery.Aligned && !couldAlign(i.Domain, v) {
				t.Errorf("%s is aligned with %s: %+v", i.Domain, v.AuthorDomain, v.Discovery.Organizations)
			}
		}
		switch disposition := v.Disposition; v.Status {
		case dmarc.StatusPass, dmarc.StatusNone:
			if disposition != dmarc.DispositionNone {
				t.Errorf("%s with %s", v.Status, disposition)
			}
		case dmarc.StatusFail:
			if disposition == dmarc.DispositionTempFail || v.Policy == record.PolicyUnset {
				t.Errorf("%s with %s for the policy %q", v.Status, disposition, v.Policy)
			}
		case dmarc.StatusTempError:
			if disposition != dmarc.DispositionTempFail && disposition != dmarc.DispositionNone {
				t.Errorf("%s with %s", v.Status, disposition)
			}
		case dmarc.StatusPermError:
			if disposition != dmarc.DispositionReject || r.Author.Err == nil {
				t.Errorf("%s with %s (%v)", v.Status, disposition, r.Author.Err)
			}
		}
		if d := v.Discovery; v.Status == dmarc.StatusNone && d.Queries[0].Err != nil {
			t.Errorf("none, although %s gave no answer: %v", d.Queries[0].Domain, d.Queries[0].Err)
		}
	}
	if r.SPF.Status == spf.StatusPass && r.SPF.Mechanism == "" {
		t.Error("an SPF pass without a term that matched")
	}
	for _, d := range r.DKIM {
		if pass := d.Status == dkim.StatusPass; pass != (d.Err == nil) || pass && !d.HeaderVerified {
			t.Errorf("dkim %s (%v), header verified: %v", d.Status, d.Err, d.HeaderVerified)
		}
	}
}

// couldAlign reports whether two names can be of one organization at all: a public suffix is
// none unless it says so itself.
func couldAlign(name string, v dmarc.Verdict) bool {
	shared := name
	for !domain.Within(v.AuthorDomain, shared) {
		shared = domain.Parent(shared)
	}
	if shared == v.AuthorDomain || domain.Labels(shared) > 1 && !(alignment.PublicSuffix{}).Is(shared) {
		return true
	}
	for _, q := range v.Discovery.Queries {
		if q.Domain == shared && q.Record != nil {
			return q.Record.PSD == record.PSDNo || v.Discovery.Mode == discovery.TreeWalkLiteral
		}
	}
	return false
}

// checkText checks that nothing hostile leaves.
func checkText(t *testing.T, r *dmarc.Result) {
	t.Helper()
	text := authres.Format("mx.receiver.example", r)
	field, err := authres.Parse(text)
	if err != nil && !errors.Is(err, authres.ErrLimit) || !printable(strings.ReplaceAll(text, "\r\n\t", "")) {
		t.Errorf("%v in the field %q", err, text)
	}
	if last := field.Results[len(field.Results)-1]; last.Method != "dmarc" || last.Value != r.DMARC.Status.String() {
		t.Errorf("the field says %s=%s:\n%s", last.Method, last.Value, text)
	}
	if reply, ok := r.SMTPReply(); ok && !printable(reply.String()) {
		t.Errorf("SMTP reply %q", reply)
	}
	if !printable(r.SPF.Explanation) {
		t.Errorf("explanation %q", r.SPF.Explanation)
	}
	checkExplained(t, r)
}

// checkExplained checks that an explanation can be shown on a terminal and on a page.
func checkExplained(t testing.TB, r *dmarc.Result) {
	t.Helper()
	var text, page bytes.Buffer
	e := explain.Explain(r)
	e.Text(&text, explain.TextOptions{})
	for i, c := range text.Bytes() {
		if c < ' ' && c != '\n' || c == 0x7f {
			t.Errorf("octet %#x in the explanation at %q", c, text.Bytes()[max(0, i-40):i+1])
		}
	}
	e.HTML(&page)
	for _, tag := range []string{"<script", "</spf>", "</selector>", "</header_from>", "<![CDATA["} {
		if strings.Contains(page.String(), tag) {
			t.Errorf("%s on the page", tag)
		}
	}
	if summary := e.Answer.Verdict + strings.Join(e.Answer.Sentences, " "); strings.ContainsAny(summary, "\x00\x1b\r\n\x7f") {
		t.Errorf("summary %q", summary)
	}
}

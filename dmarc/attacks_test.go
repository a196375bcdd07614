package dmarc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
)

// An attackRun is one verification of the message of an attack, and what is known of it.
type attackRun struct {
	*attack
	corpus   *attackCorpus
	envelope dmarc.Envelope
	message  string
	zone     resolver.Zone

	// The settings that are not the defaults.
	discovery discovery.Options
	limits    dkim.Limits
	draw      func() float64

	dns    *counting
	result *dmarc.Result
	field  *authres.Field // the Authentication-Results field of the result
	text   string         // as it was written
}

func TestAttacks(t *testing.T) {
	corpus := loadAttacks(t)
	s := suite.New(t, "attacks")
	for _, a := range corpus.Cases {
		s.Run(a.ID+" "+a.Title, func(t *testing.T) {
			for n, message := range a.messages(t, corpus) {
				r := &attackRun{attack: a, corpus: corpus, envelope: a.envelope(t), message: message, zone: a.zone(t)}
				if n > 0 {
					t.Logf("variant %d", n+1)
				}
				r.test(t)
				if check := attackReports()[a.ID]; check != nil {
					check(t, r)
				} else if a.Area == "report" {
					t.Error("nothing checks the report")
				}
			}
		})
	}
}

// test meets the expectations of the case with the default settings, in all ways that must
// make no difference, and under the other revisions of the standard.
func (r *attackRun) test(t *testing.T) {
	if d, ok := attackDisagreements()[r.ID]; ok {
		t.Logf("instead of what the corpus expects: %s", d.why)
		r.verify(t, 0)
		d.check(t, r)
		if d.instead == nil {
			return
		}
		d.instead(t, r)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	took := r.verify(t, 0)
	wall := time.Since(start)
	runtime.ReadMemStats(&after)

	r.expectations(t, r.Expect.DMARC, r.Expect.Disposition)
	r.invariants(t)
	if check := attackChecks()[r.ID]; check != nil {
		check(t, r)
	}
	if limit := time.Duration(r.Expect.MaxMS) * time.Millisecond; limit > 0 {
		// The clock within the bubble is that of DNS. The other one depends on the
		// machine, the race detector and its neighbours: it bounds what has gone
		// wrong by orders of magnitude. What the work is, budget_test.go counts.
		if took > limit {
			t.Errorf("DNS took %s, want at most %s", took, limit)
		}
		if generous := 10*limit + time.Second; wall > generous {
			t.Errorf("took %s, want less than %s by far", wall, generous)
		}
	}
	if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; r.Expect.MaxAllocMB > 0 && mb > r.Expect.MaxAllocMB {
		t.Errorf("allocated %d MB, want at most %d", mb, r.Expect.MaxAllocMB)
	}

	// The questions are asked in another order when answers have to be waited for.
	first := r.result
	r.verify(t, 20*time.Millisecond)
	r.expectations(t, r.Expect.DMARC, r.Expect.Disposition)
	if outcome(first) != outcome(r.result) {
		t.Errorf("with DNS that takes its time\n%s, want\n%s", outcome(r.result), outcome(first))
	}
	for name, want := range r.Expect.Alt {
		other := *r
		other.discovery.Mode = map[string]discovery.Mode{
			"rfc7489":         discovery.PublicSuffix,
			"rfc9989-literal": discovery.TreeWalkLiteral,
		}[name]
		other.verify(t, 0)
		status := want.DMARC
		if status == "" {
			status = r.Expect.DMARC
		}
		other.expectations(t, status, want.Disposition)
	}
}

// verify runs the verifier in a bubble whose clock only DNS moves, and returns how long DNS
// took. It fails if a goroutine stays behind. With a delay, the message is written in small
// pieces.
func (r *attackRun) verify(t *testing.T, delay time.Duration) (took time.Duration) {
	t.Helper()
	r.dns = &counting{Resolver: r.zone, delay: delay}
	synctest.Test(t, func(t *testing.T) {
		v := &dmarc.Verifier{
			Resolver: r.dns, Discovery: r.discovery, Draw: r.draw,
			DKIM: dkim.Options{Limits: r.limits},
			Now:  func() time.Time { return r.corpus.Meta.Now },
		}
		start := time.Now()
		session := v.Begin(t.Context(), r.envelope)
		piece := len(r.message)
		if delay > 0 {
			piece = max(7, len(r.message)>>12)
		}
		for rest := []byte(r.message); len(rest) > 0; {
			n := min(piece, len(rest))
			if _, err := session.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		result, err := session.Finish()
		if err != nil {
			t.Fatal(err)
		}
		r.result, took = result, time.Since(start)
	})
	return took
}

func (r *attackRun) expectations(t *testing.T, verdict, disposition string) {
	t.Helper()
	check := func(what string, got fmt.Stringer, want string, why error) {
		t.Helper()
		if !slices.Contains(strings.Split(want, "|"), got.String()) {
			t.Errorf("%s: %s (%v), want %s", what, got, why, want)
		}
	}
	v := r.result.DMARC
	check("spf", r.result.SPF.Status, r.Expect.SPF, r.result.SPF.Err)
	check("dmarc", v.Status, verdict, v.Err)
	check("disposition", v.Disposition, disposition, v.Err)

	switch {
	case slices.Equal(r.Expect.DKIM, []string{"no-pass"}):
		for _, d := range r.result.DKIM {
			if d.Status == dkim.StatusPass {
				t.Errorf("dkim: a pass for %s", d.Domain)
			}
		}
	case len(r.result.DKIM) != len(r.Expect.DKIM) && !errors.Is(v.Err, dmarc.ErrHeaderLimit):
		t.Errorf("dkim: %d results, want %d", len(r.result.DKIM), len(r.Expect.DKIM))
	default:
		for i, d := range r.result.DKIM {
			check("dkim "+strconv.Itoa(i), d.Status, r.Expect.DKIM[i], d.Err)
		}
	}
	author := v.AuthorDomain
	if author == "" {
		author = "-"
	}
	if !slices.Contains(strings.Split(expand(r.Expect.HeaderFrom), "|"), author) {
		t.Errorf("Author Domain %s, want %s", author, r.Expect.HeaderFrom)
	}
	// The corpus does not count the check of HELO, which RFC 7208, section 2.3, recommends
	// beside that of MAIL FROM.
	n, helo := len(r.dns.asked()), r.result.HELO.Questions
	if most := r.Expect.MaxQueries; most > 0 && n-helo > most {
		t.Errorf("%d questions without the %d for HELO, want at most %d:\n%s", n-helo, helo, most, strings.Join(r.dns.asked(), "\n"))
	}
}

// invariants are what must hold for every message there is.
func (r *attackRun) invariants(t *testing.T) {
	t.Helper()
	r.passesOnlyByAlignment(t)
	r.namesAreNames(t)
	r.fieldIsWhatItSays(t)
	r.stripsForgedFields(t)
	r.reported(t)
	checkJSON(t, r.result)
	checkExplained(t, r.result)
	if reply, ok := r.result.SMTPReply(); ok && !printable(reply.String()) {
		t.Errorf("SMTP reply %q", reply)
	}
	if !printable(r.result.SPF.Explanation) || len(r.result.SPF.Explanation) > 500 {
		t.Errorf("explanation %q", r.result.SPF.Explanation)
	}
}

func (r *attackRun) passesOnlyByAlignment(t *testing.T) {
	t.Helper()
	if problem := passProblem(r.result); problem != "" {
		t.Error(problem)
	}
}

// namesAreNames reports questions that no resolver should be asked, and DMARC questions
// beyond the eight of each walk.
func (r *attackRun) namesAreNames(t *testing.T) {
	t.Helper()
	for _, q := range r.dns.questions {
		if problem := questionProblem(q); problem != "" {
			t.Errorf("%q: %s", q, problem)
		}
	}
	if n := len(r.dns.asked("_dmarc.")); n > discovery.DefaultQuestions {
		t.Errorf("%d questions for DMARC records", n)
	}
}

// fieldIsWhatItSays checks that the Authentication-Results field reads back as the results
// that it was written from.
func (r *attackRun) fieldIsWhatItSays(t *testing.T) {
	t.Helper()
	r.text = authres.Format(r.corpus.Meta.AuthservID, r.result)
	field, err := authres.Parse(r.text)
	if err != nil {
		t.Fatalf("%v in the field\n%s", err, r.text)
	}
	r.field = field
	var got []string
	for _, result := range field.Results {
		if result.Method == "spf" && result.Property("smtp", "helo") != "" && r.envelope.MailFrom != "" {
			continue // of HELO, beside that of MAIL FROM
		}
		got = append(got, result.Method+"="+result.Value)
	}
	want := []string{"spf=" + r.result.SPF.Status.String()}
	for _, d := range r.result.DKIM {
		want = append(want, "dkim="+d.Status.String())
	}
	if len(r.result.DKIM) == 0 {
		want = append(want, "dkim=none")
	}
	want = append(want, "dmarc="+r.result.DMARC.Status.String())
	if field.ID != r.corpus.Meta.AuthservID || !slices.Equal(got, want) {
		t.Errorf("the field says %s %q, want %q:\n%s", field.ID, got, want, r.text)
	}
	if r.result.DMARC.Status != dmarc.StatusPass && strings.Contains(r.text, "dmarc=pass") {
		t.Errorf("a pass that is none, somewhere in the field\n%s", r.text)
	}
	for line := range strings.SplitSeq(r.text, "\r\n\t") {
		if !printable(line) {
			t.Errorf("the field is not one field of printable ASCII: %q", r.text)
		}
	}
}

// stripsForgedFields checks that exactly the fields that claim to be ours are removed.
func (r *attackRun) stripsForgedFields(t *testing.T) {
	t.Helper()
	var kept []string
	for i, field := range r.Message.Fields {
		if !slices.Contains(r.Expect.Strip, i) {
			kept = append(kept, field)
		}
	}
	want := r.message
	if len(r.Expect.Strip) > 0 {
		want = r.corpus.message(&r.Message, kept...)
	}
	var out bytes.Buffer
	removed, err := authres.RemoveForged(&out, strings.NewReader(r.message), r.corpus.Meta.AuthservID)
	if err != nil || removed != len(r.Expect.Strip) || out.String() != want {
		t.Errorf("removed %d forged fields (%v), want %d:\n%q", removed, err, len(r.Expect.Strip), out.String()[:min(out.Len(), 2000)])
	}
}

// checkJSON checks that a result reads back as what was written. What is not UTF-8 is read
// back as U+FFFD, of which there are two ways to write it.
func checkJSON(t testing.TB, r *dmarc.Result) {
	t.Helper()
	var values [2]any
	var back dmarc.Result
	for i, result := range []*dmarc.Result{r, &back} {
		text, err := json.Marshal(result)
		if err == nil {
			err = json.Unmarshal(text, &values[i])
		}
		if i == 0 && err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil {
			t.Errorf("JSON: %v in %.2000s", err, text)
			return
		}
	}
	if !reflect.DeepEqual(values[0], values[1]) {
		t.Errorf("read back from JSON as\n%v\nwant\n%v", values[1], values[0])
	}
}

// outcome is what people decide by.
func outcome(r *dmarc.Result) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.SPF.Status, r.SPF.Err, r.HELO.Status, r.DMARC.Status, r.DMARC.Disposition, r.DMARC.AuthorDomain)
	for _, d := range r.DKIM {
		fmt.Fprintln(&b, d.Status, d.Domain, d.Err)
	}
	return b.String()
}

// passProblem says what is wrong with a pass, or with its absence.
func passProblem(r *dmarc.Result) string {
	aligned := false
	for _, i := range r.DMARC.Identifiers {
		passed := i.Method == dmarc.MethodSPF && r.SPF.Status.String() == "pass" && r.SPF.Domain == i.Domain ||
			i.Method == dmarc.MethodDKIM && r.DKIM[i.Signature].Status == dkim.StatusPass && r.DKIM[i.Signature].Domain == i.Domain
		if i.Authenticated != passed {
			return fmt.Sprintf("%s %s: authenticated %v, which its result does not say", i.Method, i.Domain, i.Authenticated)
		}
		aligned = aligned || passed && i.Alignment == discovery.Aligned
	}
	if pass := r.DMARC.Status == dmarc.StatusPass; pass && !aligned {
		return "a pass without an aligned identifier that passed"
	} else if pass != (r.DMARC.Err == nil) {
		return fmt.Sprintf("%s with the error %v", r.DMARC.Status, r.DMARC.Err)
	}
	return ""
}

// questionProblem says why DNS should not have been asked a question.
func questionProblem(q resolver.Question) string {
	if len(q.Name) > 253 {
		return "more than 253 octets"
	}
	for label := range strings.SplitSeq(q.Name, ".") {
		if len(label) == 0 || len(label) > 63 {
			return "a label of " + strconv.Itoa(len(label)) + " octets"
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") == "" {
			continue
		}
		// A domain-spec of SPF may hold what a sender's address holds: RFC 7208, section 7.1.
		if strings.HasPrefix(q.Name, "_dmarc.") || strings.Contains(q.Name, "._domainkey.") || !printable(label) {
			return "an octet that no such name has"
		}
	}
	return ""
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

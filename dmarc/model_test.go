package dmarc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A world is all that a verdict depends on, as it is when DNS answers every question. Its
// methods are RFC 9989 word by word, without a thought for speed: what a verdict ought to be.
type world struct {
	literal bool              // without the floor of the public suffix list
	records map[string]string // by name; several are separated by "|"
	absent  bool              // the Author Domain does not exist

	author     string
	mailFrom   modelIdentity
	signatures []modelIdentity
}

type modelIdentity struct {
	domain string
	passes bool
	open   bool // DNS left open whether it passes
}

// parsed are records by their text.
var parsed = map[string]*record.Record{}

// at returns the one valid record of a name, or nil: section 4.10, step 2.
func (w *world) at(name string) *record.Record {
	var found *record.Record
	for text := range strings.SplitSeq(w.records[name], "|") {
		r, isDMARC := parsed[text], record.IsDMARC(text)
		if r == nil && isDMARC {
			r, _, _ = record.Parse(text, record.RFC9989)
			parsed[text] = r
		}
		if isDMARC && found != nil {
			return nil
		}
		if isDMARC {
			found = r
		}
	}
	return found
}

// walk returns the names of a walk that have a record, longest first: section 4.10.
func (w *world) walk(start string) (found []string) {
	labels := strings.Split(start, ".")
	for n := len(labels); n > 0; n-- {
		if n < len(labels) && n > 7 {
			n = 7
		}
		name := strings.Join(labels[len(labels)-n:], ".")
		r := w.at(name)
		if r == nil {
			continue
		}
		found = append(found, name)
		if r.PSD != record.PSDUnknown {
			break
		}
	}
	return found
}

// oneBelow returns the name one label below an ancestor of start, on the path to it.
func oneBelow(ancestor, start string) string {
	return domain.Last(start, domain.Labels(ancestor)+1)
}

// walked returns the Organizational Domain of a name by the walk alone: section 4.10.2.
func (w *world) walked(start string) string {
	found := w.walk(start)
	for _, name := range found {
		switch psd := w.at(name).PSD; {
		case psd == record.PSDNo:
			return name
		case psd == record.PSDYes && name != start:
			return oneBelow(name, start)
		}
	}
	if len(found) == 0 {
		return start
	}
	return found[len(found)-1]
}

// organization returns the Organizational Domain of a name: that of the walk, unless it is a
// listed suffix, or stands above one on the path. Then it is the name below the lowest listed
// suffix whose record does not say psd=n.
func (w *world) organization(start string) string {
	org := w.walked(start)
	if w.literal {
		return org
	}
	clamp, lowest := false, ""
	for name := start; name != ""; name = domain.Parent(name) {
		if !(alignment.PublicSuffix{}).Is(name) {
			continue
		}
		clamp = clamp || domain.Within(name, org)
		if r := w.at(name); lowest == "" && (r == nil || r.PSD != record.PSDNo) {
			lowest = name
		}
	}
	switch {
	case !clamp || lowest == "":
		return org
	case lowest == start:
		return start
	}
	return oneBelow(lowest, start)
}

// policyRecord returns the record that gives the policy, and whose it is: section 4.10.1.
func (w *world) policyRecord() (*record.Record, string) {
	candidates := []string{w.author, w.organization(w.author), w.walked(w.author)}
	for _, name := range w.walk(w.author) {
		if w.at(name).PSD == record.PSDYes {
			candidates = append(candidates, name)
		}
	}
	for _, name := range candidates {
		if slices.Contains(w.walk(w.author), name) {
			return w.at(name), name
		}
	}
	return nil, ""
}

// An ending is what becomes of a message.
type ending struct {
	status      dmarc.Status
	disposition dmarc.Disposition
}

func (w *world) ending() ending {
	r, owner := w.policyRecord()
	if r == nil || r.Policy == record.PolicyUnset {
		return ending{dmarc.StatusNone, dmarc.DispositionNone}
	}
	aligned := func(i modelIdentity, mode alignment.Mode) bool {
		if !i.passes {
			return false
		}
		return i.domain == w.author || mode == alignment.Relaxed && w.organization(i.domain) == w.organization(w.author)
	}
	pass := aligned(w.mailFrom, r.SPFAlignment)
	for _, s := range w.signatures {
		pass = pass || aligned(s, r.DKIMAlignment)
	}
	if pass {
		return ending{dmarc.StatusPass, dmarc.DispositionNone}
	}
	policy := r.SubdomainPolicy
	switch {
	case owner == w.author:
		policy = r.Policy
	case w.absent:
		policy = r.NonexistentPolicy
	}
	if r.Testing && policy > record.PolicyNone {
		policy--
	}
	return ending{dmarc.StatusFail, map[record.Policy]dmarc.Disposition{
		record.PolicyNone: dmarc.DispositionNone, record.PolicyQuarantine: dmarc.DispositionQuarantine, record.PolicyReject: dmarc.DispositionReject,
	}[policy]}
}

// modelCases is how many cases a run of the tests takes: each is evaluated in many worlds.
const modelCases = 3_000

// unanswered stands for the record of a name whose question fails.
const unanswered = "SERVFAIL"

// possibleRecords are what may stand behind a question that fails. That a listed suffix says
// psd=n is not presumed.
func (w *world) possibleRecords(name string) []string {
	list := []string{
		"", "v=DMARC1", "v=DMARC1; p=none", "v=DMARC1; p=reject", "v=DMARC1; p=reject; adkim=s; aspf=s",
		"v=DMARC1; p=none; psd=y", "v=DMARC1; p=reject; psd=y", "v=DMARC1; psd=y",
	}
	if w.literal || !(alignment.PublicSuffix{}).Is(name) {
		list = append(list, "v=DMARC1; p=none; psd=n", "v=DMARC1; p=reject; psd=n", "v=DMARC1; psd=n")
	}
	return list
}

// endings returns what may become of the message: one ending for each way in which the open
// questions could have been answered, each once.
func (w *world) endings(existenceOpen bool) []ending {
	var list []ending
	var try func(names []string)
	try = func(names []string) {
		if len(names) > 0 {
			for _, text := range w.possibleRecords(names[0]) {
				w.records[names[0]] = text
				try(names[1:])
			}
			w.records[names[0]] = unanswered
			return
		}
		for _, e := range w.withIdentities(existenceOpen) {
			if !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
	}
	var open []string
	for name, text := range w.records {
		if text == unanswered {
			open = append(open, name)
		}
	}
	try(open)
	return list
}

// withIdentities returns the endings by what SPF, signatures and the existence of the Author
// Domain may turn out to be.
func (w *world) withIdentities(existenceOpen bool) (list []ending) {
	identities := []*modelIdentity{&w.mailFrom}
	for i := range w.signatures {
		identities = append(identities, &w.signatures[i])
	}
	for n := range 1 << (len(identities) + 1) {
		for i, id := range identities {
			if id.open {
				id.passes = n&(1<<i) != 0
			}
		}
		if existenceOpen {
			w.absent = n&(1<<len(identities)) != 0
		}
		list = append(list, w.ending())
	}
	return list
}

// TestVerdictsAgreeWithASlowModel makes up policies, results and failures. Where all answers
// that DNS might have given end in the same, that is the verdict; otherwise it is temperror.
func TestVerdictsAgreeWithASlowModel(t *testing.T) {
	names := []string{"example", "a.example", "b.a.example", "c.b.a.example", "uk", "co.uk", "x.co.uk", "y.co.uk", "d.x.co.uk", "e.d.x.co.uk"}
	texts := []string{
		"", "", "", unanswered, "v=DMARC1; p=reject", "v=DMARC1; p=none", "v=DMARC1; p=quarantine; psd=n", "v=DMARC1; p=reject; psd=y", "v=DMARC1; p=none; psd=y",
		"v=DMARC1; p=none; adkim=s; aspf=s", "v=DMARC1; p=reject; sp=none; np=quarantine", "v=DMARC1; p=none; np=reject", "v=DMARC1; t=y; p=reject", "v=DMARC1",
		"v=DMARC1; p=none|v=DMARC1; p=reject",
	}
	random := rand.New(rand.NewPCG(9, 9))
	seen := map[dmarc.Status]int{}
	for n := range modelCases {
		w := &world{literal: random.IntN(3) == 0, records: map[string]string{}, author: names[random.IntN(len(names))], absent: random.IntN(2) == 0}
		failures := 0
		for _, name := range names {
			text := texts[random.IntN(len(texts))]
			if text == unanswered {
				if failures++; failures > 2 {
					continue
				}
			}
			w.records[name] = text
		}
		existenceOpen := random.IntN(4) == 0
		statuses := [3]int{random.IntN(3), random.IntN(3), random.IntN(3)}
		pick := func(n int) modelIdentity {
			return modelIdentity{domain: names[random.IntN(len(names))], passes: statuses[n] == 1, open: statuses[n] == 2}
		}
		w.mailFrom = pick(0)
		w.signatures = []modelIdentity{pick(1), pick(2)}[:random.IntN(3)]

		got := w.verdict(t, existenceOpen)
		seen[got.Status]++
		endings := w.endings(existenceOpen)
		want := endings[0]
		if len(endings) > 1 {
			want = ending{dmarc.StatusTempError, got.Disposition}
		}
		if (ending{got.Status, got.Disposition}) != want {
			t.Fatalf("case %d: %s, %s (%v); want %s, %s, since it may end in %v\n%+v", n, got.Status, got.Disposition, got.Err, want.status, want.disposition, endings, *w)
		}
		if got.Status == dmarc.StatusTempError && got.Disposition == dmarc.DispositionNone &&
			slices.ContainsFunc(endings, func(e ending) bool { return e.disposition != dmarc.DispositionNone }) {
			t.Fatalf("case %d: temperror without a tempfail (%v), and it may end in %v\n%+v", n, got.Err, endings, *w)
		}
	}
	t.Log(fmt.Sprint(seen))
	for _, s := range []dmarc.Status{dmarc.StatusNone, dmarc.StatusPass, dmarc.StatusFail, dmarc.StatusTempError} {
		if seen[s] < modelCases/20 {
			t.Errorf("%s came up %d times", s, seen[s])
		}
	}
}

// verdict returns what Evaluate says in this world.
func (w *world) verdict(t *testing.T, existenceOpen bool) dmarc.Verdict {
	t.Helper()
	zone := resolver.Zone{}
	for name, text := range w.records {
		switch text {
		case "":
		case unanswered:
			zone["_dmarc."+name] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
		default:
			zone["_dmarc."+name] = resolver.Records{TXT: strings.Split(text, "|")}
		}
	}
	switch {
	case existenceOpen:
		zone[w.author] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	case w.absent:
		zone[w.author] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrNXDomain}}
	default:
		zone[w.author] = resolver.Records{A: []string{"192.0.2.1"}}
	}
	s := &spf.Result{Domain: w.mailFrom.domain, Status: spf.StatusFail}
	switch {
	case w.mailFrom.open:
		s.Status = spf.StatusTempError
	case w.mailFrom.passes:
		s.Status = spf.StatusPass
	}
	var d []*dkim.Result
	for _, i := range w.signatures {
		r := &dkim.Result{Domain: i.domain, Status: dkim.StatusFail}
		switch {
		case i.open:
			r.Status = dkim.StatusTempError
		case i.passes:
			r.Status = dkim.StatusPass
		}
		d = append(d, r)
	}
	v := &dmarc.Verifier{Resolver: zone}
	if w.literal {
		v.Discovery.Mode = discovery.TreeWalkLiteral
	}
	return dmarc.Evaluate(dmarc.Input{SPF: s, DKIM: d, Discovery: v.Discover(t.Context(), w.author, s, d)})
}

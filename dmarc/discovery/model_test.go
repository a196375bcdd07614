package discovery_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"

	. "github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/suite"
)

// This file has the Tree Walk and its floor a second time, slowly and straight from the text:
// RFC 9989, sections 4.10 to 4.10.2, and the rule of the floor as the package comment has it.
// Every answer that a failed question might have had is a world of its own.

// rules are those of the public suffix list that the names of this test come under.
var rules = []string{
	"com", "uk", "co.uk", "*.sch.uk", "io", "github.io", "jp", "ne.jp", "*.kawasaki.jp", "!city.kawasaki.jp", "*.ck", "!www.ck",
	"*.compute.amazonaws.com",
}

// publicSuffix is the algorithm of publicsuffix.org over rules.
func publicSuffix(name string) string {
	labels := strings.Split(name, ".")
	best := 1 // the default rule "*"
	for _, rule := range rules {
		pattern := strings.Split(strings.TrimPrefix(rule, "!"), ".")
		if len(pattern) > len(labels) {
			continue
		}
		matches := true
		for i, p := range pattern {
			matches = matches && (p == "*" || p == labels[len(labels)-len(pattern)+i])
		}
		switch {
		case matches && rule[0] == '!':
			return strings.Join(labels[len(labels)-len(pattern)+1:], ".")
		case matches:
			best = max(best, len(pattern))
		}
	}
	return strings.Join(labels[len(labels)-best:], ".")
}

// path returns a name and all names above it.
func path(name string) []string {
	list := []string{name}
	for {
		_, parent, ok := strings.Cut(name, ".")
		if !ok {
			return list
		}
		name = parent
		list = append(list, name)
	}
}

// walk returns the names of section 4.10, steps 1 to 7.
func walk(start string) []string {
	target := start
	names := []string{target}
	if x := len(path(start)); x < 8 {
		target = strings.Join(strings.Split(start, ".")[1:], ".")
	} else {
		target = strings.Join(strings.Split(start, ".")[x-7:], ".")
	}
	for target != "" {
		names = append(names, target)
		target = strings.Join(strings.Split(target, ".")[1:], ".")
	}
	return names
}

// A world has the psd tag of each name with a valid record.
type world map[string]record.PSD

// literal returns the Organizational Domain by the letter of the RFC, and the domain whose
// record gives the policy of a start without one, or "".
func (w world) literal(start string) (org, policy string) {
	var found []string // "from the longest to the shortest"
	for _, name := range walk(start) {
		if psd, ok := w[name]; ok {
			found = append(found, name)
			if psd != record.PSDUnknown {
				break // step 2 and 6
			}
		}
	}
	for _, name := range found { // 1.
		if w[name] == record.PSDNo {
			return name, name
		}
	}
	for _, name := range found { // 2.
		if name != start && w[name] == record.PSDYes {
			p := path(start)
			below := p[slices.Index(p, name)-1]
			if slices.Contains(found, below) {
				return below, below
			}
			return below, name
		}
	}
	if len(found) > 0 { // 3.
		return found[len(found)-1], found[len(found)-1]
	}
	return start, ""
}

// floor is literal with the floor under it, and names the suffix where that decided.
func (w world) floor(start string) (org, policy, suffix string) {
	org, policy = w.literal(start)
	lowest := ""
	for _, name := range path(start) { // from the lowest on
		s := publicSuffix(name)
		if psd, ok := w[s]; !ok || psd != record.PSDNo || !slices.Contains(walk(start), s) {
			lowest = s
			break
		}
	}
	if lowest == "" || !slices.Contains(path(lowest), org) {
		return org, policy, ""
	}
	below := start
	if start != lowest {
		p := path(start)
		below = p[slices.Index(p, lowest)-1]
	}
	if below == org {
		return org, policy, ""
	}
	if _, ok := w[below]; ok && slices.Contains(walk(start), below) {
		policy = below
	}
	return below, policy, lowest
}

func (w world) organization(start string, literal bool) (org, policy, suffix string) {
	if literal {
		org, policy = w.literal(start)
		return org, policy, ""
	}
	return w.floor(start)
}

// worlds returns every world that a zone may be for walks from some names. A failure of a
// public suffix is not presumed to hide psd=n.
func worlds(zone map[string]string, literal bool, starts ...string) []world {
	var suffixes []string
	for _, start := range starts {
		for _, name := range path(start) {
			suffixes = append(suffixes, publicSuffix(name))
		}
	}
	all := []world{{}}
	for name, text := range zone {
		var choices []func(world)
		set := func(psd record.PSD) func(world) { return func(w world) { w[name] = psd } }
		none := func(world) {}
		switch {
		case text == "SERVFAIL" && !literal && slices.Contains(suffixes, name):
			choices = []func(world){none, set(record.PSDUnknown), set(record.PSDYes)}
		case text == "SERVFAIL":
			choices = []func(world){none, set(record.PSDUnknown), set(record.PSDYes), set(record.PSDNo)}
		case strings.Contains(text, "|v=DMARC1"), !strings.Contains(text, "v=DMARC1"):
			choices = []func(world){none}
		case strings.Contains(text, "psd=y"):
			choices = []func(world){set(record.PSDYes)}
		case strings.Contains(text, "psd=n"):
			choices = []func(world){set(record.PSDNo)}
		default:
			choices = []func(world){set(record.PSDUnknown)}
		}
		var next []world
		for _, w := range all {
			for _, choose := range choices {
				copied := world{}
				for k, v := range w {
					copied[k] = v
				}
				choose(copied)
				next = append(next, copied)
			}
		}
		all = next
	}
	return all
}

// expected says what a Result has to be in a zone.
type expected struct {
	policy    string // the domain, "" for none, or "?"
	org       []string
	suffix    string
	alignment Alignment
}

func expect(zone map[string]string, author, identifier string, literal bool) expected {
	var e expected
	var policies, suffixes []string
	for _, w := range worlds(zone, literal, author) {
		org, policy, suffix := w.organization(author, literal)
		if _, ok := w[author]; ok {
			policy = author
		}
		if zone[policy] == "SERVFAIL" {
			policy = "?"
		}
		policies, suffixes, e.org = append(policies, policy), append(suffixes, suffix), append(e.org, org)
	}
	same, all := 0, worlds(zone, literal, author, identifier)
	for _, w := range all {
		mine, _, _ := w.organization(author, literal)
		theirs, _, _ := w.organization(identifier, literal)
		if mine == theirs || author == identifier {
			same++
		}
	}
	distinct := func(list []string) []string { slices.Sort(list); return slices.Compact(list) }
	e.policy = "?"
	if policies = distinct(policies); len(policies) == 1 {
		e.policy = policies[0]
	}
	e.suffix = suffixes[0]
	if e.org = distinct(e.org); len(e.org) > 1 {
		e.suffix = ""
	}
	switch same {
	case 0:
	case len(all):
		e.alignment = Aligned
	default:
		e.alignment = AlignmentOpen
	}
	return e
}

// check compares a Result with the model.
func check(r *Result, id Identifier, want expected) error {
	var got expected
	switch {
	case errors.Is(r.Err, ErrPolicyUnknown):
		got.policy = "?"
	case errors.Is(r.Err, ErrNoRecord):
	default:
		got.policy = r.PolicyDomain
	}
	o := r.Organization(r.AuthorDomain)
	got.org, got.suffix = []string{o.Organizational}, o.Suffix
	if o.Open {
		got.org = slices.Sorted(slices.Values(o.Possible))
	}
	got.alignment = want.alignment
	if r.Err == nil { // else it is of no matter
		_, got.alignment = r.Align(id)
	}
	if got.policy != want.policy || !slices.Equal(got.org, want.org) || got.alignment != want.alignment ||
		len(want.org) == 1 && got.suffix != want.suffix && !strings.Contains(got.suffix, "?") {
		return fmt.Errorf("got %+v, want %+v (%v)", got, want, r.Err)
	}
	if o.Open != (len(want.org) > 1) || o.Open && o.Organizational != "" {
		return fmt.Errorf("the Organizational Domain is %q, open: %v; possible are %q", o.Organizational, o.Open, want.org)
	}
	return nil
}

func TestTheTreeWalkAndItsFloorAreWhatTheirTextSays(t *testing.T) {
	t.Parallel()
	bases := []string{
		"com", "shop.com", "co.uk", "uk", "sch.uk", "kent.sch.uk", "github.io", "jp", "ne.jp", "kawasaki.jp", "x.kawasaki.jp", "city.kawasaki.jp",
		"ck", "www.ck", "y.ck", "amazonaws.com", "compute.amazonaws.com", "us.compute.amazonaws.com", "corp", "c.d.e.f.g.h.i",
	}
	texts := []string{
		"v=DMARC1; p=reject", "v=DMARC1; p=none; psd=u", "v=DMARC1; p=none; psd=y", "v=DMARC1; p=reject; psd=n",
		"v=DMARC1; p=none|v=DMARC1; p=reject; psd=n", "v=spf1 -all", "v=DMARC1; psd=y; rua=mailto:x@y.example", "v=DMARC1; p=none; psd=maybe", "SERVFAIL",
	}
	labels := []string{"a", "b", "c"}
	rounds := 200_000
	if testing.Short() {
		rounds /= 10
	}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	opened, floored, passed := 0, 0, 0
	for range rounds {
		base := pick(bases)
		extend := func(most int) string {
			name := base
			for range random.IntN(most + 1) {
				name = pick(labels) + "." + name
			}
			return name
		}
		author, identifier := extend(3), extend(3)
		zone, failures := map[string]string{}, 0
		for _, name := range slices.Concat(walk(author), walk(identifier)) {
			if random.IntN(5) < 2 {
				text := pick(texts)
				if text == "SERVFAIL" && zone[name] == "" {
					if failures++; failures > 3 {
						continue // 4 to the power of more takes too long
					}
				}
				zone[name] = text
			}
		}
		literal := random.IntN(4) == 0
		id := Identifier{Domain: identifier, Tag: TagDKIM, Authenticated: true}
		r := Discover(t.Context(), suite.Policies(zone), author, options(literal), id)
		want := expect(zone, author, identifier, literal)
		if err := check(r, id, want); err != nil {
			t.Fatalf("From %s, signed by %s, literal: %v, with %q: %v", author, identifier, literal, zone, err)
		}
		if len(want.org) > 1 {
			opened++
		}
		if want.suffix != "" {
			floored++
		}
		if want.alignment == Aligned && author != identifier {
			passed++
		}
	}
	t.Logf("%d zones: %d left the Organizational Domain open, the floor decided %d, %d aligned by it", rounds, opened, floored, passed)
	if opened < rounds/50 || floored < rounds/50 || passed < rounds/50 {
		t.Error("too few of a kind")
	}
}

// The rules of the model are those of the list, as far as its names go.
func TestTheModelHasTheRulesOfTheList(t *testing.T) {
	for _, name := range []string{
		"a.com", "a.uk", "a.co.uk", "sch.uk", "kent.sch.uk", "a.kent.sch.uk", "a.io", "a.github.io", "jp", "a.jp", "a.ne.jp", "kawasaki.jp", "x.kawasaki.jp",
		"a.x.kawasaki.jp", "city.kawasaki.jp", "a.city.kawasaki.jp", "ck", "www.ck", "a.www.ck", "y.ck", "a.y.ck", "amazonaws.com", "compute.amazonaws.com",
		"us.compute.amazonaws.com", "a.us.compute.amazonaws.com", "corp", "a.corp", "a.b.c.d.e.f.g.h.i",
	} {
		if want, _ := publicsuffix.PublicSuffix(name); publicSuffix(name) != want {
			t.Errorf("%s: %s, want %s", name, publicSuffix(name), want)
		}
	}
}

package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/record"
)

// policies are what applies now: the three values, those that are inherited filled in (RFC 9989, section 4.7), and
// what keeps them from being applied to all mail.
type policies struct{ p, sp, np, testing string }

func policiesOf(in Input) policies {
	if r := parsed(in.Record); r != nil {
		word := func(p record.Policy) string { return known(p.String()) }
		now := policies{p: cmp.Or(word(r.Policy), "none")}
		now.sp = cmp.Or(word(r.SubdomainPolicy), now.p)
		now.np = cmp.Or(word(r.NonexistentPolicy), now.sp)
		switch {
		case r.Testing:
			now.testing = "t=y"
		case r.Percent != 100:
			now.testing = fmt.Sprintf("pct=%d", r.Percent)
		}
		return now
	}
	now := policies{p: cmp.Or(known(in.Reported.P), "none")}
	now.sp = cmp.Or(known(in.Reported.SP), now.p)
	now.np = cmp.Or(known(in.Reported.NP), now.sp)
	if in.Reported.Testing == "y" {
		now.testing = "t=y"
	}
	return now
}

// known returns a policy, or "" for any other word: a reporter may write what he likes.
func known(word string) string {
	switch word {
	case "none", "quarantine", "reject":
		return word
	}
	return ""
}

// parsed returns a record, or nil for a text that is none.
func parsed(text string) *record.Record {
	r, isDMARC, _ := record.Parse(text, record.RFC9989)
	if !isDMARC {
		return nil
	}
	return r
}

// changed returns the record with tags changed: the published one with all else as it is, or one that
// says what the reports tell of it. Kept are the tags that it states so that they stay what they are.
func changed(in Input, now policies, changes []change) (text string, kept []string) {
	published := in.Record
	if parsed(published) == nil {
		published = reported(in, now)
	}
	r := parsed(published)
	pending := make(map[string]string)
	for _, c := range changes {
		pending[c.tag] = c.value
	}
	// A stricter p goes for names below the domain too, where sp and np are not stated: state
	// what held for them.
	if pending["p"] != "" && pending["sp"] == "" && !r.Stated("sp") {
		pending["sp"] = now.sp
		kept = append(kept, "sp="+now.sp)
	}
	if (pending["p"] != "" || pending["sp"] != "") && pending["np"] == "" && !r.Stated("np") {
		pending["np"] = now.np
		kept = append(kept, "np="+now.np)
	}
	return withTags(published, pending), kept
}

// withTags returns a record with other values of p, sp and np. A new p is applied to all mail: tags that would keep it
// from that are left out.
func withTags(published string, pending map[string]string) string {
	applied := pending["p"] != ""
	var parts []string
	for part := range strings.SplitSeq(published, ";") {
		part = strings.TrimSpace(part)
		name, _, _ := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if value := pending[name]; value != "" {
			part = name + "=" + value
			delete(pending, name)
		}
		if part != "" && !(applied && (name == "t" || name == "pct")) {
			parts = append(parts, part)
		}
	}
	for _, tag := range []string{"np", "sp", "p"} { // inserted at the same place: p comes first then
		if value := pending[tag]; value != "" {
			at := min(1, len(parts))
			if tag != "p" && len(parts) > 1 {
				at = 2
			}
			parts = slices.Insert(parts, at, tag+"="+value)
		}
	}
	return strings.Join(parts, "; ")
}

// reported returns a record that has what the reports tell of the published one, as far as it can be part of one.
func reported(in Input, now policies) string {
	parts := []string{"v=DMARC1", "p=" + now.p}
	add := func(tag, value, byDefault string) {
		if value != byDefault {
			parts = append(parts, tag+"="+value)
		}
	}
	add("sp", now.sp, now.p)
	add("np", now.np, now.sp)
	for _, mode := range []struct{ tag, value string }{{"adkim", in.Reported.DKIMAlignment}, {"aspf", in.Reported.SPFAlignment}} {
		if mode.value == "s" {
			add(mode.tag, "s", "r")
		}
	}
	if options := in.Reported.FailureOptions; strings.Trim(options, "01ds:") == "" {
		add("fo", cmp.Or(options, "0"), "0")
	}
	if now.testing != "" {
		parts = append(parts, now.testing)
	}
	return strings.Join(append(parts, "rua=<THE ADDRESS THAT YOU HAVE THERE>"), "; ")
}

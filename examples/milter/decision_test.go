package main

import (
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
)

func TestWhatIsDoneFollowsFromTheVerdictAndTheTerms(t *testing.T) {
	stranger, known := terms{enforce: true}, terms{}
	exempt := terms{enforce: true, exempt: true}
	for _, tt := range []struct {
		name  string
		given dmarc.Disposition
		terms terms
		want  action
		left  dmarc.Disposition
	}{
		{"none is none", dmarc.DispositionNone, stranger, actionAccept, dmarc.DispositionNone},
		{"quarantine is a mark", dmarc.DispositionQuarantine, stranger, actionMark, dmarc.DispositionQuarantine},
		{"an exempt recipient does not spare the mark", dmarc.DispositionQuarantine, exempt, actionMark, dmarc.DispositionQuarantine},
		{"reject", dmarc.DispositionReject, stranger, actionReject, dmarc.DispositionReject},
		{"reject is a mark for who is known", dmarc.DispositionReject, known, actionMark, dmarc.DispositionQuarantine},
		{"reject is a mark for postmaster", dmarc.DispositionReject, exempt, actionMark, dmarc.DispositionQuarantine},
		{"tempfail", dmarc.DispositionTempFail, stranger, actionTempFail, dmarc.DispositionTempFail},
		{"tempfail is nothing for who is known", dmarc.DispositionTempFail, known, actionAccept, dmarc.DispositionNone},
		{"tempfail is nothing for postmaster", dmarc.DispositionTempFail, exempt, actionAccept, dmarc.DispositionNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &dmarc.Result{DMARC: dmarc.Verdict{Status: dmarc.StatusFail, Disposition: tt.given}}
			done, v := decide(r, tt.terms)
			if done != tt.want || v.Disposition != tt.left {
				t.Errorf("%s, disposition %s; want %s, %s", done, v.Disposition, tt.want, tt.left)
			}
			if changed := v.Disposition != tt.given; changed != (v.Override != nil) {
				t.Errorf("override %v, changed %v", v.Override, changed)
			}
			if r.DMARC.Disposition != tt.given {
				t.Error("the result itself was changed")
			}
		})
	}
}

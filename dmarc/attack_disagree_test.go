package dmarc_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
)

// An attackDisagreement is a case of which the corpus expects something else than this
// module does by default.
type attackDisagreement struct {
	why   string
	check attackCheck // what holds by default

	// instead changes the run to one that has to meet the expectations of the corpus
	// all the same. Nil where there is none.
	instead attackCheck
}

func attackDisagreements() map[string]attackDisagreement {
	return map[string]attackDisagreement{
		"dkim-08": {
			why: "a NUL in the header is an error of its structure, wherever it stands, since some programs stop " +
				"reading there (RFC 5322, section 2.2, has no such character): refused as permerror, not as fail",
			check: both(refused(dmarc.ErrHeader), both(neverAsked("_domainkey"), noPass)),
		},
		"dkim-25": {
			why:     "2.5 MB of header are over the limit of 256 KiB, of which nothing is read: refused as permerror",
			check:   refused(dmarc.ErrHeaderLimit),
			instead: raiseHeaderLimits,
		},
		"dkim-26": {
			why:     "1008 fields are over the limit of 1000, of which nothing is read: refused as permerror",
			check:   refused(dmarc.ErrHeaderLimit),
			instead: raiseHeaderLimits,
		},
		"ar-01": {
			why: "white space before a colon (RFC 5322, section 4.5.8, obsolete) ends the header for some programs: " +
				"refused as permerror, unless the forged fields are removed first, as they have to be",
			check: refused(dmarc.ErrHeader),
			instead: func(t *testing.T, r *attackRun) {
				var out bytes.Buffer
				if _, err := authres.RemoveForged(&out, strings.NewReader(r.message), r.corpus.Meta.AuthservID); err != nil {
					t.Fatal(err)
				}
				r.stripsForgedFields(t)
				r.message, r.Expect.Strip, r.Message.Fields = out.String(), nil, nil
			},
		},
		"rep-05": {
			why: "a DMARC record of more than 8 KiB is not read: none, not fail",
			check: func(t *testing.T, r *attackRun) {
				if v := r.result.DMARC; v.Status != dmarc.StatusNone || v.Disposition != dmarc.DispositionNone || !errors.Is(v.Err, dmarc.ErrNoPolicy) {
					t.Errorf("%s, %s (%v)", v.Status, v.Disposition, v.Err)
				}
			},
		},
	}
}

// refused checks for a permerror with the disposition that the corpus expects, and one that
// no identifier softens.
func refused(want error) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		v := r.result.DMARC
		if v.Status != dmarc.StatusPermError || v.Disposition != dmarc.DispositionReject || !errors.Is(v.Err, want) {
			t.Errorf("%s, %s (%v), want permerror, reject (%v)", v.Status, v.Disposition, v.Err, want)
		}
	}
}

func noPass(t *testing.T, r *attackRun) {
	t.Helper()
	for _, d := range r.result.DKIM {
		if d.Status == dkim.StatusPass {
			t.Errorf("dkim: a pass for %s", d.Domain)
		}
	}
}

func raiseHeaderLimits(_ *testing.T, r *attackRun) {
	r.limits = dkim.Limits{HeaderOctets: 4 << 20, HeaderFields: 10_000}
}

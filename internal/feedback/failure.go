package feedback

import (
	"slices"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/spf"
)

// FailureOptions returns those values of the fo tag by which a failure report about a message is
// asked for: RFC 9989, section 4.7. It is empty where none is: the record has no address for them,
// or it is that of a Public Suffix Domain (RFC 9991, section 3), or DNS left the verdict open.
func FailureOptions(r *dmarc.Result) []string {
	rec := Record(r)
	if rec == nil || rec.PSD == record.PSDYes || !slices.ContainsFunc(rec.FailureReports, usable) {
		return nil
	}
	v := &r.DMARC
	if v.Status != dmarc.StatusPass && v.Status != dmarc.StatusFail {
		return nil
	}
	var asked []string
	for _, option := range rec.FailureOptions {
		var does bool
		switch option {
		case "0":
			does = !v.SPFAligned && !v.DKIMAligned
		case "1":
			does = !v.SPFAligned || !v.DKIMAligned
		case "d":
			does = slices.ContainsFunc(r.DKIM, signatureFailed)
		case "s":
			does = r.SPF != nil && r.SPF.Identity == spf.IdentityMailFrom && spfFailed(r.SPF.Status)
		}
		if does && !slices.Contains(asked, option) {
			asked = append(asked, option)
		}
	}
	return asked
}

// signatureFailed reports whether a signature was evaluated and failed.
func signatureFailed(d *dkim.Result) bool {
	return d.Status == dkim.StatusFail || d.Status == dkim.StatusPermError || d.Status == dkim.StatusPolicy
}

// spfFailed reports whether SPF was evaluated and failed: RFC 6652, section 4.1.
func spfFailed(s spf.Status) bool {
	return s == spf.StatusFail || s == spf.StatusSoftFail || s == spf.StatusPermError
}

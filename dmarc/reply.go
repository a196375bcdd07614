package dmarc

import "fmt"

// A Reply is what an SMTP server answers after the message: RFC 5321, section 4.2, with the
// enhanced status code of RFC 3463.
type Reply struct {
	Code     int    // 550 or 451
	Enhanced string // "5.7.1" or another
	Text     string // printable ASCII, one line, without the codes
}

// String returns the reply as one line without its line end: "550 5.7.1 text".
func (r Reply) String() string { return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text) }

// SMTPReply returns how to refuse the message, where its disposition is to refuse it; ok is
// false where the disposition is none or quarantine. The text names DMARC and the domain, as
// RFC 9989, section 7.2, advises, and holds nothing else that a sender wrote.
//
//   - reject for the policy of a domain: 550 5.7.1;
//   - reject for a message without a single Author Domain: 550 5.6.0, since the message and
//     not a policy is at fault (RFC 3463, section 3.7);
//   - tempfail: 451 4.7.0 where it is DNS of the sender that has to answer first.
func (r *Result) SMTPReply() (reply Reply, ok bool) {
	v := &r.DMARC
	switch {
	case v.Disposition == DispositionTempFail:
		return Reply{451, "4.7.0", "DMARC for " + v.AuthorDomain + " could not be checked because of a DNS failure, try again later"}, true
	case v.Disposition != DispositionReject:
		return Reply{}, false
	case v.Status == StatusPermError:
		return Reply{550, "5.6.0", "Message refused: " + authorFault(v.Err)}, true
	}
	return Reply{550, "5.7.1", "Message refused per DMARC policy for " + v.AuthorDomain}, true
}

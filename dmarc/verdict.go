package dmarc

import (
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// A Verdict is what DMARC says of a message.
type Verdict struct {
	Status      Status      `json:"verdict"`
	Disposition Disposition `json:"disposition"`

	AuthorDomain         string `json:"author_domain,omitempty"` // A-labels
	OrganizationalDomain string `json:"organizational_domain,omitempty"`

	// Standard is the RFC whose rules the policy was found and read by.
	Standard record.Standard `json:"standard"`

	// The record that applies and what it asks for: the published Policy and the tag
	// that it comes from, before t and pct. PolicyTag is the one that was stated, so
	// "p" for a subdomain where the record has no sp. Both are empty where DNS left
	// open which of sp and np it is.
	PolicyDomain string        `json:"policy_domain,omitempty"`
	Record       string        `json:"record,omitempty"` // as DNS gave it: not safe to print
	Policy       record.Policy `json:"policy,omitempty"`
	PolicyTag    string        `json:"policy_tag,omitempty"`

	// PolicyAssumed says that the record states no valid policy, and that Policy is none
	// since it asks for reports: RFC 9989, section 4.10.1.
	PolicyAssumed bool `json:"policy_assumed,omitempty"`

	// Applied is Policy after t and, where the message fails, pct.
	Applied record.Policy `json:"applied,omitempty"`

	// Evaluated is what the Domain Owner asks to be done with the message: what Applied
	// says of one that fails, and none for every other. A message without a single Author
	// Domain has no owner to ask; RFC 5322 then asks for reject.
	//
	// Disposition is what is recommended after all. Override says why it is not what
	// Policy, or RFC 5322, asks for.
	Evaluated Disposition `json:"evaluated"`
	Override  *Override   `json:"override,omitempty"`

	// Whether an authenticated identifier of the kind is aligned.
	SPFAligned  bool `json:"spf_aligned"`
	DKIMAligned bool `json:"dkim_aligned"`

	Identifiers []Identifier      `json:"identifiers,omitempty"`
	Discovery   *discovery.Result `json:"discovery,omitempty"`

	// Unanswered is the domain whose missing answer from DNS left the verdict open, where
	// Status is StatusTempError and one domain is known to be it.
	Unanswered string `json:"unanswered,omitempty"`

	// Err says why Status is not StatusPass. It wraps one of the package's exported errors:
	// errors.Is(v.Err, dmarc.ErrNotAligned). A fail has ErrNotAuthenticated where nothing
	// passed, and ErrNotAligned where what passed is about other domains. In JSON it is
	// "reason", its text, and "cause", a word for that error.
	Err error `json:"-"`
}

// An Override is why something else than the policy is done.
type Override struct {
	Type    string `json:"type"` // OverrideTestMode or another of that group
	Comment string `json:"comment,omitempty"`
}

// The types of Override: the words of RFC 9990 (PolicyOverrideType) and of RFC 7489.
const (
	OverrideTestMode   = "policy_test_mode"
	OverrideLocal      = "local_policy"
	OverrideForwarder  = "trusted_forwarder"
	OverrideSampledOut = "sampled_out" // RFC 7489: pct
)

// String returns the type and the comment, in printable ASCII.
func (o Override) String() string {
	if o.Comment == "" {
		return visible.ASCII(o.Type)
	}
	return visible.ASCII(o.Type + " (" + o.Comment + ")")
}

// String returns the verdict as one line of printable ASCII, such as
// "dmarc=fail (p=reject, disposition reject) from=bank.example".
func (v Verdict) String() string {
	var facts []string
	switch word := causes.Code(v.Err); {
	case v.PolicyTag != "":
		facts = append(facts, visible.ASCII(v.PolicyTag)+"="+v.Policy.String())
		if v.Status == StatusTempError && word != "" {
			facts = append(facts, word)
		}
	case word != "":
		facts = append(facts, word)
	}
	if v.Status != StatusPass && v.Status != StatusNone {
		facts = append(facts, "disposition "+v.Disposition.String())
	}
	if v.Override != nil {
		facts = append(facts, v.Override.String())
	}
	text := "dmarc=" + v.Status.String()
	if len(facts) > 0 {
		text += " (" + strings.Join(facts, ", ") + ")"
	}
	if v.AuthorDomain != "" {
		text += " from=" + visible.ASCII(v.AuthorDomain)
	}
	return text
}

// LogValue returns the verdict as a group for package log/slog, with the keys that it has in
// JSON, as far as they have a value: verdict, disposition, author_domain, policy_domain, policy,
// policy_tag, override, unanswered, cause and reason.
func (v Verdict) LogValue() slog.Value { return slog.GroupValue(v.attributes()...) }

func (v *Verdict) attributes() []slog.Attr {
	why := causes.JSON(v.Err)
	override := ""
	if v.Override != nil {
		override = v.Override.Type
	}
	list := []slog.Attr{slog.String("verdict", v.Status.String()), slog.String("disposition", v.Disposition.String())}
	for _, a := range []struct{ key, value string }{
		{"author_domain", v.AuthorDomain}, {"policy_domain", v.PolicyDomain}, {"policy", v.Policy.String()}, {"policy_tag", v.PolicyTag},
		{"override", override}, {"unanswered", v.Unanswered}, {"cause", why.Cause}, {"reason", why.Reason},
	} {
		if a.value != "" {
			list = append(list, slog.String(a.key, visible.ASCII(a.value)))
		}
	}
	return list
}

// MarshalJSON writes the verdict, with Err as "reason" and "cause".
func (v Verdict) MarshalJSON() ([]byte, error) {
	type plain Verdict
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(v), causes.JSON(v.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Verdict) UnmarshalJSON(text []byte) error {
	type plain Verdict
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*v = Verdict(in.plain)
	v.Err = causes.Error(in.JSON)
	return err
}

package aggregate

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/cause"
)

// A Report is one aggregate report: RFC 9990, section 3.1, and RFC 7489, appendix C. What is
// read into it is as the reporter wrote it, but for what the fields say: text may hold anything
// but control characters, and has to be escaped for the place where it goes. Words are in lower
// case.
type Report struct {
	// RFC9990 says that the report names the namespace of RFC 9990, or has an element that
	// only RFC 9990 defines. RFC 7489 otherwise.
	RFC9990 bool   `json:"rfc9990"`
	Version string `json:"version,omitempty"`

	// Who reports. Org and ID may be empty in reports that others wrote.
	Org       string `json:"org_name"`
	Email     string `json:"email"`
	Contact   string `json:"extra_contact_info,omitempty"`
	ID        string `json:"report_id"`
	Generator string `json:"generator,omitempty"`

	// The period, in UTC, to the second. Both are the zero time where the report has no
	// time that can be read. End is within the period.
	Begin time.Time `json:"begin"`
	End   time.Time `json:"end"`

	// Errors are what the reporter says of the policy record.
	Errors []string `json:"errors,omitempty"`

	Policy Policy `json:"policy_published"`
	Rows   []Row  `json:"records"` // in the order of the report

	// Destinations are the addresses that reports about the policy go to, at most ten, for
	// reports that are counted here. Omitted is how many messages have no row, as the
	// limits of the Accumulator or of the Store were reached.
	Destinations []string `json:"destinations,omitempty"`
	Omitted      int64    `json:"omitted,omitempty"`

	// Problems are what is wrong with a report that was read, and has been put up with: at
	// most 100, the last of which then says how many more there are.
	Problems []Problem `json:"problems,omitempty"`

	// Err says why the report is not whole, or is nil. It wraps one of the package's
	// exported errors, or is the error of the underlying reader. What was read before
	// stands.
	Err error `json:"-"`
}

// A Policy is what a report says of the policy that was published: section 3.1.1.4. A Policy is
// comparable. A word is empty where the report does not have it.
type Policy struct {
	Domain string `json:"domain"` // the DMARC Policy Domain, as Row's domains are

	P  string `json:"p,omitempty"` // "none", "quarantine" or "reject"; so are SP and NP
	SP string `json:"sp,omitempty"`
	NP string `json:"np,omitempty"`

	DKIMAlignment string `json:"adkim,omitempty"` // "r" or "s"
	SPFAlignment  string `json:"aspf,omitempty"`

	FailureOptions string `json:"fo,omitempty"`               // such as "1:d"
	Testing        string `json:"testing,omitempty"`          // "y" or "n"
	Discovery      string `json:"discovery_method,omitempty"` // "treewalk" or "psl"
	Percent        string `json:"pct,omitempty"`              // of RFC 7489: "0" to "100"
}

// A Row is one record of a report: how many messages of one source had the same outcome.
// Domains are A-labels in lower case, or, where what stands in the report is no domain name,
// that text.
type Row struct {
	// Source is the client's address, IPv4 also where it was mapped into IPv6. The zero
	// Addr is one that cannot be read.
	Source netip.Addr `json:"source_ip"`
	Count  int64      `json:"count"` // messages; never negative

	// What was done, and what became of alignment: policy_evaluated.
	Disposition string   `json:"disposition"` // "none", "pass" (RFC 9990), "quarantine" or "reject"
	DKIM        string   `json:"dkim"`        // "pass" or "fail"
	SPF         string   `json:"spf"`
	Reasons     []Reason `json:"reasons,omitempty"` // why it is not what the policy asks for

	HeaderFrom   string `json:"header_from"`             // the Author Domain
	EnvelopeFrom string `json:"envelope_from,omitempty"` // the domain of MAIL FROM
	EnvelopeTo   string `json:"envelope_to,omitempty"`   // the domain of RCPT TO

	// The results, whether aligned or not: auth_results. RFC 9990 has at most one of SPF.
	AuthDKIM []Auth `json:"auth_dkim,omitempty"`
	AuthSPF  []Auth `json:"auth_spf,omitempty"`
}

// A Reason says why something else was done than the policy asks for: section 3.1.1.14.
type Reason struct {
	// Type is "local_policy", "mailing_list", "other", "policy_test_mode" or
	// "trusted_forwarder", or, of RFC 7489, "forwarded" or "sampled_out".
	Type    string `json:"type"`
	Comment string `json:"comment,omitempty"`
}

// An Auth is one result of DKIM or SPF: sections 3.1.1.11 and 3.1.1.12.
type Auth struct {
	Domain   string `json:"domain"`             // d= of a signature, or the domain that SPF checked
	Selector string `json:"selector,omitempty"` // s= of a signature
	Scope    string `json:"scope,omitempty"`    // of SPF: "mfrom" or, of RFC 7489, "helo"
	Result   string `json:"result"`             // a word of RFC 8601: "pass", "softfail"
	Comment  string `json:"human_result,omitempty"`
}

// Passed reports whether the messages of a row passed DMARC: an aligned identifier did.
func (r *Row) Passed() bool { return r.DKIM == "pass" || r.SPF == "pass" }

// String returns the row as one line: "192.0.2.1 12 none dkim=pass spf=fail example.com".
func (r Row) String() string {
	return fmt.Sprintf("%s %d %s dkim=%s spf=%s %s", sourceText(r.Source), r.Count,
		word(r.Disposition), word(r.DKIM), word(r.SPF), visible(r.HeaderFrom))
}

// LogValue returns what String says, as attributes.
func (r Row) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("source", sourceText(r.Source)), slog.Int64("count", r.Count), slog.String("disposition", visible(r.Disposition)),
		slog.String("dkim", visible(r.DKIM)), slog.String("spf", visible(r.SPF)), slog.String("header_from", visible(r.HeaderFrom)))
}

// Messages returns the sum of the counts of the rows.
func (r *Report) Messages() int64 {
	var sum int64
	for i := range r.Rows {
		sum = addCounts(sum, r.Rows[i].Count)
	}
	return sum
}

// addCounts adds two numbers that are not negative, without going beyond the largest there is:
// a reporter may write what he likes.
func addCounts(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Key returns what tells one report from another: its organization, ID, policy domain, begin
// and end. A report that comes twice, as senders repeat what was not answered in time, has the
// same key, and is to be counted once.
func (r *Report) Key() string {
	return strings.Join([]string{
		strconv.Quote(r.Org), strconv.Quote(r.ID), strconv.Quote(r.Policy.Domain),
		strconv.FormatInt(r.Begin.Unix(), 10), strconv.FormatInt(r.End.Unix(), 10),
	}, " ")
}

// String returns the report as one line: "example.com by google.com, 2025-03-01 to 2025-03-02:
// 3047 messages in 20 rows".
func (r *Report) String() string {
	text := fmt.Sprintf("%s by %s, %s to %s: %d messages in %d rows", word(r.Policy.Domain), word(r.Org),
		r.Begin.UTC().Format(time.DateTime), r.End.UTC().Format(time.DateTime), r.Messages(), len(r.Rows))
	if len(r.Problems) > 0 {
		text += fmt.Sprintf(", %d problems", len(r.Problems))
	}
	if r.Err != nil {
		text += ": " + r.Err.Error()
	}
	return text
}

// LogValue returns what String says, as attributes.
func (r *Report) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("domain", visible(r.Policy.Domain)), slog.String("org", visible(r.Org)), slog.String("id", visible(r.ID)),
		slog.Time("begin", r.Begin), slog.Time("end", r.End), slog.Int64("messages", r.Messages()), slog.Int("rows", len(r.Rows)),
	}
	if len(r.Problems) > 0 {
		attrs = append(attrs, slog.Int("problems", len(r.Problems)))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("err", r.Err.Error()))
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON writes the report, with Err as "reason" and "cause".
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(r), causes.JSON(r.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Report) UnmarshalJSON(text []byte) error {
	type plain Report
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*r = Report(in.plain)
	r.Err = causes.Error(in.JSON)
	return err
}

// visible returns text for a line that people read: as it is where it is made of letters,
// digits and the like, else quoted, and never long.
func visible(text string) string {
	const most = 200
	if len(text) > most {
		text = text[:most] + "…"
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f || text[i] == '"' || text[i] == '\\' {
			return strconv.QuoteToASCII(text)
		}
	}
	return text
}

// word is visible, and "-" for what is empty.
func word(text string) string {
	if text == "" {
		return "-"
	}
	return visible(text)
}

func sourceText(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}

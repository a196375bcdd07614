// Package failure reads failure reports: RFC 9991, with RFC 6591 and RFC 5965 beneath it. Each is
// about one message that did not pass, and comes to the address in the ruf tag of a policy record.
//
//	report, err := failure.Read(mail)
//	fmt.Println(report.Source, report.AuthorDomain, report.NotAligned)
//
// Reports are read with and without the part that programs can read (message/feedback-report): some
// senders write a text for people and attach the message. What that leaves open is empty in the
// [Report].
//
// [Asked] says of a message's result whether its Domain Owner asks for such a report. None is ever
// sent by this module: few receivers do, as they carry what people wrote to each other.
package failure

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/feedback"
)

// A Report is one failure report. Its text is as others wrote it, but for control characters and
// what is not UTF-8, which became U+FFFD: it has to be escaped for the place where it goes. Words
// are in lower case. What the report does not say is empty.
type Report struct {
	// The mail that brought the report.
	From    string    `json:"from"` // the body of its From field
	Subject string    `json:"subject,omitempty"`
	Date    time.Time `json:"date,omitzero"`

	// Structured says that the report has a part of message/feedback-report. All else comes
	// from the text for people, and from the message that is attached, where it has none.
	Structured bool `json:"structured"`

	Type      string `json:"feedback_type,omitempty"` // "auth-failure"
	UserAgent string `json:"user_agent,omitempty"`
	Failure   string `json:"auth_failure,omitempty"`    // "dmarc", "dkim", "spf", "bodyhash", "signature", "revoked"
	Result    string `json:"delivery_result,omitempty"` // "delivered", "spam", "policy", "reject", "other"
	Incidents int64  `json:"incidents"`                 // alike messages that the report stands for; at least 1

	// NotAligned are the mechanisms that gave no aligned identifier: "dkim", "spf". AlignmentKnown
	// says that the report tells.
	NotAligned     []string `json:"not_aligned,omitempty"`
	AlignmentKnown bool     `json:"alignment_known"`

	Source     netip.Addr `json:"source_ip,omitzero"`
	SourcePort uint16     `json:"source_port,omitempty"`
	Arrival    time.Time  `json:"arrival,omitzero"`
	MailFrom   string     `json:"original_mail_from,omitempty"`
	Recipients []string   `json:"original_rcpt_to,omitempty"`
	EnvelopeID string     `json:"original_envelope_id,omitempty"`
	Domains    []string   `json:"reported_domains,omitempty"` // A-labels, or what stands there

	// Of the signature that failed, and of SPF: the records as they were found.
	DKIMDomain   string   `json:"dkim_domain,omitempty"`
	DKIMIdentity string   `json:"dkim_identity,omitempty"`
	DKIMSelector string   `json:"dkim_selector,omitempty"`
	SPFRecords   []string `json:"spf_dns,omitempty"`

	// AuthResults are the bodies of Authentication-Results fields of the report, which package
	// authres reads.
	AuthResults []string `json:"authentication_results,omitempty"`

	// AuthorDomain is that of the message, and Header its header, topmost field first. Its body
	// is not kept.
	AuthorDomain string  `json:"author_domain,omitempty"`
	Header       []Field `json:"header,omitempty"`

	// Problems are what is wrong with a report that was read all the same: at most 100.
	Problems []Problem `json:"problems,omitempty"`
}

// A Field is one header field, its body unfolded.
type Field struct {
	Name string `json:"name"`
	Body string `json:"body"`
}

// A Problem is one thing that is wrong with a report.
type Problem struct {
	Kind  ProblemKind `json:"kind"`
	Field string      `json:"field,omitempty"`
	Text  string      `json:"text,omitempty"` // what stands there; escaped
}

// ProblemKind says what is wrong.
type ProblemKind string

const (
	ProblemField    ProblemKind = "field"     // a line that is no field
	ProblemValue    ProblemKind = "value"     // a value that cannot be read
	ProblemRepeated ProblemKind = "repeated"  // a field that may stand once stands again; the first counts
	ProblemMIME     ProblemKind = "mime"      // a part that cannot be read
	ProblemTooMany  ProblemKind = "too-many"  // more fields than are kept, or a header that is too long
	ProblemNoSource ProblemKind = "no-source" // nothing says where the message came from
)

// String returns the problem as one line.
func (p Problem) String() string {
	text := string(p.Kind)
	if p.Field != "" {
		text += " in " + p.Field
	}
	if p.Text != "" {
		text += ": " + p.Text
	}
	return text
}

var causes cause.Table

// Why there is no report.
var (
	// ErrNoReport says that what was read is no failure report.
	ErrNoReport = causes.New("no-report", "no failure report was found")

	// ErrLimit says that it has more parts than are read.
	ErrLimit = causes.New("limit", "the mail has too many parts")
)

// String returns the report as one line: "192.0.2.1, example.com: dmarc, not aligned: dkim, spf".
func (r *Report) String() string {
	source, what := "unknown source", r.Failure
	if r.Source.IsValid() {
		source = r.Source.String()
	}
	if what == "" {
		what = "unknown failure"
	}
	text := fmt.Sprintf("%s, %s: %s", source, visible(r.domain()), visible(what))
	if len(r.NotAligned) > 0 {
		text += ", not aligned: " + strings.Join(r.NotAligned, ", ")
	}
	return text
}

// domain is what the report is about.
func (r *Report) domain() string {
	if r.AuthorDomain == "" && len(r.Domains) > 0 {
		return r.Domains[0]
	}
	return r.AuthorDomain
}

// LogValue returns what String says, as attributes.
func (r *Report) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("source", r.Source.String()), slog.String("domain", visible(r.domain())), slog.String("failure", visible(r.Failure)),
		slog.Any("not_aligned", r.NotAligned), slog.Time("arrival", r.Arrival), slog.Int("problems", len(r.Problems)))
}

// visible returns text for a line that people read.
func visible(text string) string {
	const most = 200
	quoted := strconv.QuoteToASCII(text[:min(len(text), most)])
	if plain := quoted[1 : len(quoted)-1]; plain == text && !strings.Contains(text, " ") {
		return text
	}
	return quoted
}

// Asked says whether the owner of a message's Author Domain asks for a failure report about it, by
// which values of the fo tag (RFC 9989, section 4.7), and where that would go. Options is empty where
// none is asked for: the record has no address for them, or it is a Public Suffix Domain's, or DNS
// left the verdict open. An address outside of the owner's organization would have to agree first.
func Asked(r *dmarc.Result) (options, addresses []string) {
	options = feedback.FailureOptions(r)
	if len(options) > 0 {
		addresses = feedback.Addresses(feedback.Record(r).FailureReports)
	}
	return options, addresses
}

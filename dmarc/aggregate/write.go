package aggregate

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mailverdict/mailverdict/internal/cause"
)

// Why a report cannot be written.
var (
	// ErrIncomplete says that it does not have what RFC 9990 requires, and what that is.
	ErrIncomplete = causes.New("incomplete", "the report lacks what it has to have")

	// ErrTooLarge says that not even one row fits into a mail of the size that is allowed.
	ErrTooLarge = causes.New("too-large", "the report is too large")
)

// maxWritten is how many octets of a text are written. Longer ones are cut.
const maxWritten = 1000

// WriteXML writes the report as RFC 9990 has it, whatever standard it was read from. The rows are
// those of the report, or, where rows is not nil, those that it yields; an error of rows ends the
// writing.
//
// What the schema does not allow is left out or replaced: characters that XML cannot hold, words
// that it does not list, results of SPF for HELO, rows without an address. Local parts of
// addresses never are in a report. ErrIncomplete is returned where the report has no row or lacks
// an organization, address, ID, period, policy domain, or policy.
func (r *Report) WriteXML(w io.Writer, rows iter.Seq2[Row, error]) error {
	if lacks := r.lacks(); lacks != "" {
		return cause.Wrap(ErrIncomplete, lacks, nil)
	}
	if rows == nil {
		rows = all(r.Rows)
	}
	x := &xmlWriter{out: bufio.NewWriterSize(w, 32<<10)}
	x.out.WriteString(xml.Header)
	x.open(`feedback xmlns="` + namespace + `"`)
	x.text("version", "1.0")
	x.metadata(r)
	x.policy(&r.Policy)
	n := 0
	for row, err := range rows {
		if err != nil {
			return err
		}
		if row.Source.IsValid() {
			x.row(&row)
			n++
		}
		if err := x.err(); err != nil {
			return err
		}
	}
	x.close("feedback")
	if n == 0 {
		return cause.Wrap(ErrIncomplete, "record", nil)
	}
	return x.out.Flush()
}

// lacks names a required element that the report does not have, or returns "".
func (r *Report) lacks() string {
	for _, required := range []struct {
		name  string
		there bool
	}{
		{"org_name", r.Org != ""}, {"email", r.Email != ""}, {"report_id", r.ID != ""},
		{"begin", !r.Begin.IsZero()}, {"end", !r.End.IsZero()},
		{"domain", r.Policy.Domain != ""}, {"p", known(policies, r.Policy.P) != ""},
	} {
		if !required.there {
			return required.name
		}
	}
	return ""
}

func all(rows []Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// An xmlWriter writes elements. All text goes through text, which escapes it.
type xmlWriter struct {
	out   *bufio.Writer
	depth int
}

// err returns the first error of out, which keeps it.
func (x *xmlWriter) err() error {
	_, err := x.out.Write(nil)
	return err
}

func (x *xmlWriter) open(tag string) {
	x.indent()
	x.out.WriteString("<" + tag + ">\n")
	x.depth++
}

func (x *xmlWriter) close(name string) {
	x.depth--
	x.indent()
	x.out.WriteString("</" + name + ">\n")
}

func (x *xmlWriter) indent() {
	x.out.WriteString("                "[:2*x.depth])
}

// text writes an element that holds text.
func (x *xmlWriter) text(name, text string) {
	x.indent()
	x.out.WriteByte('<')
	x.out.WriteString(name)
	x.out.WriteByte('>')
	if text = cut(text); isPlain(text) {
		x.out.WriteString(text)
	} else {
		xml.EscapeText(x.out, []byte(text))
	}
	x.out.WriteString("</")
	x.out.WriteString(name)
	x.out.WriteString(">\n")
}

// isPlain reports whether a text is printable ASCII of which nothing is to be escaped, as most is.
func isPlain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~', c == '<', c == '>', c == '&', c == '"', c == '\'':
			return false
		}
	}
	return true
}

// optional is text, unless it is empty.
func (x *xmlWriter) optional(name, text string) {
	if text != "" {
		x.text(name, text)
	}
}

// cut returns as much of a text as is written.
func cut(text string) string {
	if len(text) <= maxWritten {
		return text
	}
	n := maxWritten
	for n > maxWritten-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

func (x *xmlWriter) metadata(r *Report) {
	x.open("report_metadata")
	x.text("org_name", r.Org)
	x.text("email", r.Email)
	x.optional("extra_contact_info", r.Contact)
	x.text("report_id", r.ID)
	x.open("date_range")
	x.text("begin", strconv.FormatInt(r.Begin.Unix(), 10))
	x.text("end", strconv.FormatInt(r.End.Unix(), 10))
	x.close("date_range")
	errors := r.Errors
	if r.Omitted > 0 {
		errors = append(slices.Clip(errors), fmt.Sprintf("%d messages are not in this report, as there is a limit on its rows", r.Omitted))
	}
	x.optional("error", strings.Join(errors, "; "))
	x.optional("generator", r.Generator)
	x.close("report_metadata")
}

func (x *xmlWriter) policy(p *Policy) {
	x.open("policy_published")
	x.text("domain", domainPart(p.Domain))
	x.optional("discovery_method", known(methods, p.Discovery))
	x.optional("p", known(policies, p.P))
	x.optional("sp", known(policies, p.SP))
	x.optional("np", known(policies, p.NP))
	x.optional("fo", p.FailureOptions)
	x.optional("adkim", known(modes, p.DKIMAlignment))
	x.optional("aspf", known(modes, p.SPFAlignment))
	x.optional("testing", known(flags, p.Testing))
	x.close("policy_published")
}

func (x *xmlWriter) row(row *Row) {
	x.open("record")
	x.open("row")
	x.text("source_ip", row.Source.String())
	x.text("count", strconv.FormatInt(max(row.Count, 0), 10))
	x.open("policy_evaluated")
	x.text("disposition", or(known(dispositions, row.Disposition), "none"))
	x.text("dkim", or(known(outcomes, row.DKIM), "fail"))
	x.text("spf", or(known(outcomes, row.SPF), "fail"))
	for i, reason := range row.Reasons {
		if i < maxList {
			x.reason(reason)
		}
	}
	x.close("policy_evaluated")
	x.close("row")
	x.open("identifiers")
	x.text("header_from", domainPart(row.HeaderFrom))
	x.optional("envelope_from", domainPart(row.EnvelopeFrom))
	x.optional("envelope_to", domainPart(row.EnvelopeTo))
	x.close("identifiers")
	x.open("auth_results")
	for i, a := range row.AuthDKIM {
		if i < maxList && known(results, a.Result) != "" && a.Result != "softfail" {
			x.auth("dkim", a)
		}
	}
	if i := slices.IndexFunc(row.AuthSPF, func(a Auth) bool { return a.Scope != "helo" && known(results, a.Result) != "" }); i >= 0 {
		x.auth("spf", row.AuthSPF[i])
	}
	x.close("auth_results")
	x.close("record")
}

// reason writes why a policy was overridden. RFC 9990 does not have all words of RFC 7489.
func (x *xmlWriter) reason(r Reason) {
	kind, comment := known(reasons, r.Type), r.Comment
	switch kind {
	case "", "sampled_out":
		kind, comment = "other", strings.TrimSpace(r.Type+" "+r.Comment)
	case "forwarded":
		kind = "trusted_forwarder"
	}
	x.open("reason")
	x.text("type", kind)
	x.optional("comment", comment)
	x.close("reason")
}

func (x *xmlWriter) auth(name string, a Auth) {
	x.open(name)
	x.text("domain", domainPart(a.Domain))
	if name == "dkim" {
		x.text("selector", a.Selector)
	} else {
		x.text("scope", "mfrom")
	}
	x.text("result", known(results, a.Result))
	x.optional("human_result", a.Comment)
	x.close(name)
}

// known returns a word that the schema allows, or "".
func known(set words, word string) string {
	word = lower(word)
	if instead, ok := set[word]; !ok || instead != "" {
		return instead
	}
	return word
}

// domainPart returns a text from behind its last "@" on: no address of a person is in a report.
func domainPart(s string) string { return s[strings.LastIndexByte(s, '@')+1:] }

func or(s, standard string) string {
	if s == "" {
		return standard
	}
	return s
}

package failure

import (
	"bufio"
	"errors"
	"io"
	netmail "net/mail"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// fields reads a block of fields. In that of a message an empty line ends it; a feedback report may
// have empty lines before and between its fields.
func (p *parser) fields(in io.Reader, message bool) []Field {
	var list []Field
	lines := bufio.NewScanner(io.LimitReader(in, maxHeader))
	lines.Buffer(nil, maxHeader)
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		switch {
		case strings.TrimSpace(line) == "":
			if message && len(list) > 0 {
				return list
			}
			continue
		case (line[0] == ' ' || line[0] == '\t') && len(list) > 0:
			last := &list[len(list)-1]
			last.Body = strings.TrimSpace(last.Body + " " + clean(line))
			continue
		case len(list) == maxFields:
			p.problem(ProblemTooMany, "", "")
			return list
		}
		name, body, ok := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t")
		if !ok || !isFieldName(name) {
			p.problem(ProblemField, "", visible(clean(line)))
			continue
		}
		list = append(list, Field{name, clean(body)})
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		p.problem(ProblemTooMany, "", "")
	}
	return list
}

// isFieldName reports whether s is the name of a field: RFC 5322, section 2.2.
func isFieldName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && len(s) < 100
}

// clean returns a text on one line, with U+FFFD for what is no character of text.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		switch {
		case c == '\t' || c == '\r' || c == '\n':
			return ' '
		case unicode.IsControl(c):
			return unicode.ReplacementChar
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// feedback takes the fields of a feedback report: RFC 5965, section 3, RFC 6591, section 3.2, RFC
// 6692, and RFC 9991, section 4.
func (p *parser) feedback(list []Field) {
	for _, f := range list {
		if to, value := p.single(f); to != nil {
			p.once(f, to, value)
		} else {
			p.several(f)
		}
	}
}

// once takes the value of a field that may stand once. The first one counts.
func (p *parser) once(f Field, to *string, value string) {
	switch {
	case *to == "":
		*to = value
	case *to != value:
		p.problem(ProblemRepeated, f.Name, visible(f.Body))
	}
}

// single returns where the text of a field goes that may stand once, and that text; nil for other fields.
func (p *parser) single(f Field) (to *string, value string) {
	r := p.report
	switch strings.ToLower(f.Name) {
	case "feedback-type":
		return &r.Type, strings.ToLower(f.Body)
	case "auth-failure":
		return &r.Failure, strings.ToLower(f.Body)
	case "delivery-result":
		return &r.Result, strings.ToLower(f.Body)
	case "user-agent":
		return &r.UserAgent, f.Body
	case "original-mail-from":
		return &r.MailFrom, addressIn(f)
	case "original-envelope-id":
		return &r.EnvelopeID, f.Body
	case "dkim-domain":
		return &r.DKIMDomain, p.domainOf(f)
	case "dkim-identity":
		return &r.DKIMIdentity, f.Body
	case "dkim-selector":
		return &r.DKIMSelector, f.Body
	}
	return nil, ""
}

// several takes a field that may stand more than once, or whose value is no text.
func (p *parser) several(f Field) {
	r := p.report
	switch strings.ToLower(f.Name) {
	case "identity-alignment":
		p.alignment(f)
	case "incidents":
		if n, err := strconv.ParseInt(f.Body, 10, 64); err == nil && n > 0 {
			r.Incidents = n
		} else {
			p.problem(ProblemValue, f.Name, visible(f.Body))
		}
	case "source-ip":
		p.source(f)
	case "source-port":
		n, err := strconv.ParseUint(f.Body, 10, 16)
		if err != nil {
			p.problem(ProblemValue, f.Name, visible(f.Body))
			return
		}
		r.SourcePort = uint16(n)
	case "arrival-date", "received-date":
		p.arrival(f)
	case "original-rcpt-to":
		r.Recipients = append(r.Recipients, addressIn(f))
	case "reported-domain":
		r.Domains = append(r.Domains, p.domainOf(f))
	case "spf-dns":
		r.SPFRecords = append(r.SPFRecords, f.Body)
	case "authentication-results":
		r.AuthResults = append(r.AuthResults, f.Body)
	}
}

func addressIn(f Field) string { return strings.Trim(f.Body, "<> ") }

// alignment reads Identity-Alignment: RFC 9991, section 4. Some write a hyphen for the comma.
func (p *parser) alignment(f Field) {
	p.report.AlignmentKnown = true
	for _, word := range strings.FieldsFunc(strings.ToLower(f.Body), func(c rune) bool { return c == ',' || c == '-' || c == ' ' }) {
		switch word {
		case "dkim", "spf":
			p.report.NotAligned = append(p.report.NotAligned, word)
		case "none":
		default:
			p.problem(ProblemValue, f.Name, visible(f.Body))
		}
	}
}

func (p *parser) source(f Field) {
	text := strings.TrimPrefix(strings.ToLower(strings.Trim(f.Body, "[] ")), "ipv6:")
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		p.problem(ProblemValue, f.Name, visible(f.Body))
	case !p.report.Source.IsValid():
		p.report.Source = a.Unmap().WithZone("")
	}
}

func (p *parser) arrival(f Field) {
	t, err := netmail.ParseDate(f.Body)
	switch {
	case err != nil || t.Year() < 1 || t.Year() > 9999:
		p.problem(ProblemValue, f.Name, visible(f.Body))
	case p.report.Arrival == time.Time{}:
		p.report.Arrival = t.UTC()
	}
}

func (p *parser) domainOf(f Field) string {
	name, err := domain.Canonical(f.Body)
	if err != nil {
		p.problem(ProblemValue, f.Name, visible(f.Body))
		return f.Body
	}
	return name
}

// people takes what the text for people says, where no part that programs read does. It is written
// as "Sender IP Address: 192.0.2.1", or "received from IP 192.0.2.1 on Tue, 1 Jul 2025 …".
func (p *parser) people() {
	text := p.text
	p.text = ""
	if p.report.Structured || text == "" {
		return
	}
	for line := range strings.Lines(text) {
		name, body, ok := strings.Cut(strings.TrimSpace(line), ":")
		f := Field{name, clean(body)}
		if _, rest, found := strings.Cut(line, "received from IP "); found {
			address, date, _ := strings.Cut(rest, " on ")
			p.source(Field{"IP", strings.TrimRight(strings.TrimSpace(address), ".,")})
			if date = strings.TrimRight(strings.TrimSpace(date), "."); date != "" {
				p.arrival(Field{"on", date})
			}
			continue
		}
		if !ok || f.Body == "" {
			continue
		}
		switch strings.ToLower(name) {
		case "sender ip address", "source ip", "source-ip", "ip address":
			p.source(f)
		case "received date", "arrival-date", "arrival date":
			p.arrival(f)
		case "sender domain", "reported-domain", "reported domain":
			if len(p.report.Domains) == 0 {
				p.report.Domains = append(p.report.Domains, p.domainOf(f))
			}
		}
	}
}

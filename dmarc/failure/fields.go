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
	r := p.report
	for _, f := range list {
		once := func(to *string, value string) {
			switch {
			case *to == "":
				*to = value
			case *to != value:
				p.problem(ProblemRepeated, f.Name, visible(f.Body))
			}
		}
		word, address := strings.ToLower(f.Body), strings.Trim(f.Body, "<> ")
		switch strings.ToLower(f.Name) {
		case "feedback-type":
			once(&r.Type, word)
		case "user-agent":
			once(&r.UserAgent, f.Body)
		case "auth-failure":
			once(&r.Failure, word)
		case "delivery-result":
			once(&r.Result, word)
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
			}
			r.SourcePort = uint16(n)
		case "arrival-date", "received-date":
			p.arrival(f)
		case "original-mail-from":
			once(&r.MailFrom, address)
		case "original-rcpt-to":
			r.Recipients = append(r.Recipients, address)
		case "original-envelope-id":
			once(&r.EnvelopeID, f.Body)
		case "reported-domain":
			r.Domains = append(r.Domains, p.domainOf(f))
		case "dkim-domain":
			once(&r.DKIMDomain, p.domainOf(f))
		case "dkim-identity":
			once(&r.DKIMIdentity, f.Body)
		case "dkim-selector":
			once(&r.DKIMSelector, f.Body)
		case "spf-dns":
			r.SPFRecords = append(r.SPFRecords, f.Body)
		case "authentication-results":
			r.AuthResults = append(r.AuthResults, f.Body)
		}
	}
}

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

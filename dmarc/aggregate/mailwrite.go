package aggregate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/limit"
)

// A Mail is the mail that a report is sent in: RFC 9990, section 3.5.2. It is a function of its
// fields: the same ones give the same octets.
type Mail struct {
	Report *Report

	// Rows yields the rows of the report, where they are not in Report.Rows, the most
	// important ones first. It is called more than once where they do not fit.
	Rows iter.Seq2[Row, error]

	// Submitter is the domain of whoever reports, in A-labels, which is the host of the
	// Message-ID too.
	Submitter string

	From string   // the address of the From field
	To   []string // those of the To field
	Date time.Time

	// MaxSize is how many octets the mail may have. Rows that do not fit are left out, and
	// the report says how many. Default 10 MiB; a negative number is no limit.
	MaxSize int
}

// DefaultMailSize is the default of Mail.MaxSize. Most servers take twice as much.
const DefaultMailSize = 10 << 20

// Filename returns the name of the file in the mail: "receiver!domain!begin!end!id.xml.gz", of
// letters, digits, ".", "-" and "!" only.
func (m *Mail) Filename() string {
	r := m.Report
	name := fmt.Sprintf("%s!%s!%d!%d", fileText(m.Submitter), fileText(r.Policy.Domain), r.Begin.Unix(), r.End.Unix())
	if r.ID != "" && isAlphanumeric(r.ID) {
		name += "!" + r.ID
	}
	return name + ".xml.gz"
}

// Subject returns the Subject of the mail.
func (m *Mail) Subject() string {
	return fmt.Sprintf("Report Domain: %s Submitter: %s Report-ID: %s", fileText(m.Report.Policy.Domain), fileText(m.Submitter), idText(m.Report.ID))
}

// Bytes returns the mail. The error is ErrIncomplete, ErrTooLarge, or that of Rows.
func (m *Mail) Bytes() ([]byte, error) {
	report, rows := *m.Report, m.Rows
	if rows == nil {
		rows = all(report.Rows)
	}
	const around = 4 << 10 // what the mail has besides the file
	const line = 57        // octets of the file in a line of base64, which has 78
	size := limit.Of(m.MaxSize, DefaultMailSize)
	most := (size - around) / 78 * line
	left := -1 // rows that are written; -1 is all
	for {
		file, written, err := compress(&report, rows, left, most)
		switch {
		case err == nil:
			return m.message(file)
		case !errors.Is(err, errFull):
			return nil, err
		case written < 2:
			return nil, cause.Wrap(ErrTooLarge, fmt.Sprintf("the mail may have %d octets", size), nil)
		}
		// What was written when it was full is about what fits.
		left = written * 9 / 10
		omitted, messages, err := count(rows, left)
		if err != nil {
			return nil, err
		}
		report.Errors = append(slices.Clip(m.Report.Errors),
			fmt.Sprintf("%d records with %d messages are left out, as the report would be too large", omitted, messages))
	}
}

var errFull = errors.New("the file is as large as it may be")

// compress writes a report as gzip with as many rows as left says. The error is errFull where the file would
// have more than most octets; written is how many rows had been written then.
func compress(r *Report, rows iter.Seq2[Row, error], left, most int) (file []byte, written int, err error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&limitedWriter{&b, most})
	err = r.WriteXML(w, func(yield func(Row, error) bool) {
		for row, err := range rows {
			if written == left || !yield(row, err) {
				return
			}
			written++
		}
	})
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), written, err
}

// count returns how many rows there are after the first n, and how many messages they have.
func count(rows iter.Seq2[Row, error], n int) (omitted int, messages int64, err error) {
	i := 0
	for row, err := range rows {
		if err != nil {
			return 0, 0, err
		}
		if i++; i > n {
			omitted++
			messages = addCounts(messages, row.Count)
		}
	}
	return omitted, messages, nil
}

type limitedWriter struct {
	b    *bytes.Buffer
	most int
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.b.Len()+len(p) > w.most {
		return 0, errFull
	}
	return w.b.Write(p)
}

// message returns the mail with a file.
func (m *Mail) message(file []byte) ([]byte, error) {
	var h mail.Header
	// The field that is set last is the first of the mail.
	h.SetContentType("multipart/mixed", map[string]string{"boundary": "report-" + idText(m.Report.ID)})
	h.Set("Auto-Submitted", "auto-generated")
	h.Set("Message-Id", "<"+idText(m.Report.ID)+"@"+fileText(m.Submitter)+">")
	h.SetDate(m.Date)
	h.Set("Subject", m.Subject())
	h.SetAddressList("To", addresses(m.To...))
	h.SetAddressList("From", addresses(m.From))
	h.Set("Mime-Version", "1.0")

	var b bytes.Buffer
	w, err := message.CreateWriter(&b, h.Header)
	if err != nil {
		return nil, err
	}
	var text, report message.Header
	text.Set("Content-Transfer-Encoding", "7bit")
	text.SetContentType("text/plain", map[string]string{"charset": "us-ascii"})
	if err := writePart(w, text, []byte(m.text())); err != nil {
		return nil, err
	}
	report.Set("Content-Transfer-Encoding", "base64")
	report.SetContentDisposition("attachment", map[string]string{"filename": m.Filename()})
	report.SetContentType("application/gzip", map[string]string{"name": m.Filename()})
	if err := writePart(w, report, file); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func addresses(list ...string) (out []*mail.Address) {
	for _, address := range list {
		out = append(out, &mail.Address{Address: address})
	}
	return out
}

func writePart(w *message.Writer, h message.Header, body []byte) error {
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := io.Copy(part, bytes.NewReader(body)); err != nil {
		return err
	}
	return part.Close()
}

// text is what people read.
func (m *Mail) text() string {
	r := m.Report
	return fmt.Sprintf("This is a DMARC aggregate report (RFC 9990) about %s,\r\nfrom %s to %s UTC, by %s.\r\n",
		fileText(r.Policy.Domain), r.Begin.UTC().Format(time.DateTime), r.End.UTC().Format(time.DateTime), fileText(m.Submitter))
}

// fileText returns a domain name with a hyphen in place of each octet that no host name has.
func fileText(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '.' || c == '-' || isAlphanumeric(string(c)) {
			return c
		}
		return '-'
	}, s)
}

// idText returns a Report-ID for a field or a boundary: what is not a letter or digit becomes a
// hyphen, which IDs that were made here do not have.
func idText(id string) string {
	return or(strings.Trim(fileText(id[:min(len(id), 60)]), ".-"), "report")
}

func isAlphanumeric(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z') {
			return false
		}
	}
	return true
}

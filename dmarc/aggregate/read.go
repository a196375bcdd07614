package aggregate

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// A Reader reads reports that others sent. The zero Reader works, and it may be used by many
// goroutines.
type Reader struct {
	Limits Limits

	// Row, if it is set, is called with each row as it was read, and Report.Rows stays empty:
	// so that a report of any size takes little memory. The report then is as far as it was
	// read, which as a rule is all but its rows. An error that Row returns ends the reading,
	// and Read returns it.
	Row func(*Report, Row) error
}

// Read reads the reports in a file or mail, of which there is one as a rule: XML, gzip, zip, or
// a mail that has one of them in whatever part. What it is, its octets say, and no name or media
// type. A zip is read as far as its first file.
//
// The error is nil where there are reports and all of them are whole. Else it is that of the
// first report that is not, whose Err has it too; that of the underlying reader or of Row; or
// ErrNoReport. What was read before is returned beside it.
func (r *Reader) Read(in io.Reader) ([]*Report, error) {
	s := &source{limits: r.Limits.withDefaults(), row: r.Row}
	s.left = s.limits.Size
	input := &input{in: in}
	s.read(input, 0)
	switch {
	case s.err != nil:
	case input.err != nil:
		s.err = input.err
	case len(s.reports) > 0:
	case s.other != nil:
		s.err = withoutReport{s.other}
	default:
		s.err = ErrNoReport
	}
	return s.reports, s.err
}

// Bounds of what one input may be made of. Real ones have three layers and a dozen parts.
const (
	maxLayers = 8   // of gzip, zip, and mail in one another
	maxParts  = 200 // of a mail
)

// A source is one input while it is read.
type source struct {
	limits Limits
	row    func(*Report, Row) error
	left   int64 // of Limits.Size, for XML
	parts  int

	reports []*Report
	other   error // why there is none: a report of another kind, or the first fault
	err     error // the first that matters also where there is one
}

// fail takes an error. The first one stands.
func (s *source) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// noReport takes the reason why there is no report. The first one stands.
func (s *source) noReport(why error) {
	if s.other == nil {
		s.other = why
	}
}

// ended reports whether nothing more is to be read: a limit was reached, or the caller's own reader
// or function failed. A part that is broken keeps nobody from reading the others.
func (s *source) ended() bool {
	return s.err != nil && (errors.Is(s.err, ErrLimit) || causes.Code(s.err) == "")
}

// read reads what may be a report, compressed or in a mail; layer is in how many of these it
// stands.
func (s *source) read(in io.Reader, layer int) {
	if layer > maxLayers {
		s.fail(exceeds("layers", maxLayers))
		return
	}
	b := bufio.NewReaderSize(in, 4096)
	head, err := b.Peek(b.Size())
	if err != nil && err != io.EOF && len(head) == 0 {
		s.fail(dataError(err))
		return
	}
	switch sniff(head) {
	case formGzip:
		s.gzip(b, layer)
	case formZip:
		s.zip(b, layer)
	case formXML:
		s.xml(b)
	case formUTF16:
		s.xml(utf16(b))
	case formMail:
		s.mail(b, layer)
	case formTLSReport:
		s.other = ErrTLSReport
	}
}

// xml reads an XML document, which may be a report. If it is none, what is wrong with it does not
// matter, unless there is no report elsewhere.
func (s *source) xml(in io.Reader) {
	counted := &meter{in: in, most: s.left, over: exceeds("Size", s.limits.Size)}
	reports, err := parse(counted, s.limits, s.row)
	s.left -= counted.n
	s.reports = append(s.reports, reports...)
	switch {
	case err == nil:
	case len(reports) > 0 || errors.Is(err, ErrLimit):
		s.fail(err)
	default:
		s.noReport(err)
	}
}

// form is what an input is by its first octets.
type form uint8

const (
	formOther form = iota
	formGzip
	formZip
	formXML
	formUTF16 // XML in UTF-16
	formMail
	formTLSReport
)

func sniff(head []byte) form {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return formGzip
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return formZip
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return formUTF16
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		return formXML
	case bytes.HasPrefix(text, []byte("{")) && bytes.Contains(head, []byte(`"organization-name"`)):
		return formTLSReport
	case beginsField(text):
		return formMail
	case bytes.Contains(head, []byte("<feedback")):
		return formXML // with a prolog that is none, or text before it
	}
	return formOther
}

// beginsField reports whether a text begins with a header field: RFC 5322, section 2.2, or with
// the line that a mailbox file has before it.
func beginsField(text []byte) bool {
	if bytes.HasPrefix(text, []byte("From ")) || bytes.HasPrefix(text, []byte(">From ")) {
		return true
	}
	name, _, ok := bytes.Cut(text, []byte(":"))
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return ok && len(name) > 0 && len(name) < 80
}

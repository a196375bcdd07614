// Package receivedspf writes and reads the header field Received-SPF: RFC 7208, section
// 9.1.
//
// A server that has checked a message records the result at the top of its header:
//
//	result := checker.Check(ctx, envelope)
//	field := receivedspf.New(result, envelope, "mx.receiver.example").String() + "\r\n"
//
// Authentication-Results (package dmarc/authres) says more and is read by more programs;
// this field is for those that look for it.
package receivedspf

import (
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/spf"
)

// A Field is the content of a Received-SPF header field. Its strings are what the field
// says, not yet or no longer quoted.
type Field struct {
	Status  spf.Status `json:"status"`
	Comment string     `json:"comment,omitempty"` // the text in parentheses after the result

	Receiver     string     `json:"receiver,omitempty"`
	Identity     string     `json:"identity,omitempty"` // "mailfrom", "helo" or another
	ClientIP     netip.Addr `json:"client_ip,omitzero"`
	EnvelopeFrom string     `json:"envelope_from,omitempty"`
	HELO         string     `json:"helo,omitempty"`
	Mechanism    string     `json:"mechanism,omitempty"` // "default" where none matched
	Problem      string     `json:"problem,omitempty"`

	// Other are the pairs with other keys, in order.
	Other []Pair `json:"other,omitempty"`
}

// A Pair is one key and value of a Received-SPF field.
type Pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// New returns the field that records r, a result for e, at the host receiver. String
// writes it so that nothing which the client or the domain chose can leave its place.
func New(r *spf.Result, e spf.Envelope, receiver string) *Field {
	f := &Field{
		Status:   r.Status,
		Comment:  comment(r, e, receiver),
		Receiver: receiver,
		Identity: r.Identity.String(),
		ClientIP: e.IP.Unmap().WithZone(""),
		HELO:     e.HELO,
	}
	if name, err := domain.Canonical(e.HELO); err == nil {
		f.HELO = name
	}
	if r.Identity == spf.IdentityMailFrom {
		f.EnvelopeFrom = r.Sender
		if f.EnvelopeFrom == "" {
			f.EnvelopeFrom = e.MailFrom
		}
	}
	switch r.Status {
	case spf.StatusTempError, spf.StatusPermError:
		if r.Err != nil { // as it is in every result of a Checker
			f.Problem = r.Err.Error()
		}
	case spf.StatusNone:
	default:
		f.Mechanism = r.Mechanism
		if f.Mechanism == "" {
			f.Mechanism = "default"
		}
	}
	return f
}

// comment says the result in words, as section 9.1 recommends.
func comment(r *spf.Result, e spf.Envelope, receiver string) string {
	ip, name := "a client of unknown address", clean(cut(r.Domain, 80))
	if e.IP.IsValid() {
		ip = e.IP.Unmap().WithZone("").String()
	}
	text := ""
	switch r.Status {
	case spf.StatusNone:
		text = "domain of " + name + " does not say who may send for it"
	case spf.StatusNeutral:
		text = ip + " is neither permitted nor denied by domain of " + name
	case spf.StatusPass:
		text = "domain of " + name + " designates " + ip + " as permitted sender"
	case spf.StatusFail:
		text = "domain of " + name + " does not designate " + ip + " as permitted sender"
	case spf.StatusSoftFail:
		text = "domain of " + name + " probably does not designate " + ip + " as permitted sender"
	case spf.StatusTempError:
		text = "DNS failed in processing domain of " + name
		if errors.Is(r.Err, spf.ErrCanceled) || errors.Is(r.Err, spf.ErrTimeLimit) {
			text = "processing domain of " + name + " was not completed"
		}
	case spf.StatusPermError:
		text = "permanent error in processing domain of " + name
	}
	if receiver == "" {
		return text
	}
	return receiver + ": " + text
}

// String returns the header field, folded, without the CRLF at its end.
//
// A value that is not an atom is quoted. Characters that are not printable become
// question marks. So that no line is too long, HELO names and addresses of more
// than 320 octets are left out, and other values are cut there.
func (f *Field) String() string {
	w := fieldWriter{}
	w.word("Received-SPF:")
	w.word(f.Status.String())
	if f.Comment != "" {
		w.comment(f.Comment)
	}
	w.pair("receiver", cut(f.Receiver, mostValue))
	w.pair("identity", cut(f.Identity, mostValue))
	if f.ClientIP.IsValid() {
		w.pair("client-ip", f.ClientIP.String())
	}
	w.pair("envelope-from", orNone(f.EnvelopeFrom))
	w.pair("helo", orNone(f.HELO))
	w.pair("mechanism", cut(f.Mechanism, mostValue))
	w.pair("problem", cut(f.Problem, mostValue))
	for _, p := range f.Other {
		if isKey(p.Key) {
			w.pair(p.Key, cut(p.Value, mostValue))
		}
	}
	return w.b.String()
}

// mostValue is the length of the longest path of RFC 5321, and something.
const mostValue = 320

// cut returns no more than the first most octets of s, and "..." where there are more.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

func orNone(s string) string {
	if len(s) > mostValue {
		return "" // cut, it could be taken for another
	}
	return s
}

// A fieldWriter puts the words of a header field on lines.
type fieldWriter struct {
	b    strings.Builder
	line int // octets on the line
}

// word writes s behind a space, or on a new line where it does not fit in 78
// octets: RFC 5322, section 2.1.1.
func (w *fieldWriter) word(s string) {
	switch {
	case w.line == 0:
	case w.line+1+len(s) > 78:
		w.b.WriteString("\r\n ")
		w.line = 1
	default:
		w.b.WriteByte(' ')
		w.line++
	}
	w.b.WriteString(s)
	w.line += len(s)
}

func (w *fieldWriter) comment(s string) {
	words := strings.Fields(clean(cut(s, mostValue)))
	for i, word := range words {
		word = escaper.Replace(word)
		if i == 0 {
			word = "(" + word
		}
		if i == len(words)-1 {
			word += ")"
		}
		w.word(word)
	}
}

// escaper quotes what ends a comment or a quoted string, or begins another.
var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `(`, `\(`, `)`, `\)`)

func (w *fieldWriter) pair(key, value string) {
	if value == "" {
		return
	}
	if value = clean(value); !isDotAtom(value) {
		value = `"` + escaper.Replace(value) + `"`
	}
	w.word(key + "=" + value + ";")
}

// clean replaces each character that is not printable, CR and LF among them, by a
// question mark.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// isDotAtom follows dot-atom of RFC 5322, section 3.2.3.
func isDotAtom(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			if !isAtext(part[i]) {
				return false
			}
		}
	}
	return true
}

func isAtext(c byte) bool {
	return isAlpha(c) || isDigit(c) || c < 0x80 && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// isKey follows name of RFC 7208, section 4.6.1.
func isKey(s string) bool { return s != "" && keyLength(s) == len(s) }

// keyLength returns the length of the name that s begins with, or 0:
//
//	name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
func keyLength(s string) int {
	n := 0
	for n < len(s) && (isAlpha(s[n]) || n > 0 && (isDigit(s[n]) || strings.IndexByte("-_.", s[n]) >= 0)) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

package stored

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/spf"
)

// A Line is what is written of one message.
type Line struct {
	File  string // as the line calls it: that of a Name, with "@OFFSET" in an mbox
	Text  []byte // a JSON object, with the end of the line
	Again bool   // DNS or the store failed: a second pass may end otherwise

	// Disposition is what the verdict recommends: a word of package dmarc, "" without one.
	Disposition string
}

// About is the value of the key "archive".
type About struct {
	// DNS says of when the answers are: "stored" beside the message, "zone" of one that was
	// given for all messages, or "now".
	DNS string `json:"dns"`

	// KeysChanged are the signatures that may have been good: their keys are not what they
	// were. It is only known where DNS is "now".
	KeysChanged []ChangedKey `json:"keys_changed,omitempty"`

	Stored  *StoredResults `json:"stored,omitempty"`
	Differs []Difference   `json:"differs,omitempty"`
}

// AsOfNow is the About.DNS of answers that were asked for during the run.
const AsOfNow = "now"

// A skipped is the line of what has no verdict.
type skipped struct {
	File    string `json:"file"`
	Skipped Reason `json:"skipped"`
}

// A Reason says why there is no verdict. The kinds are "setup-notification", "too-large",
// "encrypted", "no-message", "sidecar", and "unreadable", of which a second pass may end otherwise.
type Reason struct {
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
}

func skip(file, kind string, err error) Line {
	return Line{File: file, Text: encode(skipped{file, Reason{kind, err.Error()}})}
}

// failed returns the line of what the store did not give.
func failed(file string, err error) Line {
	l := skip(file, "unreadable", err)
	l.Again = true
	return l
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings, numbers and slices of them always have a JSON
	}
	return b.Bytes()
}

// withAbout puts the key "archive" at the end of an object on a line.
func withAbout(object []byte, about About) []byte {
	object = bytes.TrimSuffix(object, []byte("}\n"))
	object = append(object, `,"archive":`...)
	object = append(object, bytes.TrimSuffix(encode(about), []byte("\n"))...)
	return append(object, "}\n"...)
}

// isOpen reports whether a part of the result is temperror.
func isOpen(r *dmarc.Result) bool {
	return r.DMARC.Status == dmarc.StatusTempError || r.SPF.Status == spf.StatusTempError || r.HELO.Status == spf.StatusTempError ||
		slices.ContainsFunc(r.DKIM, func(d *dkim.Result) bool { return d.Status == dkim.StatusTempError })
}

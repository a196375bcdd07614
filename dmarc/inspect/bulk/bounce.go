package bulk

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// A Bounce is what a reply means with which a large receiver, or a company that sends, refuses mail.
type Bounce struct {
	Receiver string `json:"receiver"`       // google, microsoft or amazon-ses
	Code     string `json:"code"`           // as it stands in the reply: 5.7.26
	Rule     string `json:"rule,omitempty"` // of Result
	Means    string `json:"means"`          // a plain sentence
	Do       string `json:"do"`             // another
}

// String returns the code and what it means, in one line.
func (b Bounce) String() string { return b.Code + " (" + b.Receiver + "): " + b.Means }

// A bounceRow is a row of bounces.json: a reply has one of Codes, or all of Words.
type bounceRow struct {
	Bounce
	Codes []string `json:"codes"`
	Words []string `json:"words"`
}

//go:embed bounces.json
var bouncesJSON []byte

// bounces is the table. A test reads it.
var bounces = sync.OnceValue(func() []bounceRow {
	var list []bounceRow
	if json.Unmarshal(bouncesJSON, &list) != nil {
		return nil
	}
	return list
})

// maxBounce is how much of a reply is read, in octets.
const maxBounce = 64 << 10

// Explain says what the codes in a reply mean, or in the text of a bounce that quotes one.
// It is empty if no code is known.
func Explain(text string) []Bounce {
	text = domain.ToLower(text[:min(len(text), maxBounce)])
	codes := strings.FieldsFunc(text, func(c rune) bool { return (c < '0' || c > '9') && c != '.' })
	var list []Bounce
	for _, row := range bounces() {
		b := row.Bounce
		for _, code := range codes {
			if code = strings.Trim(code, "."); slices.Contains(row.Codes, code) {
				b.Code = code
			}
		}
		if len(row.Words) > 0 && !slices.ContainsFunc(row.Words, func(word string) bool { return !strings.Contains(text, word) }) {
			b.Code = row.Words[0]
		}
		if b.Code != "" {
			list = append(list, b)
		}
	}
	return list
}

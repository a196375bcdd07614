package dmarctest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
)

// updateVariable is the environment variable that asks for new expectations.
const updateVariable = "DMARCTEST_UPDATE"

// updating reports whether expectations are to be written instead of met. This package
// registers no flag: two packages that both register "update" cannot be in one program.
func updating() bool {
	if on, err := strconv.ParseBool(os.Getenv(updateVariable)); err == nil {
		return on
	}
	f := flag.Lookup("update")
	if f == nil {
		return false
	}
	on, err := strconv.ParseBool(f.Value.String())
	return err == nil && on
}

// update writes the expectations of a sidecar, unless they stand there as they are.
func update(path string, w Want) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := replaceWant(before, w)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if bytes.Equal(text, before) {
		return nil
	}
	return os.WriteFile(path, text, 0o666)
}

// replaceWant puts w in the place of the value of "want", or at the end of the object, and
// leaves every other octet alone: what people wrote there is theirs.
func replaceWant(text []byte, w Want) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	last := int(d.InputOffset()) // end of the last value
	members, from, to := 0, 0, 0
	for ; d.More(); members++ {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		last = int(d.InputOffset())
		if key == "want" { // of several, the last one counts
			from, to = last-len(value), last
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	member := "\n  \"want\": " + w.text()
	switch {
	case to > 0:
		return splice(text, from, to, w.text()), nil
	case members > 0:
		return splice(text, last, last, ","+member), nil
	}
	return splice(text, last, int(d.InputOffset())-1, member+"\n"), nil
}

func splice(text []byte, from, to int, s string) []byte {
	return bytes.Join([][]byte{text[:from], []byte(s), text[to:]}, nil)
}

// text returns w as it stands in a sidecar: a line for each key.
func (w Want) text() string {
	var dkim bytes.Buffer
	for i, word := range w.DKIM {
		if i > 0 {
			dkim.WriteString(", ")
		}
		dkim.WriteString(strconv.Quote(word))
	}
	return fmt.Sprintf("{\n    \"verdict\": %q,\n    \"disposition\": %q,\n    \"spf\": %q,\n    \"dkim\": [%s]\n  }",
		w.Verdict, w.Disposition, w.SPF, dkim.String())
}

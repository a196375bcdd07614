package dmarctest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/suggest"
	"github.com/mailverdict/mailverdict/spf"
)

// A decoder takes the value of one key of an object. Line is where it begins.
type decoder func(value []byte, line int) error

// into returns a decoder that writes to target.
func into(target any) decoder {
	return func(value []byte, _ int) error { return json.Unmarshal(value, target) }
}

// word returns a decoder for a word that has to be one of the values of a type.
func word(target *string, value encoding.TextUnmarshaler) decoder {
	return func(text []byte, _ int) error {
		if err := json.Unmarshal(text, target); err != nil || *target == "" {
			return err
		}
		return value.UnmarshalText([]byte(*target))
	}
}

// readSidecar sets what the sidecar says. An error names the file, the line and the key.
func (f *Fixture) readSidecar(text []byte) error {
	err := readObject(text, 1, known(map[string]decoder{
		"ip":        into(&f.Envelope.IP),
		"helo":      into(&f.Envelope.HELO),
		"mail_from": into(&f.Envelope.MailFrom),
		"now":       into(&f.Now),
		"faults":    f.readFaults,
		"want":      f.Want.read,
	}))
	if err != nil {
		return fmt.Errorf("%s:%w", f.sidecar, err)
	}
	return nil
}

// readFaults plants what the value of "faults" says.
func (f *Fixture) readFaults(text []byte, line int) error {
	return readObject(text, line, func(question string) (decoder, error) {
		return func(text []byte, _ int) error {
			var words string
			if err := json.Unmarshal(text, &words); err != nil {
				return err
			}
			fault, err := parseFault(words)
			if err != nil {
				return err
			}
			return plant(f.Zone, question, fault)
		}, nil
	})
}

// read sets what the value of "want" says.
func (w *Want) read(text []byte, line int) error {
	return readObject(text, line, known(map[string]decoder{
		"verdict":     word(&w.Verdict, new(dmarc.Status)),
		"disposition": word(&w.Disposition, new(dmarc.Disposition)),
		"spf":         word(&w.SPF, new(spf.Status)),
		"dkim": func(text []byte, _ int) error {
			if err := json.Unmarshal(text, &w.DKIM); err != nil {
				return err
			}
			for _, word := range w.DKIM {
				if err := new(dkim.Status).UnmarshalText([]byte(word)); err != nil {
					return err
				}
			}
			return nil
		},
	}))
}

// A lineError is what is wrong, and the line where it stands: its text begins with that.
type lineError struct {
	line int
	key  string // or "" for the object
	err  error
}

func (e *lineError) Error() string {
	if e.key == "" {
		return fmt.Sprintf("%d: %v", e.line, e.err)
	}
	return fmt.Sprintf("%d: %s: %v", e.line, e.key, e.err)
}

func (e *lineError) Unwrap() error { return e.err }

// readObject gives the value of each key of a JSON object to the decoder for the key. Line is
// where text begins in its file, from 1. An error is a lineError.
func readObject(text []byte, line int, of func(key string) (decoder, error)) error {
	if string(text) == "null" {
		return nil
	}
	o := object{text: text, line: line, Decoder: json.NewDecoder(bytes.NewReader(text))}
	if token, err := o.Token(); err != nil || token != json.Delim('{') {
		return o.fail("", errors.New("not an object"))
	}
	for o.More() {
		token, err := o.Token()
		if err != nil {
			return o.fail("", err)
		}
		key, _ := token.(string) // what else is a key is an error of Token
		decode, err := of(key)
		if err != nil {
			return o.fail("", err)
		}
		var value json.RawMessage
		if err := o.Decode(&value); err != nil {
			return o.fail("", err)
		}
		if err := decode(value, o.at(o.InputOffset()-int64(len(value)))); err != nil {
			return o.fail(key, err)
		}
	}
	if _, err := o.Token(); err != nil {
		return o.fail("", err)
	}
	if _, err := o.Token(); err != io.EOF {
		return o.fail("", errors.New("there is more after the object"))
	}
	return nil
}

// An object is a JSON object while it is read.
type object struct {
	*json.Decoder
	text []byte
	line int // where text begins
}

// at returns the line at an offset in the text.
func (o object) at(offset int64) int { return o.line + bytes.Count(o.text[:offset], []byte("\n")) }

// fail returns an error about the value of a key, or, where key is empty, about the object,
// at the place that was read last.
func (o object) fail(key string, err error) error {
	if inner, ok := errors.AsType[*lineError](err); ok {
		return &lineError{inner.line, strings.TrimSuffix(key+"."+inner.key, "."), inner.err}
	}
	offset := o.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = min(syntax.Offset, int64(len(o.text)))
	}
	return &lineError{o.at(offset), key, err}
}

// known returns the decoders of those keys.
func known(keys map[string]decoder) func(key string) (decoder, error) {
	return func(key string) (decoder, error) {
		if decode, ok := keys[key]; ok {
			return decode, nil
		}
		return nil, unknownKey(key, slices.Sorted(maps.Keys(keys)))
	}
}

// unknownKey says that there is no such key, and which one was meant.
func unknownKey(key string, known []string) error {
	if name := suggest.Word(key, known); name != "" {
		return fmt.Errorf("unknown key %q: did you mean %q?", key, name)
	}
	return fmt.Errorf("unknown key %q: known are %s", key, strings.Join(known, ", "))
}

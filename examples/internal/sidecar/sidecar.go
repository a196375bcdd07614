// Package sidecar reads what stands beside the file of a message: NAME.json, which says how it came
// and what time it is, and NAME.zone, which is all of DNS for it.
package sidecar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Sidecar is what NAME.json and NAME.zone say of NAME.eml. What is nil or zero is not
// said.
type Sidecar struct {
	IP             netip.Addr
	HELO, MailFrom *string
	Now            time.Time
	Zone           resolver.Zone // all of DNS
}

// A File is a file beside a message. Text is nil where there is none.
type File struct {
	Name string
	Text []byte
}

// Read reads the files beside a message. Nil means that there are none.
func Read(session, zone File) (s *Sidecar, err error) {
	if session.Text == nil && zone.Text == nil {
		return nil, nil
	}
	s = &Sidecar{}
	if zone.Text != nil {
		if s.Zone, err = resolver.ParseZone(bytes.NewReader(zone.Text), zone.Name); err != nil {
			return nil, err
		}
	}
	return s.read(session, true)
}

// ReadSession reads what is said of the session and the time, and leaves DNS and its faults aside.
func ReadSession(session File) (*Sidecar, error) {
	if session.Text == nil {
		return nil, nil
	}
	return new(Sidecar).read(session, false)
}

func (s *Sidecar) read(session File, zones bool) (*Sidecar, error) {
	if session.Text != nil {
		if err := s.parse(session.Text, zones); err != nil {
			return nil, fmt.Errorf("%s: %w", session.Name, err)
		}
	}
	return s, nil
}

// parse reads the JSON. What is expected of the message is for others: see package dmarctest,
// which knows the same keys.
func (s *Sidecar) parse(text []byte, zones bool) error {
	var v values
	if err := v.decode(text); err != nil {
		return err
	}
	if err := s.session(v); err != nil {
		return err
	}
	if !zones {
		return nil
	}
	if len(v.faults) > 0 && s.Zone == nil {
		return errors.New("faults without a zone")
	}
	for question, fault := range v.faults {
		if err := plant(s.Zone, question, fault); err != nil {
			return fmt.Errorf("fault at %q: %w", question, err)
		}
	}
	return nil
}

// Values are those of the keys of a sidecar, nil where there are none.
type values struct {
	ip, helo, mailFrom *string
	now                *timestamp
	faults             map[string]string
}

// decode reads the keys. One that nobody knows is an error, since it would do nothing.
func (v *values) decode(text []byte) error {
	var keys map[string]json.RawMessage
	err := json.Unmarshal(text, &keys)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok || err == nil && keys == nil {
		return errors.New("not a JSON object")
	}
	if err != nil {
		return err
	}
	known := map[string]struct {
		value any
		kind  string
	}{
		"ip":        {&v.ip, "a string"},
		"helo":      {&v.helo, "a string"},
		"mail_from": {&v.mailFrom, "a string"},
		"now":       {&v.now, "a string or a number"},
		"faults":    {&v.faults, "an object of strings"},
		"want":      {new(json.RawMessage), "JSON"},
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		k, ok := known[key]
		if !ok {
			return fmt.Errorf("unknown key %q: it has ip, helo, mail_from, now, faults and want", key)
		}
		if json.Unmarshal(keys[key], k.value) != nil {
			return fmt.Errorf("%s is not %s", key, k.kind)
		}
	}
	return nil
}

// session takes over what is said about the SMTP session and the time.
func (s *Sidecar) session(v values) (err error) {
	s.HELO = v.helo
	if v.mailFrom != nil {
		address := envelope.ReversePath(*v.mailFrom)
		s.MailFrom = &address
	}
	if v.ip != nil && *v.ip != "" {
		if s.IP, err = envelope.ParseIP(*v.ip); err != nil {
			return fmt.Errorf("ip %q is %w", *v.ip, err)
		}
	}
	if v.now != nil {
		if s.Now, err = ParseTime(string(*v.now)); err != nil {
			return fmt.Errorf("now %q is %w", *v.now, err)
		}
	}
	return nil
}

// A timestamp is a time in JSON as it was written: a string, or a number of Unix seconds.
type timestamp string

// UnmarshalJSON takes the digits of a number as they are.
func (t *timestamp) UnmarshalJSON(text []byte) error {
	var number json.Number // of a string too, where it has one
	if text[0] != '"' && json.Unmarshal(text, &number) == nil {
		*t = timestamp(number)
		return nil
	}
	return json.Unmarshal(text, (*string)(t))
}

// ParseTime reads RFC 3339 or Unix seconds.
func ParseTime(s string) (time.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && n < 1<<36 {
		return time.Unix(n, 0).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, errors.New("neither RFC 3339 nor Unix seconds")
	}
	return t, nil
}

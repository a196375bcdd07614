package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

// maxSidecar is how large a file beside a message may be, in octets.
const maxSidecar = 16 << 20

// A sidecar is what NAME.json and NAME.zone say of NAME.eml. What is nil or zero is not
// said.
type sidecar struct {
	ip             netip.Addr
	helo, mailFrom *string
	now            time.Time
	zone           resolver.Zone // all of DNS
}

// readSidecar reads the files beside a message, the zone and its faults only if zones
// is true. Nil means that there are none.
func (in input) readSidecar(zones bool) (*sidecar, error) {
	text, textName, err := in.beside(".json")
	if err != nil {
		return nil, err
	}
	var zone []byte
	var zoneName string
	if zones {
		if zone, zoneName, err = in.beside(".zone"); err != nil {
			return nil, err
		}
	}
	if text == nil && zone == nil {
		return nil, nil
	}
	s := &sidecar{}
	if zone != nil {
		if s.zone, err = resolver.ParseZone(bytes.NewReader(zone), zoneName); err != nil {
			return nil, err
		}
	}
	if text != nil {
		if err := s.parse(text, zones); err != nil {
			return nil, fmt.Errorf("%s: %w", textName, err)
		}
	}
	return s, nil
}

// parse reads the JSON. What is expected of the message is for others: see package dmarctest,
// which knows the same keys.
func (s *sidecar) parse(text []byte, zones bool) error {
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
	if len(v.faults) > 0 && s.zone == nil {
		return errors.New("faults without a zone")
	}
	for question, fault := range v.faults {
		if err := plant(s.zone, question, fault); err != nil {
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
func (s *sidecar) session(v values) (err error) {
	s.helo = v.helo
	if v.mailFrom != nil {
		address := reversePath(*v.mailFrom)
		s.mailFrom = &address
	}
	if v.ip != nil && *v.ip != "" {
		if s.ip, err = parseIP(*v.ip); err != nil {
			return fmt.Errorf("ip %q is %w", *v.ip, err)
		}
	}
	if v.now != nil {
		if s.now, err = parseTime(string(*v.now)); err != nil {
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

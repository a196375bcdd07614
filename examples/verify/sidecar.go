package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
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
	var keys map[string]json.RawMessage
	err := json.Unmarshal(text, &keys)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok || err == nil && keys == nil {
		return errors.New("not a JSON object")
	}
	if err != nil {
		return err
	}
	var v struct {
		IP, HELO, MailFrom *string
		Now                *timestamp
		Faults             map[string]string
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		var value any
		kind := "a string"
		switch key {
		case "ip":
			value = &v.IP
		case "helo":
			value = &v.HELO
		case "mail_from":
			value = &v.MailFrom
		case "now":
			value, kind = &v.Now, "a string or a number"
		case "faults":
			value, kind = &v.Faults, "an object of strings"
		case "want":
			continue
		default:
			return fmt.Errorf("unknown key %q: it has ip, helo, mail_from, now, faults and want", key)
		}
		if json.Unmarshal(keys[key], value) != nil {
			return fmt.Errorf("%s is not %s", key, kind)
		}
	}
	s.helo = v.HELO
	if v.MailFrom != nil {
		address := reversePath(*v.MailFrom)
		s.mailFrom = &address
	}
	if v.IP != nil && *v.IP != "" {
		addr, err := netip.ParseAddr(*v.IP)
		if err != nil || addr.Zone() != "" {
			return fmt.Errorf("ip %q is not an IP address", *v.IP)
		}
		s.ip = addr.Unmap()
	}
	if v.Now != nil {
		now, err := parseTime(string(*v.Now))
		if err != nil {
			return fmt.Errorf("now %q is %w", *v.Now, err)
		}
		s.now = now
	}
	if !zones {
		return nil
	}
	if len(v.Faults) > 0 && s.zone == nil {
		return errors.New("faults without a zone")
	}
	for question, fault := range v.Faults {
		if err := plant(s.zone, question, fault); err != nil {
			return fmt.Errorf("fault at %q: %w", question, err)
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

// plant puts a fault into a zone: at "NAME TYPE", or at "NAME" for all types. A fault is an
// error, a delay, or a delay and an error: "servfail", "3s", "3s timeout".
func plant(zone resolver.Zone, question, text string) error {
	fault, err := parseFault(text)
	if err != nil {
		return err
	}
	name, kind, one := strings.Cut(strings.ToLower(question), " ")
	name = strings.TrimSuffix(name, ".")
	records, known := zone[name]
	records.Absent = records.Absent || !known // a fault alone does not make the name exist
	if !one {
		records.Fault = fault
		zone[name] = records
		return nil
	}
	for _, t := range []resolver.Type{resolver.TypeA, resolver.TypeAAAA, resolver.TypeMX, resolver.TypePTR, resolver.TypeTXT} {
		if strings.EqualFold(kind, t.String()) {
			records.Faults = maps.Clone(records.Faults)
			if records.Faults == nil {
				records.Faults = make(map[resolver.Type]resolver.Fault)
			}
			records.Faults[t] = fault
			zone[name] = records
			return nil
		}
	}
	return fmt.Errorf("%q is none of the types A, AAAA, MX, PTR and TXT", kind)
}

func parseFault(text string) (f resolver.Fault, err error) {
	for _, word := range strings.Fields(text) {
		if delay, err := time.ParseDuration(word); err == nil && delay > 0 && f == (resolver.Fault{}) {
			f.Delay = delay
		} else if fault := faultError(word); fault != nil && f.Err == nil {
			f.Err = fault
		} else {
			return f, fmt.Errorf("%q is not a fault such as servfail, timeout or 3s", text)
		}
	}
	if f == (resolver.Fault{}) {
		return f, errors.New("it is empty")
	}
	return f, nil
}

// faultError returns the error that a word of a sidecar stands for, or nil.
func faultError(word string) error {
	switch word {
	case "nxdomain":
		return resolver.ErrNXDomain
	case "nodata":
		return resolver.ErrNoData
	case "servfail":
		return resolver.ErrServFail
	case "refused":
		return resolver.ErrRefused
	case "formerr":
		return resolver.ErrFormat
	case "timeout":
		return resolver.ErrTimeout
	case "unreachable":
		return resolver.ErrUnreachable
	case "malformed":
		return resolver.ErrMalformed
	}
	return nil
}

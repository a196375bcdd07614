package sidecar

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

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

// FaultWords returns the words of a sidecar for the errors of package resolver.
func FaultWords() []FaultWord {
	return []FaultWord{
		{"nxdomain", resolver.ErrNXDomain},
		{"nodata", resolver.ErrNoData},
		{"servfail", resolver.ErrServFail},
		{"refused", resolver.ErrRefused},
		{"formerr", resolver.ErrFormat},
		{"timeout", resolver.ErrTimeout},
		{"unreachable", resolver.ErrUnreachable},
		{"malformed", resolver.ErrMalformed},
	}
}

// A FaultWord is a word that stands for an error.
type FaultWord struct {
	Word string
	Err  error
}

// faultError returns the error that a word of a sidecar stands for, or nil.
func faultError(word string) error {
	for _, f := range FaultWords() {
		if f.Word == word {
			return f.Err
		}
	}
	return nil
}

package suite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
)

// Zone turns a zone of the conformance data into one that answers: by name and by type,
// the records, of which one may be a list of strings to join. The type RCODE is a
// failure of the name.
func Zone(t testing.TB, in map[string]map[string]any) resolver.Zone {
	t.Helper()
	zone := make(resolver.Zone, len(in))
	for name, types := range in {
		var r resolver.Records
		for typ, value := range types {
			switch records := recordsOf(value); typ {
			case "TXT":
				r.TXT = records
			case "A":
				r.A = records
			case "AAAA":
				r.AAAA = records
			case "MX":
				r.MX = records
			case "CNAME":
				r.CNAME = records[0]
			case "RCODE":
				r.Fault.Err = faults[records[0]]
				if r.Fault.Err == nil {
					t.Fatalf("zone: RCODE %s at %s", records[0], name)
				}
			default:
				t.Fatalf("zone: type %s at %s", typ, name)
			}
		}
		zone[strings.ToLower(name)] = r
	}
	return zone
}

var faults = map[string]error{
	"SERVFAIL": resolver.ErrServFail,
	"TIMEOUT":  resolver.ErrTimeout,
	"REFUSED":  resolver.ErrRefused,
	"NXDOMAIN": resolver.ErrNXDomain,
}

// recordsOf returns the records of one type: of a list, or the one that value is.
func recordsOf(value any) []string {
	list, ok := value.([]any)
	if !ok {
		return []string{fmt.Sprint(value)}
	}
	var records []string
	for _, v := range list {
		parts, ok := v.([]any)
		if !ok {
			parts = []any{v}
		}
		var b strings.Builder
		for _, p := range parts {
			fmt.Fprint(&b, p)
		}
		records = append(records, b.String())
	}
	return records
}

package suite

import (
	"strings"

	"github.com/mailverdict/mailverdict/resolver"
)

// Policies returns a zone of DMARC records by the domain that they are for. "SERVFAIL" is a
// failure, "" no record, and "|" separates several records at one name.
func Policies(records map[string]string) resolver.Zone {
	zone := resolver.Zone{}
	for name, text := range records {
		switch text {
		case "":
		case "SERVFAIL":
			zone["_dmarc."+name] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
		default:
			zone["_dmarc."+name] = resolver.Records{TXT: strings.Split(text, "|")}
		}
	}
	return zone
}

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
)

// zoneText returns the answers as a zone file, each record once, in the order of the names.
func zoneText(events []trace.Event) string {
	lines := map[string]bool{}
	for _, e := range events {
		if e.Err == nil {
			for _, data := range recordData(e.Answer) {
				lines[fmt.Sprintf("%s. %d IN %s", presentation(e.Question.Name), seconds(e.Answer.TTL), data)] = true
			}
		}
	}
	var b strings.Builder
	b.WriteString("$ORIGIN .\n")
	for _, line := range slices.Sorted(maps.Keys(lines)) {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// seconds returns a TTL for a zone file: an hour where it is not known.
func seconds(ttl time.Duration) int {
	if ttl < 0 {
		return 3600
	}
	return int(ttl / time.Second)
}

// recordData returns the records of an answer as zone files have them: type and data.
func recordData(a resolver.Answer) []string {
	var list []string
	for _, text := range a.TXT {
		list = append(list, "TXT "+quoteStrings(text))
	}
	for _, addr := range a.Addrs {
		kind := "A "
		if addr.Is6() {
			kind = "AAAA "
		}
		list = append(list, kind+addr.String())
	}
	for _, mx := range a.MX {
		list = append(list, fmt.Sprintf("MX %d %s.", mx.Preference, strings.TrimSuffix(presentation(mx.Host), ".")))
	}
	for _, name := range a.PTR {
		list = append(list, "PTR "+presentation(name)+".")
	}
	return list
}

// presentation returns a name with escapes for what zone files cannot have in one.
func presentation(name string) string {
	return strings.TrimSuffix(resolver.Question{Name: name, Type: resolver.TypeA}.String(), " A")
}

// quoteStrings returns a text as the strings of a TXT record. RFC 1035, section 5.1.
func quoteStrings(text string) string {
	const longest = 255
	var b strings.Builder
	for first := true; first || text != ""; first = false {
		part := text[:min(len(text), longest)]
		text = text[len(part):]
		if !first {
			b.WriteByte(' ')
		}
		b.WriteByte('"')
		for i := range len(part) {
			switch c := part[i]; {
			case c == '"' || c == '\\':
				b.WriteByte('\\')
				b.WriteByte(c)
			case c < ' ' || c > '~':
				fmt.Fprintf(&b, `\%03d`, c)
			default:
				b.WriteByte(c)
			}
		}
		b.WriteByte('"')
	}
	return b.String()
}

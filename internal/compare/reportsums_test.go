package compare

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/suite"
)

var writeTable = flag.Bool("table", false, "write the table of TestParsedmarcSums into its file")

// oddity is a report as somebody sends it: the document of a report of 13 messages with a text replaced, in
// some container.
type oddity struct{ name, old, new string }

// oddities are what senders get wrong or do otherwise, each on its own.
var oddities = []oddity{
	{"no-prolog.xml", `<?xml version="1.0" encoding="UTF-8"?>`, ``},
	{"half-a-prolog.xml", `<?xml version="1.0" encoding="UTF-8"?>`, `?xml version="1.0"?>`},
	{"wrong-encoding-in-prolog.xml", `"UTF-8"`, `"UTF-16"`},
	{"byte-order-mark.xml", `<?xml version`, "\ufeff<?xml version"},
	{"invalid-utf-8.xml", `Receiver`, "Re\xffceiver"},
	{"stray-schema-element.xml", `<report_metadata>`, `<xs:schema><report_metadata>`},
	{"report-id-with-brackets.xml", `>report-1<`, `><1@receiver.example><`},
	{"bare-ampersand.xml", `Receiver`, `A&B`},
	{"end-tag-missing.xml", `Receiver</org_name>`, `Receiver`},
	{"count-of-none.xml", `<count>10</count>`, `<count>0</count>`},
	{"count-beyond-32-bits.xml", `<count>10</count>`, `<count>5000000000</count>`},
	{"count-that-is-no-number.xml", `<count>10</count>`, `<count>ten</count>`},
	{"end-before-begin.xml", `<end>1735775999`, `<end>1735600000`},
	{"a-week.xml", `<end>1735775999`, `<end>1736294400`},
	{"several-errors.xml", `<date_range>`, `<error>a</error><error>b</error><date_range>`},
	{"no-policy-published.xml", "<policy_published><domain>example.com</domain><p>none</p></policy_published>", ""},
	{"document-type.xml", `<feedback>`, `<!DOCTYPE feedback [<!ENTITY a "b">]><feedback>`},
	{"cut-short.xml", `</record></feedback>`, ``},
	{"name-that-lies.zip", "gzip", ""},
	{"gzip-in-gzip.xml.gz", "gzip twice", ""},
	{"octet-stream.eml", "mail", ""},
}

const plainReport = `<?xml version="1.0" encoding="UTF-8"?>
<feedback><report_metadata><org_name>Receiver</org_name><email>dmarc@receiver.example</email><report_id>report-1</report_id><date_range><begin>1735689600</begin><end>1735775999</end></date_range></report_metadata>
<policy_published><domain>example.com</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>10</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers><auth_results><spf><domain>example.com</domain><result>pass</result></spf></auth_results></record>
<record><row><source_ip>198.51.100.7</source_ip><count>3</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers><auth_results><spf><domain>spam.example</domain><result>pass</result></spf></auth_results></record></feedback>
`

func zipped(t *testing.T, layers int, text string) string {
	t.Helper()
	for range layers {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		w.Close()
		text = b.String()
	}
	return text
}

// reportFiles returns 40 files with reports: those of the conformance suite, and the oddities.
func reportFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(suite.Dir(t), "reports", "*"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return filepath.Base(name) == "manifest.json" })
	dir := t.TempDir()
	for _, o := range oddities {
		text := strings.Replace(plainReport, o.old, o.new, 1)
		switch o.old {
		case "gzip":
			text = zipped(t, 1, plainReport)
		case "gzip twice":
			text = zipped(t, 2, plainReport)
		case "mail":
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			if f, err := w.Create("report.xml"); err == nil {
				f.Write([]byte(plainReport))
			}
			w.Close()
			text = "From: dmarc@receiver.example\r\nTo: rua@example.com\r\nSubject: Report Domain: example.com\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n" +
				"Content-Transfer-Encoding: base64\r\n\r\n" + wrapped(b.Bytes())
		default:
			if text == plainReport {
				t.Fatalf("%s changes nothing", o.name)
			}
		}
		file := filepath.Join(dir, o.name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// messagesIn returns the sum of the counts of the rows.
func (r *readReport) messagesIn(t *testing.T) (n int64) {
	t.Helper()
	for _, row := range r.Rows {
		row = strings.TrimPrefix(row, "invalid IP") // what netip calls an address that cannot be read
		count, err := strconv.ParseInt(strings.Fields("x" + row)[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		n += count
	}
	return n
}

// sumsFile has the table, between two comments.
const (
	sumsFile  = "../../examples/reports/README.md"
	sumsBegin = "<!-- sums: made by internal/compare -->\n"
	sumsEnd   = "<!-- end of sums -->\n"
)

// TestParsedmarcSums compares how many messages both read from the same 40 files, and what they cannot read.
// The README of examples/reports has the table: go test -run ParsedmarcSums . -table
func TestParsedmarcSums(t *testing.T) {
	files := reportFiles(t)
	if len(files) != 40 {
		t.Errorf("%d files", len(files))
	}
	var rows strings.Builder
	same, onlyHere, onlyThere, neither := 0, 0, 0, 0
	for i, theirs := range byParsedmarc(t, files...) {
		name, ours := filepath.Base(files[i]), byUs(t, files[i])
		there, here := "not read", "not read"
		if theirs.Error == "" {
			there = strconv.FormatInt(theirs.messagesIn(t), 10)
		}
		if len(ours.Rows) > 0 {
			here = strconv.FormatInt(ours.messagesIn(t), 10)
		}
		if ours.Error != "" {
			here += ": " + ours.Error
		}
		switch {
		case here == there:
			same++
			continue // the table has what differs
		case there == "not read" && len(ours.Rows) > 0:
			onlyHere++
		case theirs.Error == "" && len(ours.Rows) == 0:
			onlyThere++
		case there == "not read":
			neither++
		default:
			if ours.Error == "" && ours.messagesIn(t) < theirs.messagesIn(t) {
				t.Errorf("%s: %s messages here, %s in parsedmarc", name, here, there)
			}
		}
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", name, here, there)
	}
	table := fmt.Sprintf("Of %d files both read the same sums from %d. %d only this program reads, %d only parsedmarc, and %d neither.\n\n| file | messages here | messages in parsedmarc |\n|---|---|---|\n%s",
		len(files), same, onlyHere, onlyThere, neither, rows.String())
	text, err := os.ReadFile(sumsFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(text), sumsBegin)
	old, after, ended := strings.Cut(rest, sumsEnd)
	if !begun || !ended {
		t.Fatalf("%s has no place for the table", sumsFile)
	}
	if *writeTable {
		if err := os.WriteFile(sumsFile, []byte(before+sumsBegin+table+sumsEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != table {
		t.Errorf("the table in %s is not what is read now:\n%s", sumsFile, table)
	}
}

func wrapped(octets []byte) string {
	text := base64.StdEncoding.EncodeToString(octets)
	var b strings.Builder
	for part := range slices.Chunk([]byte(text), 76) {
		b.Write(part)
		b.WriteString("\r\n")
	}
	return b.String()
}

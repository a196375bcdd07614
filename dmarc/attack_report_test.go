package dmarc_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
	"github.com/mailverdict/mailverdict/internal/feedback"
	"github.com/mailverdict/mailverdict/resolver"
)

// batches is the Store of one message.
type batches []*aggregate.Batch

func (b *batches) Add(_ context.Context, batch *aggregate.Batch) error {
	*b = append(*b, batch)
	return nil
}

// counted returns the report that the message of an attack is counted in, or nil.
func (r *attackRun) counted(t *testing.T) *aggregate.Report {
	t.Helper()
	var store batches
	a := aggregate.Accumulator{Store: &store}
	added := a.Add(r.result, aggregate.Delivery{Disposition: r.result.DMARC.Disposition})
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if added != (len(store) == 1) {
		t.Fatalf("counted is %v, and there are %d batches", added, len(store))
	}
	if !added {
		return nil
	}
	report := store[0].Reports[0]
	report.Org, report.Email, report.ID = "Receiver", "dmarc@receiver.example", "r1"
	return report
}

// reported counts the message of an attack, writes the report, and returns what is read back, or nil
// where it is in no report. Whatever the message is, the report is XML, and says of it what the
// result does.
func (r *attackRun) reported(t *testing.T) *aggregate.Report {
	t.Helper()
	report := r.counted(t)
	if report == nil {
		return nil
	}
	mail := aggregate.Mail{Report: report, Submitter: "receiver.example", From: "dmarc@receiver.example", To: report.Destinations, Date: r.corpus.Meta.Now}
	text, err := mail.Bytes()
	if err != nil {
		t.Fatalf("the mail of the report: %v", err)
	}
	header, _, _ := bytes.Cut(text, []byte("\r\n\r\n"))
	if n := bytes.Count(header, []byte("\nBcc")) + bytes.Count(header, []byte("\nCc")); n > 0 {
		t.Errorf("header\n%s", header)
	}
	if name := mail.Filename(); strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-!") != "" {
		t.Errorf("file name %q", name)
	}
	var document bytes.Buffer
	if err := report.WriteXML(&document, nil); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(&document); err != io.EOF; {
		if _, err = d.Token(); err != nil && err != io.EOF {
			t.Fatalf("the report: %v", err)
		}
	}
	read, err := new(aggregate.Reader).Read(bytes.NewReader(text))
	if err != nil || len(read) != 1 || len(read[0].Rows) != 1 || read[0].Messages() != 1 {
		t.Fatalf("the report reads back as %v, %v", read, err)
	}
	row, v := read[0].Rows[0], &r.result.DMARC
	if row.Passed() != (v.SPFAligned || v.DKIMAligned) || row.HeaderFrom != v.AuthorDomain || row.Source != r.envelope.IP.Unmap() {
		t.Errorf("row %v of a message of %s that is %s", row, v.AuthorDomain, v.Status)
	}
	passes := make(map[string]bool)
	for _, d := range r.result.DKIM {
		passes[d.Domain] = passes[d.Domain] || d.Status.String() == "pass"
	}
	for _, a := range row.AuthDKIM {
		if a.Result == "pass" && !passes[a.Domain] {
			t.Errorf("a signature of %s passes in the report only", a.Domain)
		}
	}
	for _, a := range row.AuthSPF {
		if a.Result != r.result.SPF.Status.String() {
			t.Errorf("SPF is %s in the report, and is %s", a.Result, r.result.SPF.Status)
		}
	}
	read[0].Destinations = report.Destinations
	return read[0]
}

// destinations returns where a report goes, and checks that nothing but what the RFC tells to ask for
// is asked for that.
func (r *attackRun) destinations(t *testing.T, report *aggregate.Report) (to []string) {
	t.Helper()
	for _, address := range report.Destinations {
		if strings.ContainsAny(address, "\r\n %?&") || strings.Count(address, "@") != 1 {
			t.Errorf("address %q", address)
		}
		dns := &counting{Resolver: r.zone}
		list, err := send.Confirm(t.Context(), dns, report.Policy.Domain, address)
		if err != nil && !errors.Is(err, send.ErrNotConfirmed) {
			t.Errorf("%s: %v", address, err)
		}
		host := address[strings.IndexByte(address, '@')+1:]
		for _, q := range dns.questions {
			if q.Name != report.Policy.Domain+"._report._dmarc."+host {
				t.Errorf("asked for %s", q)
			}
		}
		if len(dns.questions) > 1 {
			t.Errorf("%d questions about %s", len(dns.questions), address)
		}
		to = append(to, list...)
	}
	return to
}

func attackReports() map[string]attackCheck {
	return map[string]attackCheck{
		"rep-01": func(t *testing.T, r *attackRun) {
			row := r.reported(t).Rows[0]
			for _, a := range append(row.AuthDKIM, row.AuthSPF...) {
				if a.Result == "pass" && a.Domain != "attacker.example" {
					t.Errorf("a pass of %s", a.Domain)
				}
			}
			for _, a := range row.AuthDKIM {
				if a.Result == "pass" || a.Selector != "" && a.Selector != r.result.DKIM[0].Selector {
					t.Errorf("signature %+v", a)
				}
			}
		},
		"rep-02": func(t *testing.T, r *attackRun) {
			// The header has a NUL, so that no domain can be told about the message. Those
			// about which one can be told lose nothing of their report.
			if report := r.counted(t); report != nil {
				t.Errorf("counted for %s", report.Policy.Domain)
			}
			plain := *r
			plain.message = strings.NewReplacer("\x00", "", "\x08", "").Replace(r.message)
			plain.verify(t, 0)
			report := plain.counted(t)
			report.Rows[0].AuthDKIM = append(report.Rows[0].AuthDKIM, aggregate.Auth{Domain: "a.example", Selector: "\x00\x0b\xff\ufffe", Result: "fail"})
			report.Rows = append(report.Rows, report.Rows[0])
			report.Errors = []string{r.envelope.HELO, r.result.Author.From}
			var b bytes.Buffer
			if err := report.WriteXML(&b, nil); err != nil {
				t.Fatal(err)
			}
			read, err := new(aggregate.Reader).Read(&b)
			if err != nil || read[0].Messages() != 2 || len(read[0].Problems) > 0 {
				t.Errorf("%v, %v", read, err)
			}
		},
		"rep-03": reportsGoTo("agg@rua.example", "x@wildok.example"),
		"rep-04": reportsGoTo("b@inj.example", "c@inj.example"),
		"rep-05": func(t *testing.T, r *attackRun) {
			if report := r.counted(t); report != nil {
				t.Errorf("counted for %s", report.Policy.Domain)
			}
			for _, uris := range []string{
				strings.Repeat("mailto:r@flood.example,", 200),
				strings.Repeat("mailto:r@flood.example,mailto:s@flood.example,https://x.example/,", 50),
				"mailto:" + strings.Join(strings.Split(strings.Repeat("abcdefghijklmnopqrstuvwxyz", 5), ""), "@flood.example,mailto:") + "@flood.example",
			} {
				flood := *r
				flood.zone = maps.Clone(r.zone)
				flood.zone["_dmarc.flood.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=none; rua=" + strings.TrimSuffix(uris, ",")}}
				flood.verify(t, 0)
				report := flood.reported(t)
				to := flood.destinations(t, report)
				if slices.Sort(to); len(to) == 0 || len(to) > 10 || len(slices.Compact(slices.Clone(to))) != len(to) {
					t.Errorf("destinations %q", to)
				}
			}
		},
	}
}

func reportsGoTo(want ...string) attackCheck {
	return func(t *testing.T, r *attackRun) {
		t.Helper()
		if got := r.destinations(t, r.reported(t)); !slices.Equal(got, want) {
			t.Errorf("reports go to %q, want %q", got, want)
		}
		if asked := feedback.FailureOptions(r.result); asked != nil {
			t.Errorf("a failure report is asked for by %q", asked)
		}
	}
}

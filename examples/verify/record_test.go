package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
)

func TestARecordedMessageIsATestInOneCommand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	f := verify(t, "", "-record", dir)
	if f.code != exitFailed || f.stderr != "" {
		t.Fatalf("exit %d, stderr %q", f.code, f.stderr)
	}
	recorded, shipped := dmarctest.Load(t, dir), dmarctest.Load(t, fixtures)
	if len(recorded) != len(shipped) {
		t.Fatalf("%d recorded, want %d", len(recorded), len(shipped))
	}
	for i, r := range recorded {
		t.Run(r.Name, func(t *testing.T) {
			r.Check(t)
			want := shipped[i]
			if r.Name != want.Name || string(r.Message) != string(want.Message) || r.Envelope != want.Envelope {
				t.Errorf("%s, %+v, want %s, %+v", r.Name, r.Envelope, want.Name, want.Envelope)
			}
			want.Zone = r.Zone // the answers alone give the same
			want.Check(t)
		})
	}
}

func TestTheAnswersOfTheNetworkAreRecorded(t *testing.T) {
	long := strings.Repeat("é\\\"", 120)
	server := serve(t, map[string]string{
		"example.org.": "v=spf1 exists:%{l}.x.example.org -all", "_dmarc.example.org.": "v=DMARC1; p=reject; note=" + long,
	})
	files := write(t, map[string]string{"a.eml": "Return-Path: <a@example.org>\nFrom: a@example.org\n\nHi\n"})
	dir := t.TempDir()
	for range 2 { // the second time beside the first
		f := verify(t, "", "-json", "-dns", server, "-ip", "192.0.2.1", "-from", "a b@example.org", "-record", dir, files)
		if o := one(t, f); f.code != exitFailed || at(o, "dmarc", "verdict") != "fail" || o["dns"] != nil {
			t.Fatalf("exit %d, stderr %q, %s", f.code, f.stderr, f.stdout)
		}
	}
	dmarctest.Run(t, dir)
	if list := dmarctest.Load(t, dir); len(list) != 2 || list[0].Name != "a-2" {
		t.Errorf("%d fixtures", len(list))
	}
}

func TestFailuresOfDNSAreRecorded(t *testing.T) {
	question := func(name string) resolver.Question { return resolver.Question{Name: name, Type: resolver.TypeTXT} }
	events := []trace.Event{
		{Question: question("b.example"), Answer: resolver.Answer{TXT: []string{"x"}, TTL: time.Minute}},
		{Question: resolver.Question{Name: "b.example", Type: resolver.TypeA}, Err: resolver.ErrNoData},
		{Question: question("example"), Err: resolver.ErrNXDomain}, // there is a name below it
		{Question: question("empty.example"), Err: resolver.ErrNoData},
		{Question: question("absent.example"), Err: resolver.ErrNXDomain},
		{Question: question("unknown.example"), Err: resolver.ErrNotFound},
		{Question: question("slow.example"), Err: resolver.ErrTimeout},
		{Question: question("broken.example"), Err: errors.New("something else")},
		{Question: question("given-up.example"), Err: t.Context().Err()},
	}
	faults, err := faultsOf(zoneText(events), events)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"example TXT": "nxdomain", "empty.example TXT": "nodata", "slow.example TXT": "timeout", "broken.example TXT": "servfail",
	}
	if len(faults) != len(want) {
		t.Errorf("%v, want %v", faults, want)
	}
	for question, word := range want {
		if faults[question] != word {
			t.Errorf("%s is %q, want %q", question, faults[question], word)
		}
	}
}

func TestARecordingThatFailsIsReported(t *testing.T) {
	dir := write(t, map[string]string{"a.eml": "From: a@example.org\n\nHi\n", "file": ""})
	f := verify(t, "", "-json", "-zone", fixture("forwarded.zone"), "-record", filepath.Join(dir, "file"), filepath.Join(dir, "a.eml"))
	if f.code != exitUsage || len(f.objects(t)) != 1 || !strings.Contains(f.stderr, "a.eml: not recorded: ") {
		t.Errorf("exit %d, stdout %q, stderr %q", f.code, f.stdout, f.stderr)
	}
	f = verify(t, "", "-json", "-zone", fixture("forwarded.zone"), "-record", filepath.Join(dir, "new"), file("foreign/words.txt"))
	if left, err := os.ReadDir(filepath.Join(dir, "new")); f.code != exitUsage || len(left) > 0 {
		t.Errorf("exit %d, %v, %v", f.code, left, err)
	}
}

func TestFixturesAreNamedForTheirMessages(t *testing.T) {
	for file, want := range map[string]string{
		"-": "message", "a.eml": "a", "dir/a.eml.gz": "a", "archive.mbox#3": "archive-3", "archive.mbox.gz#3": "archive-3",
		"cur/1789621205.M3P4.mx:2,S": "1789621205.M3P4", "ä b.eml": "--b", "...": "message", "": "message",
	} {
		if got := fixtureName(file); got != want {
			t.Errorf("%q is %q, want %q", file, got, want)
		}
	}
}

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/examples/internal/terminal"
)

func TestTheAnswerStandsBeforeTheSteps(t *testing.T) {
	f := verify(t, "", fixture("spoofed-bank-reject.eml"))
	answer, steps := strings.Index(f.stdout, "\nWhat to do"), strings.Index(f.stdout, "\nSession\n")
	if answer < 0 || steps < answer || !strings.Contains(f.stdout[steps:], "\nAuthentication-Results: ") {
		t.Errorf("the answer is at %d, the steps at %d:\n%s", answer, steps, f.stdout)
	}
}

func TestHowMuchIsSaid(t *testing.T) {
	mail := "From a Mon\nFrom: a@example.com\n\nHi\n"
	zone := write(t, map[string]string{"empty.zone": ""}) + "/empty.zone"
	for _, tt := range []struct {
		name, stdin string
		args        []string
		steps       int // messages with steps
	}{
		{"one message", "", []string{fixture("bounce.eml")}, 1},
		{"one message, brief", "", []string{"-brief", fixture("bounce.eml")}, 0},
		{"two messages", "", []string{fixture("bounce.eml"), fixture("forwarded.eml")}, 0},
		{"two messages, steps", "", []string{"-steps", fixture("bounce.eml"), fixture("forwarded.eml")}, 2},
		{"an mbox of one", mail, []string{"-zone", zone, "-"}, 1},
		{"an mbox of one, brief", mail, []string{"-zone", zone, "-brief", "-"}, 0},
		{"an mbox of two", mail + "\n" + mail, []string{"-zone", zone, "-"}, 0},
		{"an mbox of two, steps", mail + "\n" + mail, []string{"-zone", zone, "-steps", "-"}, 2},
		{"an mbox with a message and something else", mail + "\nFrom a Mon\n\nno field\n", []string{"-zone", zone, "-"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := verify(t, tt.stdin, tt.args...)
			if got := strings.Count(f.stdout, "\nSession\n"); got != tt.steps || !strings.HasPrefix(f.stdout, "── ") {
				t.Errorf("%d messages with steps, want %d:\n%s%s", got, tt.steps, f.stdout, f.stderr)
			}
		})
	}
}

func TestTheTableFitsNarrowTerminals(t *testing.T) {
	for _, width := range []int{terminal.MinWidth, 60, 80} {
		var b bytes.Buffer
		sum := tally{messages: 2, rows: []row{
			{file: "mail/a-message-with-a-rather-long-name.eml", spf: "permerror", spfAligned: alignedNone, dkim: "temperror", dkimAligned: alignedNone},
			{file: "mail/b.eml", spf: "pass", spfAligned: alignedNo, dkim: "pass", dkimAligned: alignedYes},
		}}
		sum.write(&b, terminal.Screen{Width: width, Color: true})
		for line := range strings.Lines(b.String()) {
			if n := terminal.Columns(strings.TrimSuffix(line, "\n")); n > max(width, 60) {
				t.Errorf("%d columns on a terminal of %d: %q", n, width, line)
			}
		}
		if !strings.Contains(b.String(), "b.eml") {
			t.Errorf("no file in\n%s", b.String())
		}
	}
}

func TestADomainIsSentToInspect(t *testing.T) {
	for _, name := range []string{"example.com", "xn--bcher-kva.example", "_dmarc.example.com", "Example.COM."} {
		f := verify(t, "", name)
		if f.code != exitUsage || strings.Count(f.stderr, "\n") != 1 || !strings.Contains(f.stderr, "go run ./examples/inspect "+name+"\n") {
			t.Errorf("%s: exit %d, stderr %q", name, f.code, f.stderr)
		}
	}
	for _, name := range []string{"message.eml", "dir/example.com", "archive.mbox", "192.0.2.1", "nowhere", "a b.com", "mail.msg", "-.-"} {
		if f := verify(t, "", "./"+name); f.code != exitUsage || strings.Contains(f.stderr, "inspect") {
			t.Errorf("%s: exit %d, stderr %q", name, f.code, f.stderr)
		}
		if f := verify(t, "", "--", name); f.code != exitUsage || strings.Contains(f.stderr, "inspect") {
			t.Errorf("%s: exit %d, stderr %q", name, f.code, f.stderr)
		}
	}
}

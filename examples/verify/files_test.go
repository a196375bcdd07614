package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files returns the path of a file of testdata/files.
func file(name string) string { return filepath.Join("testdata", "files", name) }

// Every file holds the same signed message: what was saved with it, or of it, may not show.
func TestFilesAsPeopleHaveThem(t *testing.T) {
	for _, tt := range []struct {
		name  string
		notes [][]string // of each message
	}{
		{"crlf.eml", [][]string{nil}},
		{"lf.eml", [][]string{nil}},
		{"byte-order-mark.eml", [][]string{{"a byte order mark before the message was left out"}}},
		{"empty-lines-on-top.eml", [][]string{{"2 empty lines before the header were left out"}}},
		{"byte-order-mark-and-empty-line.eml", [][]string{{"a byte order mark before the message was left out", "1 empty line before the header was left out"}}},
		{"from-line.eml", [][]string{{"read from an mbox"}}},
		{"quoted-from-line.eml", [][]string{{`the line ">From …" of a mailbox on top was left out`}}},
		{"nul-at-the-end.eml", [][]string{{"260 NUL octets at the end were left out"}}},
		{"apple-mail.emlx", [][]string{{"read from an .emlx file of Apple Mail"}}},
		{"packed.eml.gz", [][]string{{"unpacked with gzip"}}},
		{"box.mbox", [][]string{{"read from an mbox"}, {`the line "From …" of a mailbox on top was left out`}}},
		{"packed.mbox.gz", [][]string{{"unpacked with gzip", "read from an mbox"}, {`the line "From …" of a mailbox on top was left out`}}},
		{"Maildir", [][]string{{"read from a Maildir"}, nil}},
		{"Maildir/cur", [][]string{nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := verify(t, "", "-json", "-now", "2026-09-17T05:00:10Z", "-zone", file("dns.zone"), file(tt.name))
			list := f.objects(t)
			if f.code != exitOK || f.stderr != "" || len(list) != len(tt.notes) {
				t.Fatalf("exit %d, %d messages, stderr %q", f.code, len(list), f.stderr)
			}
			for i, o := range list {
				var notes []string
				for _, note := range asList(o["notes"]) {
					notes = append(notes, note.(string))
				}
				dkim := o["dkim"].([]any)[0].(map[string]any)
				if dkim["status"] != "pass" || at(o, "spf", "status") != "pass" || !slices.Equal(notes, tt.notes[i]) {
					t.Errorf("message %d: %v, notes %q, want %q", i+1, o, notes, tt.notes[i])
				}
			}
		})
	}
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

func TestTheTextSaysWhatWasLeftOutAndNeverBlamesTheSender(t *testing.T) {
	f := verify(t, "", "-now", "2026-09-17T05:00:10Z", "-zone", file("dns.zone"), file("byte-order-mark.eml"))
	if !strings.Contains(f.stdout, "Note: a byte order mark before the message was left out\n") || f.code != exitOK {
		t.Errorf("exit %d:\n%s", f.code, f.stdout)
	}
}

func TestAnEmlxFileThatIsCutShortIsSaidToBe(t *testing.T) {
	o := one(t, verify(t, "", "-json", "-now", "2026-09-17T05:00:10Z", "-zone", file("dns.zone"), file("cut-short.emlx")))
	notes := asList(o["notes"])
	if len(notes) != 2 || notes[1] != "the .emlx file ends before its message does: it was cut short" {
		t.Errorf("%q", notes)
	}
}

func TestWhatIsNoMessageIsNamedWithWhatToDo(t *testing.T) {
	for _, tt := range []struct{ name, is, do string }{
		{"outlook.msg", "an Outlook .msg, and not a message", "save it as .eml"},
		{"print.pdf", "a PDF", "save the message itself as .eml"},
		{"archive.zip", "a ZIP archive", "unpack it"},
		{"powershell.txt", "UTF-16 text", "save the message itself as .eml"},
		{"big-endian.txt", "UTF-16 text", "save the message itself as .eml"},
		{"no-mark.txt", "UTF-16 text", "save the message itself as .eml"},
		{"page.html", "an HTML page", "save the message itself as .eml"},
		{"screenshot.png", "an image (PNG)", "save the message itself as .eml"},
		{"photo.jpg", "an image (JPEG)", "save the message itself as .eml"},
		{"document.rtf", "an RTF document", "save the message itself as .eml"},
		{"report.xml", "XML, such as a DMARC report", "give the message"},
		{"winmail.dat", "a winmail.dat attachment", "take the message that it came with"},
		{"empty.eml", "an empty file", ""},
		{"words.txt", "not a message: it has no header field", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := verify(t, "", "-zone", file("dns.zone"), file("foreign/"+tt.name))
			if f.code != exitUsage || f.stdout != "" || strings.Count(f.stderr, "\n") != 1 ||
				!strings.Contains(f.stderr, tt.name+": "+tt.is) || !strings.Contains(f.stderr, tt.do) {
				t.Errorf("exit %d, stdout %q, stderr %q", f.code, f.stdout, f.stderr)
			}
		})
	}
}

func TestAGzipFileThatIsBrokenIsReported(t *testing.T) {
	packed := read(t, file("packed.eml.gz"))
	dir := write(t, map[string]string{"half.eml.gz": packed[:len(packed)/2], "start.eml.gz": packed[:4]})
	f := verify(t, "", "-zone", file("dns.zone"), dir)
	if f.code != exitUsage || strings.Count(f.stderr, "\n") != 2 || !strings.Contains(f.stderr, "half.eml.gz: unexpected EOF") {
		t.Errorf("exit %d, stdout %q, stderr %q", f.code, f.stdout, f.stderr)
	}
}

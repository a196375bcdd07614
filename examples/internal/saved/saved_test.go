package saved

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestNULOctetsAtTheEndAloneAreLeftOut(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "\x00": "", "a": "a", "a\x00\x00": "a", "\x00a\x00\x00b\x00": "\x00a\x00\x00b",
		strings.Repeat("\x00", 3*ReadAhead) + "a" + strings.Repeat("\x00", 2*ReadAhead): strings.Repeat("\x00", 3*ReadAhead) + "a",
	} {
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(text), "octet by octet": iotest.OneByteReader(strings.NewReader(text)),
			"with the error": iotest.DataErrReader(strings.NewReader(text)),
		} {
			got, err := io.ReadAll(&trimmed{r: r})
			if err != nil || !bytes.Equal(got, []byte(want)) {
				t.Errorf("%s: %.20q (%d octets), %v, want %.20q (%d octets)", name, got, len(got), err, want, len(want))
			}
		}
	}
}

func TestALongHeaderIsReadInOnePass(t *testing.T) {
	message := "Received: from a" + strings.Repeat("\n b", MaxHeader/4) + "\nFrom: a@b.example\n\nHi\n"
	start := time.Now()
	fields, _, err := ReadHeader(strings.NewReader(message))
	if took := time.Since(start); err != nil || len(fields) != 2 || took > 20*time.Second {
		t.Errorf("%d fields, %v, in %v", len(fields), err, took)
	}
}

func FuzzReadHeader(f *testing.F) {
	f.Add([]byte("From: a@example.com\n\nbody"))
	f.Fuzz(func(t *testing.T, message []byte) {
		fields, r, err := ReadHeader(strings.NewReader(string(message)))
		if err != nil {
			return
		}
		var all strings.Builder
		buf := make([]byte, 1+len(message))
		for {
			n, err := r.Read(buf)
			all.Write(buf[:n])
			if err != nil {
				break
			}
		}
		if all.String() != string(message) {
			t.Errorf("%d fields, and %d octets of %d are left to read", len(fields), all.Len(), len(message))
		}
	})
}

package compare

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"net/mail"
	"os/exec"
	"strings"
	"testing"
)

// A fromReader is a program that shows the addresses in a From field.
type fromReader struct {
	name    string
	command []string // or nil for net/mail
	probe   []string // a command that fails where the reader is not installed
}

var fromReaders = []fromReader{
	{name: "net/mail"},
	{
		name:    "Python email, compat32",
		command: []string{"python3", "testdata/addresses.py", "compat32"},
		probe:   []string{"python3", "-c", "import email.policy"},
	},
	{
		name:    "Python email, default",
		command: []string{"python3", "testdata/addresses.py", "default"},
		probe:   []string{"python3", "-c", "import email.policy"},
	},
	{
		name:    "Email::Address",
		command: []string{"perl", "testdata/addresses.pl", "Email::Address"},
		probe:   []string{"perl", "-MEmail::Address", "-e", "1"},
	},
	{
		name:    "Email::Address::XS",
		command: []string{"perl", "testdata/addresses.pl", "Email::Address::XS"},
		probe:   []string{"perl", "-MEmail::Address::XS", "-e", "1"},
	},
}

// shown returns the addresses that the reader shows for each field. All fields go to one
// process.
func (r fromReader) shown(t *testing.T, fields []string) [][]string {
	t.Helper()
	if r.command == nil {
		return shownByGo(fields)
	}
	if out, err := exec.Command(r.probe[0], r.probe[1:]...).CombinedOutput(); err != nil {
		t.Skipf("not installed: %v: %.200s", err, out)
	}
	var in bytes.Buffer
	for _, field := range fields {
		in.WriteString(base64.StdEncoding.EncodeToString([]byte(field)) + "\n")
	}
	command := exec.CommandContext(t.Context(), r.command[0], r.command[1:]...)
	var failure bytes.Buffer
	command.Stdin, command.Stderr = &in, &failure
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %.500s", err, failure.Bytes())
	}
	all := make([][]string, 0, len(fields))
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(string(text), "\x00"))
	}
	if len(all) != len(fields) {
		t.Fatalf("%d answers for %d fields", len(all), len(fields))
	}
	return all
}

func shownByGo(fields []string) [][]string {
	all := make([][]string, len(fields))
	for i, field := range fields {
		list, err := mail.ParseAddressList(field)
		if err != nil {
			continue
		}
		for _, a := range list {
			all[i] = append(all[i], a.Address)
		}
	}
	return all
}

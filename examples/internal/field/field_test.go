// Package field runs the conformance suite of cases from the field: through the library, and
// through the program examples/verify where a case is about that.
package field

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A row is a case of the manifest. What is nil in it is not given.
type row struct {
	ID, Situation, Right string
	IP, HELO             *string
	MailFrom             *string `json:"mail_from"`
	Now                  *time.Time
	PSL                  bool
	Zone, File           string // File "" is SPF alone
	About                string
	Expect               map[string]string // values in the JSON by dotted path; "~x" is a part of one
}

func TestField(t *testing.T) {
	dir := filepath.Join(suite.Dir(t), "field")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	program := build(t)
	s := suite.New(t, "field")
	for _, r := range rows {
		s.Run(r.ID, func(t *testing.T) {
			got := r.library
			// Without an envelope, the program has to find it in the message.
			if r.About == "examples/verify" || r.IP == nil {
				got = func(t *testing.T, dir string) []byte { return r.program(t, dir, program) }
			}
			r.check(t, got(t, dir))
		})
	}
}

// build builds examples/verify and returns the path of the program.
func build(t *testing.T) string {
	t.Helper()
	// Go runs a test again when a file changed that the test has read, which the go
	// command below it does out of sight.
	sources, err := filepath.Glob("../../*/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal("no sources", err)
	}
	for _, source := range sources {
		if _, err := os.ReadFile(source); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(t.TempDir(), "verify")
	if out, err := exec.Command("go", "build", "-o", program, "../../verify").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// library gives the case to the library, and returns the result as JSON.
func (r row) library(t *testing.T, dir string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, r.Zone))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zone, err := resolver.ParseZone(f, r.Zone)
	if err != nil {
		t.Fatal(err)
	}
	envelope := dmarc.Envelope{IP: netip.MustParseAddr(*r.IP), HELO: *r.HELO, MailFrom: *r.MailFrom}
	var result any
	if r.File == "" {
		checker := spf.Checker{Resolver: zone}
		result = map[string]any{"spf": checker.Check(t.Context(), envelope)}
	} else {
		message, err := os.ReadFile(filepath.Join(dir, r.File))
		if err != nil {
			t.Fatal(err)
		}
		v := dmarc.Verifier{Resolver: zone, Now: func() time.Time { return *r.Now }}
		if r.PSL {
			v.Discovery.Mode = discovery.PublicSuffix
		}
		if result, err = v.Verify(t.Context(), envelope, bytes.NewReader(message)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// program gives the case to the program, as a user would, and returns what it prints.
func (r row) program(t *testing.T, dir, program string) []byte {
	t.Helper()
	args := []string{"-json", "-zone", filepath.Join(dir, r.Zone)}
	for name, value := range map[string]*string{"-ip": r.IP, "-helo": r.HELO, "-from": r.MailFrom} {
		if value != nil {
			args = append(args, name, *value)
		}
	}
	if r.Now != nil {
		args = append(args, "-now", r.Now.Format(time.RFC3339))
	}
	if r.PSL {
		args = append(args, "-psl")
	}
	if r.File != "" {
		args = append(args, filepath.Join(dir, r.File))
	}
	cmd := exec.Command(program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	// 1 and 3 are verdicts.
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() == 2) {
		t.Fatalf("%q: %v\n%s", args, err, stderr.Bytes())
	}
	return out
}

// check compares values in JSON with what is expected of them.
func (r row) check(t *testing.T, text []byte) {
	t.Helper()
	var object any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	for path, want := range r.Expect {
		got := at(object, path)
		part, isPart := strings.CutPrefix(want, "~")
		if got != want && (!isPart || !strings.Contains(got, part)) {
			t.Errorf("%s is %s, want %s\n%s: %s\n%s", path, got, want, r.Situation, r.Right, text)
		}
	}
}

// at returns the value at a dotted path as text: "dkim.0.status".
func at(v any, path string) string {
	for step := range strings.SplitSeq(path, ".") {
		switch of := v.(type) {
		case map[string]any:
			v = of[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(of) {
				return "absent"
			}
			v = of[i]
		default:
			return "absent"
		}
	}
	if v == nil {
		return "absent"
	}
	return fmt.Sprint(v)
}

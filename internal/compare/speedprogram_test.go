package compare

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A program does works in turns with the others, in a process of its own: peers has their
// sources and says how they are asked.
type program struct {
	name    string
	input   io.Writer
	outputs *bufio.Reader
}

// errNotDone says that a program does not do a work.
var errNotDone = errors.New("not done")

// startPrograms builds and starts the programs in peers. One that cannot be built here is
// left out, with a word.
func startPrograms(t *testing.T, rows []speedRow) []*program {
	works, built := t.TempDir(), t.TempDir()
	for _, row := range rows {
		if row.word != "" {
			writeWork(t, filepath.Join(works, row.word), row)
		}
	}
	target := os.Getenv("CARGO_TARGET_DIR")
	if target == "" {
		target = filepath.Join(built, "target")
	}
	c := filepath.Join(built, "turns")
	var programs []*program
	for _, p := range []struct {
		name, binary string
		build        []string
	}{
		{"mail-auth 0.15", filepath.Join(target, "release", "mail-auth-turns"), []string{
			"cargo", "build", "--release", "--quiet", "--ignore-rust-version",
			"--manifest-path", "peers/mail-auth/Cargo.toml", "--target-dir", target,
		}},
		{"libspf2, libopendkim", c, []string{"cc", "-O2", "-o", c, "peers/c/turns.c", "-lspf2", "-lopendkim"}},
	} {
		if output, err := exec.Command(p.build[0], p.build[1:]...).CombinedOutput(); err != nil {
			first, _, _ := strings.Cut(string(output), "\n")
			fmt.Printf("%s is not measured: %v %s\n\n", p.name, err, first)
			continue
		}
		programs = append(programs, startProgram(t, p.name, p.binary, works))
	}
	return programs
}

func startProgram(t *testing.T, name, binary, works string) *program {
	command := exec.CommandContext(t.Context(), binary, works)
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		command.Wait()
	})
	return &program{name, input, bufio.NewReader(output)}
}

// time returns how long n times a work take.
func (p *program) time(word string, n int) (time.Duration, error) {
	if word == "" {
		return 0, errNotDone
	}
	fmt.Fprintln(p.input, word, n)
	line, err := p.outputs.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("%s: %w", p.name, err)
	}
	if line == "-\n" {
		return 0, errNotDone
	}
	took, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return time.Duration(took), err
}

// writeWork writes the zone and the message of a work for the programs.
func writeWork(t *testing.T, folder string, row speedRow) {
	var zone strings.Builder
	for name, records := range row.zone {
		for kind, values := range map[string][]string{"TXT": records.TXT, "A": records.A, "MX": records.MX} {
			for _, value := range values {
				fmt.Fprintf(&zone, "%s\t%s\t%s\n", name, kind, value)
			}
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "zone"), []byte(zone.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if row.message == nil {
		return
	}
	if err := os.WriteFile(filepath.Join(folder, "message"), row.message, 0o600); err != nil {
		t.Fatal(err)
	}
}

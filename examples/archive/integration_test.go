//go:build integration

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/examples/archive/internal/generated"
)

const many = 10_000

// archived is what the tests share: messages, and the results of Prism in this process.
var archived = sync.OnceValue(func() (a struct {
	in, out  string
	verdicts map[string]int
	err      error
}) {
	if a.in, a.err = os.MkdirTemp("", "archive-in-*"); a.err != nil {
		return a
	}
	if a.out, a.err = os.MkdirTemp("", "archive-out-*"); a.err != nil {
		return a
	}
	if a.verdicts, a.err = generated.Write(a.in, many, 4096); a.err != nil {
		return a
	}
	self, err := os.Executable()
	if err != nil {
		a.err = err
		return a
	}
	cmd := exec.Command(self, "-in", a.in, "-zone", filepath.Join(a.in, generated.Zone), "-out", a.out)
	cmd.Env = append(os.Environ(), "ARCHIVE_PROGRAM=1")
	if text, err := cmd.CombinedOutput(); err != nil {
		a.err = fmt.Errorf("%w: %s", err, text)
	}
	return a
})

// shared returns the messages and the results of one process.
func shared(t *testing.T) (in, out string, verdicts map[string]int) {
	t.Helper()
	a := archived()
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a.in, a.out, a.verdicts
}

// program starts this binary as the program, on the shared messages.
func program(t *testing.T, out string, args ...string) (cmd *exec.Cmd, text *bytes.Buffer) {
	t.Helper()
	in, _, _ := shared(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text = &bytes.Buffer{}
	cmd = exec.Command(self, append([]string{"-in", in, "-zone", filepath.Join(in, generated.Zone), "-out", out}, args...)...)
	cmd.Env = append(os.Environ(), "ARCHIVE_PROGRAM=1")
	cmd.Stdout, cmd.Stderr = text, text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, text
}

// prism starts a job server in a process of its own.
func prism(t *testing.T) (endpoint string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "prism")
	if text, err := exec.Command("go", "build", "-o", binary, "github.com/apache/beam/sdks/v2/go/cmd/prism").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint = l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(endpoint)
	cmd := exec.Command(binary, "-job_port", port, "-serve_http=false", "-log_level", "error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	waitFor(t, func() bool {
		c, err := net.Dial("tcp", endpoint)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return "localhost:" + port
}

func waitFor(t *testing.T, reached func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Minute); !reached(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
	}
}

// shards returns how many shards are finished.
func shards(out string) int {
	names, _ := filepath.Glob(filepath.Join(out, "summary-*-of-*.json"))
	return len(names)
}

// children returns the processes that a process has started.
func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lists {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, child)
		}
	}
	return pids
}

func TestRealPrismInTheProcessWithTenThousandMessages(t *testing.T) {
	_, out, verdicts := shared(t)
	checkResults(t, out, many, verdicts)
}

func TestRealPrismAsAJobServerWithTwoWorkersInOtherProcesses(t *testing.T) {
	_, want, _ := shared(t)
	endpoint, out := prism(t), t.TempDir()
	cmd, text := program(t, out, "-runner", "prism", "-endpoint", endpoint, "-workers", "2")
	most := 0
	waitFor(t, func() bool {
		most = max(most, len(children(t, cmd.Process.Pid)))
		return shards(out) > 0
	})
	if err := cmd.Wait(); err != nil || most != 2 {
		t.Errorf("%v, with %d workers: %s", err, most, text)
	}
	same(t, want, out)
}

func TestRealAWorkerIsKilledAndNothingIsLostOrDoubled(t *testing.T) {
	_, want, verdicts := shared(t)
	endpoint, out := prism(t), t.TempDir()
	cmd, text := program(t, out, "-runner", "prism", "-endpoint", endpoint, "-workers", "2")
	waitFor(t, func() bool { return shards(out) >= 10 })
	workers := children(t, cmd.Process.Pid)
	if len(workers) == 0 || shards(out) >= 60 {
		t.Fatalf("too late: %d workers, %d shards", len(workers), shards(out))
	}
	if err := syscall.Kill(workers[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(text.String(), "a worker is gone") {
		t.Errorf("%v: %s", err, text)
	}
	checkResults(t, out, many, verdicts)
	same(t, want, out)
}

func TestRealTheProgramIsKilledAndStartedAgain(t *testing.T) {
	_, want, verdicts := shared(t)
	out := t.TempDir()
	cmd, _ := program(t, out)
	waitFor(t, func() bool { return shards(out) >= 10 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // killed
	before := infos(t, out)
	done := shards(out)
	cmd, text := program(t, out)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	kept := 0
	for name, info := range infos(t, out) {
		if strings.HasPrefix(name, "summary-") && before[name] != nil && os.SameFile(info, before[name]) {
			kept++
		}
	}
	if kept != done || done >= 64 {
		t.Errorf("%d shards were finished, and %d not done again", done, kept)
	}
	checkResults(t, out, many, verdicts)
	same(t, want, out)
}

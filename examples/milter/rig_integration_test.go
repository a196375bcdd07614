//go:build integration

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/realdns"
)

// A rig is a real Postfix with this program as its milter, real name servers, and a sink for what
// Postfix delivers.
type rig struct {
	t       *testing.T // the test or subtest that runs
	whole   *testing.T // the test at whose end all is stopped
	dir     string
	smtp    string // address of Postfix
	milter  string // address of the milter, for -listen
	program string
	dns     string
	sink    *sink
	log     *logBuffer
	process *exec.Cmd
}

// newRig starts everything but the milter. Chroot says that smtpd is in a chroot and the milter on a unix socket
// inside of it.
func newRig(t *testing.T, records string, chroot bool) *rig {
	t.Helper()
	if _, err := exec.LookPath("postfix"); err != nil || os.Getuid() != 0 {
		if os.Getenv("INTEGRATION") != "" {
			t.Fatal("needs postfix, and root")
		}
		t.Skip("needs postfix, and root; .ci/integration installs it")
	}
	// Every folder above the queue has to be searchable for the user postfix.
	dir, err := os.MkdirTemp("", "postfix")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, whole: t, dir: dir, smtp: "127.0.0.1:" + freePort(t), milter: "inet:127.0.0.1:" + freePort(t), program: filepath.Join(dir, "milter"), log: new(logBuffer)}
	r.run("go", "build", "-o", r.program, ".")
	r.dns = realdns.Start(t, map[string]realdns.Zone{".": {Records: records}}).Address
	r.sink = newSink(t)
	jail := "n"
	if chroot {
		jail = "y"
		r.milter = "unix:" + filepath.Join(dir, "queue", "private-milter.sock")
	}
	_, smtpPort, _ := net.SplitHostPort(r.smtp)
	asked := strings.Replace(r.milter, filepath.Join(dir, "queue"), "", 1)
	r.run("../../.ci/postfix", dir, smtpPort, r.sink.port(), asked, jail)
	t.Cleanup(func() { _ = exec.Command("postfix", "-c", filepath.Join(dir, "conf"), "stop").Run() })
	t.Cleanup(func() {
		if t.Failed() {
			mail, _ := os.ReadFile(filepath.Join(dir, "maillog"))
			t.Logf("milter:\n%s\nPostfix:\n%s", r.log, tail(string(mail), 6000))
		}
	})
	return r
}

// in makes t, a subtest, the test that fails, until it ends.
func (r *rig) in(t *testing.T) {
	outer := r.t
	r.t = t
	t.Cleanup(func() { r.t = outer })
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }

func (r *rig) run(name string, args ...string) {
	r.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		r.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// configure writes a configuration, with the name servers and the name of the rig.
func (r *rig) configure(text string) string {
	r.t.Helper()
	file := filepath.Join(r.dir, "milter.toml")
	text = fmt.Sprintf("dns_servers = [%q]\nauthserv_id = \"mx.example.com\"\nsocket_group = \"postfix\"\n", r.dns) + text
	writeFile(r.t, file, text)
	return file
}

// start starts the milter with a configuration.
func (r *rig) start(config string) {
	r.t.Helper()
	r.process = exec.Command(r.program, "-config", r.configure(config), "-listen", r.milter)
	r.process.Stderr = r.log
	seen := r.log.count(`"listening"`)
	if err := r.process.Start(); err != nil {
		r.t.Fatal(err)
	}
	p := r.process
	r.whole.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	r.await("the milter listens", func() bool { return r.log.count(`"listening"`) > seen })
}

// reload has the running milter read another configuration.
func (r *rig) reload(config string) {
	r.t.Helper()
	r.configure(config)
	seen := r.log.count("configuration")
	_ = r.process.Process.Signal(syscall.SIGHUP)
	r.await("the configuration is read", func() bool { return r.log.count("configuration") > seen })
}

// stop ends the milter.
func (r *rig) stop(s os.Signal) {
	r.t.Helper()
	_ = r.process.Process.Signal(s)
	_ = r.process.Wait()
}

// await waits until something is true.
func (r *rig) await(what string, is func() bool) {
	r.t.Helper()
	await(r.t, what, is)
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for too long: %s", what)
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// line returns the log line of the message with a queue id.
func (r *rig) line(queue string) map[string]any {
	r.t.Helper()
	var found map[string]any
	r.await("a log line of message "+queue, func() bool {
		for line := range strings.Lines(r.log.String()) {
			var m map[string]any
			if json.Unmarshal([]byte(line), &m) == nil && m["queue_id"] == queue {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// A logBuffer holds what the milter logs.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBuffer) count(text string) int { return strings.Count(b.String(), text) }

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

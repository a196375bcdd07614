//go:build integration

package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/d--j/go-milter"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/database"
	"github.com/mailverdict/mailverdict/internal/realdns"
	"github.com/mailverdict/mailverdict/internal/realpostgres"
)

// A counter is a milter that counts, and its log. It is killed as soon as it logs that it stores its
// killAt-th batch.
type counter struct {
	process *exec.Cmd
	socket  string
	killAt  int

	mu  sync.Mutex
	log bytes.Buffer
}

func (c *counter) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log.Write(p)
	if bytes.Contains(p, []byte(`"storing counts"`)) && c.killAt > 0 {
		if c.killAt--; c.killAt == 0 {
			_ = c.process.Process.Signal(syscall.SIGKILL)
		}
	}
	return len(p), nil
}

// A tally is what the log of a counter says.
type tally struct {
	counted int64            // messages that were counted, by their lines
	stored  map[string]int64 // messages of each batch that was stored
	open    map[string]int64 // of each of which the log does not know
}

func (c *counter) tally(t *testing.T) tally {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := tally{stored: map[string]int64{}, open: map[string]int64{}}
	for text := range strings.Lines(c.log.String()) {
		var line struct {
			Msg, Batch string
			Messages   int64
			Counted    bool
		}
		if json.Unmarshal([]byte(text), &line) != nil {
			continue // cut off by the kill
		}
		switch {
		case line.Counted:
			sum.counted++
		case line.Msg == "storing counts":
			sum.open[line.Batch] = line.Messages
		case line.Msg == "counts stored":
			delete(sum.open, line.Batch)
			sum.stored[line.Batch] = line.Messages
		}
	}
	return sum
}

func TestRealMiltersCountInOnePostgreSQLWhileOneIsKilled(t *testing.T) {
	cluster, err := realpostgres.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Stop)
	url, err := cluster.Database("reports")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "milter")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dns := realdns.Start(t, map[string]realdns.Zone{".": {Records: zone}}).Address
	config := fmt.Sprintf("dns_servers = [%q]\nstore = %q\nstore_interval = \"50ms\"\nstore_exclude = [\"r@bank.test\"]\n", dns, url)

	lives := startCounter(t, program, dir, "lives", config, 0)
	want, lost, open := int64(0), int64(0), map[string]int64{}
	for round := range 4 {
		dies := startCounter(t, program, dir, fmt.Sprint("dies", round), config, 2+round)
		sending := sync.WaitGroup{}
		for range 2 {
			sending.Go(func() { sendUntilItEnds(t, dies, 100_000) })
			sending.Go(func() { sendUntilItEnds(t, lives, 1_500) })
		}
		sending.Wait()
		_ = dies.process.Process.Kill() // if it was not killed by now, the tally says so
		_ = dies.process.Wait()
		was := dies.tally(t)
		if len(was.open)+len(was.stored) == 0 {
			t.Fatal("nothing was stored")
		}
		for _, n := range was.stored {
			want += n
			was.counted -= n
		}
		for id, n := range was.open {
			open[id] = n
		}
		lost += was.counted
	}
	_ = lives.process.Process.Signal(syscall.SIGTERM)
	if err := lives.process.Wait(); err != nil {
		t.Errorf("the milter that lives ended with %v", err)
	}
	rest := lives.tally(t)
	want += rest.counted

	db, dialect, err := database.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for id, n := range open { // the store knows what the log does not
		if isStored(t, db, id) {
			want += n
			lost -= n
		}
	}
	got := stored(t, db, dialect)
	if got != want || rest.counted == 0 {
		t.Errorf("%d messages are stored, the logs say %d; %d lost", got, want, lost)
	}
	t.Logf("%d messages are stored, %d of them by the milter that lives; %d were lost in 4 kills, as the logs say; of %d batches only the store knew",
		got, rest.counted, lost, len(open))
}

func startCounter(t *testing.T, program, dir, name, config string, killAt int) *counter {
	t.Helper()
	c := &counter{socket: filepath.Join(dir, name), killAt: killAt}
	file := filepath.Join(dir, name+".toml")
	writeFile(t, file, config)
	c.process = exec.Command(program, "-config", file, "-listen", "unix:"+c.socket)
	c.process.Stderr = c
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.process.Process.Kill(); _ = c.process.Wait() })
	await(t, "the milter listens", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return strings.Contains(c.log.String(), `"listening"`)
	})
	return c
}

// sendUntilItEnds sends messages until the milter ends, or n were sent.
func sendUntilItEnds(t *testing.T, c *counter, n int) {
	session, err := milter.NewClient("unix", c.socket).Session(nil)
	if err != nil {
		return // it was killed already
	}
	defer func() { _ = session.Close() }()
	if _, err := session.Conn("unknown", milter.FamilyInet, 25, "192.0.2.7"); err != nil {
		return
	}
	if _, err := session.Helo("mail.sender.test"); err != nil {
		return
	}
	for i := range n {
		if err := sendOne(session, fmt.Sprintf("a%d@bank.test", i)); err != nil {
			t.Logf("after %d messages: %v", i, err)
			return
		}
	}
}

func sendOne(s *milter.ClientSession, from string) error {
	if _, err := s.Mail(from, ""); err != nil {
		return err
	}
	if _, err := s.Rcpt("u@example.com", ""); err != nil {
		return err
	}
	if _, err := s.DataStart(); err != nil {
		return err
	}
	if _, err := s.HeaderField("From", " a@bank.test", nil); err != nil {
		return err
	}
	if _, err := s.HeaderEnd(); err != nil {
		return err
	}
	if _, err := s.BodyChunk([]byte("Hello\r\n")); err != nil {
		return err
	}
	_, _, err := s.End()
	return err
}

func isStored(t *testing.T, db *sql.DB, batch string) bool {
	t.Helper()
	var n int
	if err := db.QueryRow("SELECT COUNT(*) FROM dmarc_flush WHERE id = $1", batch).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// stored returns how many messages a database has.
func stored(t *testing.T, db *sql.DB, dialect sqlstore.Dialect) (n int64) {
	t.Helper()
	if _, err := sqlstore.Open(t.Context(), db, dialect); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow("SELECT COALESCE(SUM(n), 0) FROM dmarc_row").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/counting"
	"github.com/mailverdict/mailverdict/examples/internal/database"
)

// counted returns what a store has: the source, what was done, and the reasons of each row.
func counted(t *testing.T, storeURL string) (rows []string) {
	t.Helper()
	db, dialect, err := database.Open(storeURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	store, err := sqlstore.Open(context.Background(), db, dialect)
	if err != nil {
		t.Fatal(err)
	}
	for task, err := range store.Pending(context.Background(), time.Now().Add(48*time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range store.Rows(context.Background(), task) {
			if err != nil {
				t.Fatal(err)
			}
			line := fmt.Sprintf("%s %s %d", row.Source, row.Disposition, row.Count)
			for _, reason := range row.Reasons {
				line += " " + reason.Type
			}
			rows = append(rows, line)
		}
	}
	slices.Sort(rows)
	return rows
}

func TestMailIsCountedAndPrintedForTheOperatorAndStoriesAreNot(t *testing.T) {
	const forged = "From: Me <me@laptop.example>\r\nSubject: Hello\r\n\r\nx\r\n"
	for _, tt := range []struct {
		reject bool
		want   string
	}{
		{false, "127.0.0.1 none 1 local_policy, 127.0.0.1 pass 1"},
		{true, "127.0.0.1 pass 1, 127.0.0.1 reject 1"},
	} {
		storeURL := "sqlite:" + filepath.Join(t.TempDir(), "counts.db")
		counter, err := counting.Open(counting.Options{URL: storeURL, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		printed, out := io.Pipe()
		lines := make(chan string, 10)
		go func() {
			for s := bufio.NewScanner(printed); s.Scan(); {
				lines <- s.Text()
			}
			close(lines)
		}()
		r := start(t, func(s *server) { s.counter, s.json, s.reject = counter, out, tt.reject })
		s := r.session(t)
		if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
			t.Fatal(err)
		}
		if err := r.send(t, "x@elsewhere.example", s.Address, forged); (err != nil) != tt.reject {
			t.Fatal(err)
		}
		if status, _ := r.post(t, strings.TrimSuffix(s.Page, "/")+"/stories", url.Values{"story": {"spoofed-bank-reject"}}); status != http.StatusOK {
			t.Fatal(status)
		}
		r.stream(t, s.Events, "", "result")
		counter.Close()
		_ = out.Close()
		if got := strings.Join(counted(t, storeURL), ", "); got != tt.want {
			t.Errorf("with -reject %v: counted %s, want %s", tt.reject, got, tt.want)
		}
		var verdicts []string
		for line := range lines {
			var result struct{ DMARC struct{ Verdict string } }
			if err := json.Unmarshal([]byte(line), &result); err != nil {
				t.Fatal(err)
			}
			verdicts = append(verdicts, result.DMARC.Verdict)
		}
		if got := strings.Join(verdicts, " "); got != "pass fail" {
			t.Errorf("printed: %s", got)
		}
	}
}

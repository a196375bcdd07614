package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/examples/archive/internal/generated"
	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
)

// TestMain is the program, where a test starts this binary as one.
func TestMain(m *testing.M) {
	if os.Getenv("ARCHIVE_PROGRAM") != "" || len(os.Args) > 1 && os.Args[1] == "-worker" {
		main()
	}
	os.Exit(m.Run())
}

// A finished run of the program.
type finished struct {
	code           int
	stdout, stderr string
}

func archive(t *testing.T, args ...string) finished {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	return finished{code, stdout.String(), stderr.String()}
}

// generate returns a directory with so many messages, and how many have each verdict.
func generate(t testing.TB, n int) (dir string, verdicts map[string]int) {
	t.Helper()
	dir = t.TempDir()
	verdicts, err := generated.Write(dir, n, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return dir, verdicts
}

// results returns the files of OUT but run.json, which names it.
func results(t testing.TB, out string) map[string]string {
	t.Helper()
	files := map[string]string{}
	names, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if base := filepath.Base(name); base != "run.json" {
			files[base] = string(text)
		}
	}
	return files
}

// checkResults checks that each of n messages has one line, and the summary what is expected.
func checkResults(t testing.TB, out string, n int, verdicts map[string]int) {
	t.Helper()
	seen := map[string]int{}
	files := results(t, out)
	for name, text := range files {
		if strings.Contains(name, partInfix) {
			t.Errorf("%s was left behind", name)
		}
		if strings.HasSuffix(name, ".jsonl") {
			for line := range strings.Lines(text) {
				var l struct{ File string }
				if err := json.Unmarshal([]byte(line), &l); err != nil {
					t.Fatal(err)
				}
				seen[l.File]++
			}
		}
	}
	for file, times := range seen {
		if times != 1 {
			t.Errorf("%s has %d lines", file, times)
		}
	}
	if len(seen) != n {
		t.Errorf("%d messages have a line, want %d", len(seen), n)
	}
	var s stored.Summary
	if err := json.Unmarshal([]byte(files["summary.json"]), &s); err != nil {
		t.Fatal(err)
	}
	if s.Messages != n || s.Verdicts["pass"] != verdicts["pass"] || s.Verdicts["fail"] != verdicts["fail"] || s.Differences["dmarc pass fail"] != n/generated.Kinds {
		t.Errorf("%+v, want %v", s.Counts, verdicts)
	}
}

// same reports files that are not the same in two directories of results.
func same(t testing.TB, one, other string) {
	t.Helper()
	a, b := results(t, one), results(t, other)
	if len(a) != len(b) {
		t.Errorf("%d files and %d files", len(a), len(b))
	}
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("%s is not the same", name)
		}
	}
}

func TestAnArchiveBecomesLinesInShardsAndASummary(t *testing.T) {
	in, verdicts := generate(t, 200)
	out, again := t.TempDir(), t.TempDir()
	f := archive(t, "-in", in, "-zone", filepath.Join(in, generated.Zone), "-out", out, "-shards", "7")
	if f.code != exitOK || !strings.Contains(f.stdout, "200 messages, DNS 200 zone") || !strings.Contains(f.stdout, "dmarc was pass and is fail: 40") {
		t.Errorf("%+v", f)
	}
	checkResults(t, out, 200, verdicts)
	f = archive(t, "-json", "-zone", filepath.Join(in, generated.Zone), "-out", again, "-shards", "7", "-j", "1", in)
	if f.code != exitOK || !json.Valid([]byte(f.stdout)) {
		t.Errorf("%+v", f)
	}
	same(t, out, again)
}

func TestFinishedShardsAreNotDoneAgain(t *testing.T) {
	in, _ := generate(t, 100)
	out, fresh := t.TempDir(), t.TempDir()
	args := []string{"-in", in + "/*/*.eml", "-zone", filepath.Join(in, generated.Zone), "-shards", "8", "-out"}
	if f := archive(t, append(args, out)...); f.code != exitOK {
		t.Fatalf("%+v", f)
	}
	// As a run leaves it that was killed: the record of a shard is missing, and a file half written.
	for _, err := range []error{
		os.Remove(filepath.Join(out, "summary-00003-of-00008.json")),
		os.WriteFile(filepath.Join(out, "verdicts-00003-of-00008.jsonl"), []byte("{\"file\""), 0o666),
		os.WriteFile(filepath.Join(out, "verdicts-00004-of-00008.jsonl"+partInfix+"x"), nil, 0o666),
		os.WriteFile(filepath.Join(in, "0000", "new.eml"), []byte("Received: from a; Tue, 01 Sep 2026 12:00:00 +0000\r\nFrom: a@sender00.example\r\n\r\nHi\r\n"), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := infos(t, out)
	if f := archive(t, append(args, out)...); f.code != exitOK {
		t.Fatalf("%+v", f)
	}
	redone := 0
	for name, info := range infos(t, out) {
		if strings.HasPrefix(name, "verdicts-") && !os.SameFile(info, before[name]) {
			redone++
		}
	}
	if redone != 2 && redone != 1 { // the one with the new message may be the one that was lost
		t.Errorf("%d shards of 8 were done again", redone)
	}
	if f := archive(t, append(args, fresh)...); f.code != exitOK {
		t.Fatalf("%+v", f)
	}
	same(t, out, fresh)
	if !strings.Contains(results(t, out)["summary.json"], `"messages": 101`) {
		t.Error(results(t, out)["summary.json"])
	}
}

func infos(t *testing.T, dir string) map[string]os.FileInfo {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	infos := map[string]os.FileInfo{}
	for _, e := range entries {
		if infos[e.Name()], err = e.Info(); err != nil {
			t.Fatal(err)
		}
	}
	return infos
}

func TestResultsOfAnotherRunAreNotMixedIn(t *testing.T) {
	in, _ := generate(t, 5)
	out := t.TempDir()
	zone := filepath.Join(in, generated.Zone)
	if f := archive(t, "-in", in, "-zone", zone, "-out", out); f.code != exitOK {
		t.Fatalf("%+v", f)
	}
	for _, args := range [][]string{{"-psl"}, {"-shards", "3"}, {"-now", "1789374612"}, {"-in", "/nowhere"}} {
		f := archive(t, append(args, "-in", in, "-zone", zone, "-out", out)...)
		if f.code != exitUsage || !strings.Contains(f.stderr, "other flags") {
			t.Errorf("%q: %+v", args, f)
		}
	}
	// How many work at it makes no difference.
	if f := archive(t, "-j", "2", "-questions", "7", "-in", in, "-zone", zone, "-out", out); f.code != exitOK {
		t.Errorf("%+v", f)
	}
}

func TestWrongUsageIsSaidInALine(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{}, {"-in", "x"}, {"-out", "x"}, {"-in", "x", "-out", dir, "-shards", "0"}, {"-in", "x", "-out", dir, "-runner", "storm"},
		{"-in", "x", "-out", dir, "-workers", "2"}, {"-in", "x", "-out", dir, "-runner", "dot"}, {"-in", "x", "-out", dir, "-runner", "local", "-zone", "/nowhere"},
		{"-in", "x", "-out", dir, "-zone", "/dev/null", "-dns", "127.0.0.1:53"}, {"-in", "x", "-out", dir, "-now", "soon"},
		{"-in", "x", "-out", "ftp://host/dir"}, {"-in", "x", "-out", dir + "/[a]"}, {"-nonsense"},
	} {
		f := archive(t, args...)
		if f.code != exitUsage || strings.Count(f.stderr, "\n") != 1 || f.stdout != "" {
			t.Errorf("%q: %+v", args, f)
		}
	}
	if f := archive(t, "-h"); f.code != exitOK || f.stdout != usage {
		t.Errorf("%+v", f)
	}
}

func TestWithoutMessagesTheRunFails(t *testing.T) {
	in := t.TempDir()
	if f := archive(t, "-in", in, "-out", t.TempDir()); f.code != exitFailed || !strings.Contains(f.stderr, "no messages") {
		t.Errorf("%+v", f)
	}
	if f := archive(t, "-in", in+"/*.eml", "-out", t.TempDir()); f.code != exitFailed || !strings.Contains(f.stderr, "no such file") {
		t.Errorf("%+v", f)
	}
}

func TestAnInterruptedRunFails(t *testing.T) {
	in, _ := generate(t, 5)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if code := run(ctx, []string{"-in", in, "-zone", filepath.Join(in, generated.Zone), "-out", t.TempDir()}, &stdout, &stderr); code == exitOK {
		t.Errorf("exit %d, %s", code, stdout.String())
	}
}

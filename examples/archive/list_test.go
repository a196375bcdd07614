package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
)

// layFiles writes empty files, and returns their directory.
func layFiles(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/.keep") {
			continue
		}
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// listed returns the names for a pattern below dir: "a.eml+a.json+a.zone".
func namesFor(t *testing.T, dir, in, out string) []string {
	t.Helper()
	names, err := new(files).names(t.Context(), filepath.Join(dir, in), filepath.Join(dir, out))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, n := range names {
		parts := slices.DeleteFunc([]string{n.File, n.Sidecar, n.Zone}, func(s string) bool { return s == "" })
		list = append(list, strings.ReplaceAll(strings.Join(parts, "+"), dir+"/", ""))
	}
	return list
}

func TestNamesAreFoundWithWhatStandsBesideThem(t *testing.T) {
	dir := layFiles(t, "a.eml", "a.json", "a.zone", "b.eml.gz", "b.json", "c", "c.json", "d.txt", ".hidden.eml", "sub/e.emlx", "sub/e.zone", "sub/f.mbox",
		"out/run.json", "out/verdicts-0.jsonl", "out/g.eml",
		"mail/cur/1.host:2,S", "mail/new/2.host", "mail/tmp/3.host", "mail/dovecot-uidlist", "mail/.Sent/cur/4.host:2,S", "mail/.Sent/new/.keep", "mail/.Sent/dovecot.index")
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"a.eml", []string{"a.eml+a.json+a.zone"}},
		{"*.eml", []string{"a.eml+a.json+a.zone"}},
		{"*.eml.gz", []string{"b.eml.gz+b.json"}},
		{"*", []string{"a.eml+a.json+a.zone", "b.eml.gz+b.json", "c+c.json", "d.txt"}},
		{"c", []string{"c+c.json"}},
		{".", []string{"a.eml+a.json+a.zone", "b.eml.gz+b.json", "c+c.json", "mail/.Sent/cur/4.host:2,S", "mail/cur/1.host:2,S", "mail/new/2.host", "sub/e.emlx+sub/e.zone", "sub/f.mbox"}},
	} {
		if got := namesFor(t, dir, tt.in, "out"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestALargeMboxIsParted(t *testing.T) {
	name := filepath.Join(layFiles(t, "a.mbox"), "a.mbox")
	if err := os.WriteFile(name, []byte("From a@b.example\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 2*partSize+1); err != nil {
		t.Fatal(err)
	}
	parts, err := parted(stored.Name{File: name})
	if err != nil || len(parts) != 3 || parts[2].Offset != 2*partSize || parts[2].End != 2*partSize+1 || parts[0].End != partSize {
		t.Errorf("%+v, %v", parts, err)
	}
}

func TestTheShardsOfNamesAreSpread(t *testing.T) {
	counts := make([]int, 8)
	for i := range 8000 {
		counts[shardOf(stored.Name{File: "m", Offset: int64(i)}, 8)]++
	}
	if slices.Min(counts) < 800 || slices.Max(counts) > 1200 {
		t.Error(counts)
	}
}

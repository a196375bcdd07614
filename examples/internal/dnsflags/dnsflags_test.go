package dnsflags_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/resolver"
)

func parse(args ...string) (*dnsflags.Flags, error) {
	var f dnsflags.Flags
	set := flag.NewFlagSet("test", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	f.Define(set)
	return &f, set.Parse(args)
}

func TestZonesAreAskedTogetherAndNobodyElse(t *testing.T) {
	dir := t.TempDir()
	var args []string
	for _, name := range []string{"one.example", "two.example"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name+". 60 TXT \"of "+name+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-zone", path)
	}
	f, err := parse(args...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Resolver()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one.example", "two.example"} {
		a, err := r.Resolve(context.Background(), resolver.Question{Name: name, Type: resolver.TypeTXT})
		if err != nil || len(a.TXT) != 1 || a.TXT[0] != "of "+name {
			t.Errorf("%s: %v, %v", name, a.TXT, err)
		}
	}
	if _, err := r.Resolve(context.Background(), resolver.Question{Name: "three.example", Type: resolver.TypeTXT}); !errors.Is(err, resolver.ErrNotFound) {
		t.Errorf("a name in no zone: %v", err)
	}
}

func TestAServerIsAskedThroughACache(t *testing.T) {
	f, err := parse("-dns", "[::1]:5353")
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Resolver()
	cache, ok := r.(*resolver.Cache)
	if err != nil || !ok {
		t.Fatalf("%T, %v", r, err)
	}
	if client := cache.Resolver.(*resolver.Client); len(client.Servers) != 1 || client.Servers[0] != "[::1]:5353" {
		t.Errorf("asks %q", client.Servers)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	if _, err := parse("-dns", "localhost"); err == nil || !strings.Contains(err.Error(), "HOST:PORT") {
		t.Errorf("a server without a port: %v", err)
	}
	f, err := parse("-dns", "localhost:53", "-zone", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Resolver(); !errors.Is(err, dnsflags.ErrBoth) {
		t.Errorf("a server and a zone: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if f, err = parse("-zone", missing); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Resolver(); err == nil || strings.Count(err.Error(), missing) != 1 {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Command inspector holds dmarc/inspect beside checkdmarc (PyPI), on domains that have one known fault
// each, and prints a table of who finds what. Both ask one DNS server, which it runs on loopback. In
// internal/compare:
//
//	python3 -m venv venv && venv/bin/pip install checkdmarc
//	GOWORK=off go run ./inspector -python venv/bin/python -write ../../examples/inspect/README.md
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect"
	"github.com/mailverdict/mailverdict/resolver"
)

func main() {
	log.SetFlags(0)
	python := flag.String("python", "python3", "a Python that has checkdmarc")
	write := flag.String("write", "", "put the table into this `file`, between its two marks")
	verbose := flag.Bool("v", false, "print all that checkdmarc says")
	flag.Parse()
	if err := run(*python, *write, *verbose); err != nil {
		log.Fatal("inspector: ", err)
	}
}

func run(python, write string, verbose bool) error {
	port, err := serve("inspector/testdata/faults.zone")
	if err != nil {
		return err
	}
	theirs, version, err := checkdmarc(python, port)
	if err != nil {
		return err
	}
	if verbose {
		for domain, list := range theirs {
			fmt.Printf("%s\n  %s\n", domain, strings.Join(list, "\n  "))
		}
	}
	table, err := makeTable(theirs, ours(port), version)
	if err != nil {
		return err
	}
	if write == "" {
		fmt.Print(table)
		return nil
	}
	return put(write, table)
}

// ours returns the findings of dmarc/inspect.
func ours(port string) map[string][]inspect.Finding {
	inspector := inspect.Inspector{Resolver: &resolver.Client{Servers: []string{"127.0.0.1:" + port}}}
	found := map[string][]inspect.Finding{}
	for _, domain := range domains() {
		found[domain] = inspector.Inspect(context.Background(), domain).Findings
	}
	return found
}

func domains() []string {
	list := []string{good}
	for _, f := range faults {
		list = append(list, f.domain)
	}
	return list
}

// checkdmarc returns what it says of the domains: errors and warnings, wherever they stand in its
// result.
func checkdmarc(python, port string) (said map[string][]string, version string, err error) {
	out, err := exec.Command(python, append([]string{"inspector/check.py", port}, domains()...)...).Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, "", fmt.Errorf("%w\n%s", err, failed.Stderr)
	}
	if err != nil {
		return nil, "", err
	}
	said = map[string][]string{}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for decoder.More() {
		var result map[string]any
		if err := decoder.Decode(&result); err != nil {
			return nil, "", err
		}
		delete(result, "dnssec") // our server does not sign
		delete(result, "ns")     // nor has it name servers for each domain
		delete(result, "soa")
		domain, _ := result["domain"].(string)
		said[domain] = complaints(result)
	}
	text, err := exec.Command(python, "-c", "import importlib.metadata as m; print(m.version('checkdmarc'))").Output()
	return said, strings.TrimSpace(string(text)), err
}

// complaints returns the texts below the keys "error", "errors" and "warnings", in the order of the
// keys.
func complaints(value any) []string {
	var list []string
	switch value := value.(type) {
	case map[string]any:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			switch key {
			case "error", "errors", "warnings":
				list = append(list, texts(value[key])...)
			default:
				list = append(list, complaints(value[key])...)
			}
		}
	case []any:
		for _, item := range value {
			list = append(list, complaints(item)...)
		}
	}
	return list
}

func texts(value any) []string {
	var list []string
	switch value := value.(type) {
	case string:
		list = append(list, value)
	case []any:
		for _, item := range value {
			list = append(list, texts(item)...)
		}
	}
	return list
}

// The marks in the file that the table is put between.
const (
	begin = "<!-- table by internal/compare/inspector -->\n"
	end   = "<!-- end of the table -->\n"
)

// put puts the table into a file.
func put(path, table string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s has no %q before %q", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+table+end+after), 0o644)
}

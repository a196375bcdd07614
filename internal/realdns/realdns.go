// Package realdns runs real name servers for tests: nsd, which serves the zones of the test,
// and unbound in front of it, which resolves and validates. They listen on loopback, on ports
// that are free, and ask nobody else.
package realdns

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A Zone is one that nsd serves.
type Zone struct {
	// Records are in the format of RFC 1035, relative to the name of the zone, with a TTL
	// of 300 seconds where they say nothing else. SOA and NS are added.
	Records string

	// Signed says that the zone is signed, and that unbound trusts its key. It takes the
	// answers of other zones as they are, without the AD bit.
	Signed bool

	// Spoiled are names whose TXT records are altered once the zone is signed: unbound
	// finds them bogus, and answers SERVFAIL.
	Spoiled []string
}

// File returns the whole zone before it is signed.
func (z Zone) File(name string) string {
	return "$ORIGIN " + absolute(name) + `
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
` + z.Records
}

// absolute returns a name as zone files have it.
func absolute(name string) string { return strings.TrimSuffix(name, ".") + "." }

// Servers are nsd and unbound at work.
type Servers struct {
	Address string // of unbound, for UDP and TCP

	t       testing.TB
	dir     string
	unbound *process
}

// Start serves zones, which are known by their names ("." is the root), until the test ends.
// It skips the test where a program is not installed, and fails it if the environment has
// INTEGRATION.
func Start(t testing.TB, zones map[string]Zone) *Servers {
	t.Helper()
	for _, program := range []string{"nsd", "unbound", "ldns-keygen", "ldns-signzone"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("INTEGRATION") != "" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed; .ci/integration installs it", program)
		}
	}
	s := &Servers{t: t, dir: t.TempDir()}
	nsd, unbound := freePort(t), freePort(t)
	s.Address = "127.0.0.1:" + unbound

	s.writeConfigs(zones, nsd, unbound)
	start(t, "nsd", "-d", "-c", s.path("nsd.conf")).await("127.0.0.1:" + nsd)
	s.Up()
	return s
}

// Up starts unbound again after Down. It remembers nothing.
func (s *Servers) Up() {
	s.t.Helper()
	s.unbound = start(s.t, "unbound", "-d", "-c", s.path("unbound.conf"))
	s.unbound.await(s.Address)
}

// Down stops unbound.
func (s *Servers) Down() { s.unbound.stop() }

// writeConfigs writes the zones and what both servers have to know.
func (s *Servers) writeConfigs(zones map[string]Zone, nsdPort, unboundPort string) {
	s.t.Helper()
	var nsd, anchors, stubs strings.Builder
	for i, name := range slices.Sorted(maps.Keys(zones)) {
		file, key := s.writeZone(fmt.Sprintf("zone%d", i), name, zones[name])
		if key != "" {
			fmt.Fprintf(&anchors, "\ttrust-anchor-file: %q\n", s.path(key+".key"))
		}
		fmt.Fprintf(&nsd, "zone:\n\tname: %q\n\tzonefile: %q\n", absolute(name), file)
		fmt.Fprintf(&stubs, "stub-zone:\n\tname: %q\n\tstub-addr: 127.0.0.1@%s\n", absolute(name), nsdPort)
	}
	s.write("nsd.conf", fmt.Sprintf(nsdConfig, nsdPort, s.dir)+nsd.String())
	s.write("unbound.conf", fmt.Sprintf(unboundConfig, unboundPort, s.dir)+anchors.String()+stubs.String())
}

// writeZone returns the file that nsd is to read, and the name of the key of a zone that is
// signed.
func (s *Servers) writeZone(file, name string, z Zone) (served, key string) {
	s.t.Helper()
	s.write(file, z.File(name))
	if !z.Signed {
		return file, ""
	}
	key = s.run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", absolute(name))
	s.run("ldns-signzone", file, key)
	file += ".signed"
	for _, spoiled := range z.Spoiled {
		text, ok := spoil(s.read(file), spoiled)
		if !ok {
			s.t.Fatalf("%s has no TXT record to spoil", spoiled)
		}
		s.write(file, text)
	}
	return file, key
}

// spoil alters the first octet of each TXT record of a name in a zone, and reports whether
// there was one. It reads zones as ldns-signzone writes them: a record in a line, with owner,
// TTL, class and type.
func spoil(zone, name string) (text string, found bool) {
	lines := strings.Split(zone, "\n")
	for i, line := range lines {
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[0] != absolute(name) || fields[3] != "TXT" {
			continue
		}
		head, tail, ok := strings.Cut(line, `"`)
		if !ok || tail == "" || strings.ContainsAny(tail[:1], `"\`) {
			continue
		}
		octet := "x"
		if tail[0] == 'x' {
			octet = "y"
		}
		lines[i], found = head+`"`+octet+tail[1:], true
	}
	return strings.Join(lines, "\n"), found
}

func (s *Servers) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Servers) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Servers) read(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// run returns what a program writes, to its end.
func (s *Servers) run(program string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = s.dir
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", program, err, log.String())
	}
	return strings.TrimSpace(string(out))
}

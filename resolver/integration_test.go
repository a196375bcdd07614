//go:build integration

package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The zones that nsd serves. signed.example and bogus.example are signed, and their
// keys are unbound's trust anchors; bogus.example is altered after signing.
var realZones = map[string]string{
	"plain.example": `
@           TXT   "v=spf1 " "mx -all"
@           TXT   "octets \000\255\"\\"
@           MX    10 mx
@           MX    20 MX2.plain.example.
mx          A     192.0.2.1
mx          AAAA  2001:db8::1
null        MX    0 .
alias       CNAME alias2
alias2      CNAME mx
across      CNAME signed.example.
dangling    CNAME nowhere
loop        CNAME loop2
loop2       CNAME loop
a.deep      TXT   "below an empty non-terminal"
*.wild      TXT   "wild"
known.wild  A     192.0.2.2
x.ent.wild  A     192.0.2.3
host        PTR   MX.plain.example.
long        TXT   ` + longTXT + "\n",
	"signed.example": `
@           TXT   "v=spf1 -all"
mx          A     192.0.2.1
alias       CNAME mx
insecure    CNAME mx.plain.example.
*.wild      TXT   "wild"
`,
	"bogus.example": `
@           TXT   "before"
`,
}

// longTXT is one record of 4 KB.
var longTXT = strings.Repeat(`"`+strings.Repeat("x", 250)+`" `, 16)

const realApex = `$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
`

// A realDNS is nsd and unbound at work.
type realDNS struct {
	t              *testing.T
	dir            string
	unboundAddress string
	unbound        *exec.Cmd
}

func startReal(t *testing.T) *realDNS {
	for _, program := range []string{"nsd", "unbound", "ldns-keygen", "ldns-signzone"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("INTEGRATION") != "" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed; .ci/integration installs it", program)
		}
	}
	d := &realDNS{t: t, dir: t.TempDir()}
	nsdPort, unboundPort := freePort(t), freePort(t)
	d.unboundAddress = "127.0.0.1:" + unboundPort

	var nsd, unbound strings.Builder
	fmt.Fprintf(&nsd, `server:
	ip-address: 127.0.0.1@%s
	username: ""
	chroot: ""
	zonesdir: %q
	database: ""
	pidfile: "%[2]s/nsd.pid"
	zonelistfile: "%[2]s/zone.list"
	xfrdfile: "%[2]s/xfrd.state"
	xfrdir: %[2]q
remote-control:
	control-enable: no
`, nsdPort, d.dir)
	fmt.Fprintf(&unbound, `server:
	interface: 127.0.0.1@%s
	access-control: 127.0.0.0/8 allow
	do-not-query-localhost: no
	username: ""
	chroot: ""
	directory: %q
	pidfile: ""
	use-syslog: no
	module-config: "validator iterator"
	ede: yes
`, unboundPort, d.dir)
	var stubs strings.Builder
	for name, records := range realZones {
		d.write(name, "$ORIGIN "+name+".\n"+realApex+records)
		file := name
		if name != "plain.example" {
			key := d.run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", name)
			d.run("ldns-signzone", name, key)
			file += ".signed"
			fmt.Fprintf(&unbound, "\ttrust-anchor-file: %s/%s.key\n", d.dir, key)
		}
		fmt.Fprintf(&nsd, "zone:\n\tname: %s\n\tzonefile: %s\n", name, file)
		fmt.Fprintf(&stubs, "stub-zone:\n\tname: %s\n\tstub-addr: 127.0.0.1@%s\n", name, nsdPort)
	}
	signed := d.read("bogus.example.signed")
	d.write("bogus.example.signed", strings.Replace(signed, `"before"`, `"after"`, 1))
	d.write("nsd.conf", nsd.String())
	d.write("unbound.conf", unbound.String()+"remote-control:\n\tcontrol-enable: no\n"+stubs.String())

	d.start("nsd", "-d", "-c", filepath.Join(d.dir, "nsd.conf"))
	d.await("127.0.0.1:" + nsdPort)
	d.startUnbound()
	return d
}

func (d *realDNS) startUnbound() {
	d.unbound = d.start("unbound", "-d", "-c", filepath.Join(d.dir, "unbound.conf"))
	d.await(d.unboundAddress)
}

func (d *realDNS) write(name, content string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *realDNS) read(name string) string {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

func (d *realDNS) run(program string, args ...string) string {
	d.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = d.dir
	out, err := cmd.Output()
	if err != nil {
		d.t.Fatalf("%s: %v", program, err)
	}
	return strings.TrimSpace(string(out))
}

// start runs a server until the test ends.
func (d *realDNS) start(program string, args ...string) *exec.Cmd {
	d.t.Helper()
	cmd := exec.Command(program, args...)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		stop(cmd)
		if d.t.Failed() {
			d.t.Logf("%s said:\n%s", program, log.String())
		}
	})
	return cmd
}

func stop(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	}
}

// await returns once a server accepts connections.
func (d *realDNS) await(address string) {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("no server at %s: %v", address, err)
		}
	}
}

// freePort returns a port that is free for UDP and TCP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 10 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		pc.Close()
		if err != nil {
			continue
		}
		l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return port
	}
	t.Fatal("no free port")
	return ""
}

func TestRealServers(t *testing.T) {
	d := startReal(t)
	var mu sync.Mutex
	var networks []string
	c := &Client{Servers: []string{d.unboundAddress}, dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		networks = append(networks, network)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer c.CloseIdleConnections()

	t.Run("answers are those of a Zone of the same files", func(t *testing.T) {
		z := Zone{}
		for name, records := range realZones {
			if name == "bogus.example" {
				continue
			}
			more, err := ParseZone(strings.NewReader("$ORIGIN "+name+".\n"+realApex+records), name)
			if err != nil {
				t.Fatal(err)
			}
			z.Add(more)
		}
		var names []string
		for name := range z {
			names = append(names, strings.Replace(name, "*", "some", 1), strings.Replace(name, "*", "some.other", 1), "below."+strings.TrimPrefix(name, "*."))
		}
		names = append(names, "deep.plain.example", "ent.wild.plain.example", "x.known.wild.plain.example", "y.ent.wild.plain.example", "wild.plain.example")
		for _, name := range names {
			for _, qt := range []Type{TypeA, TypeAAAA, TypeMX, TypePTR, TypeTXT} {
				q := Question{name, qt}
				want, wantErr := z.Resolve(t.Context(), q)
				got, err := c.Resolve(t.Context(), q)
				slices.Sort(want.TXT)
				slices.Sort(got.TXT)
				slices.SortFunc(got.MX, func(a, b MX) int { return int(a.Preference) - int(b.Preference) })
				want.TTL, want.Authentic, got.TTL, got.Authentic = 0, 0, 0, 0
				if !equalAnswers(got, want) || outcome(err) != outcome(wantErr) {
					t.Errorf("%v: %+v, %v; the Zone says %+v, %v", q, got, err, want, wantErr)
				}
			}
		}
	})

	t.Run("the AD bit is told", func(t *testing.T) {
		for _, tt := range []struct {
			q    Question
			want Authentic
			err  error
		}{
			{Question{"signed.example", TypeTXT}, AuthenticYes, nil},
			{Question{"alias.signed.example", TypeA}, AuthenticYes, nil},
			{Question{"x.wild.signed.example", TypeTXT}, AuthenticYes, nil},
			{Question{"absent.signed.example", TypeTXT}, AuthenticYes, ErrNXDomain},
			{Question{"signed.example", TypeMX}, AuthenticYes, ErrNoData},
			{Question{"plain.example", TypeTXT}, AuthenticNo, nil},
			{Question{"absent.plain.example", TypeTXT}, AuthenticNo, ErrNXDomain},
			{Question{"insecure.signed.example", TypeA}, AuthenticNo, nil},
			{Question{"across.plain.example", TypeTXT}, AuthenticNo, nil},
		} {
			a, err := c.Resolve(t.Context(), tt.q)
			got := a.Authentic
			if failure, ok := errors.AsType[*Error](err); ok {
				got = failure.Authentic
			}
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%v: %v, %v; want %v, %v", tt.q, got, err, tt.want, tt.err)
			}
		}
	})

	t.Run("TTLs are those of the zone", func(t *testing.T) {
		if a, err := c.Resolve(t.Context(), Question{"plain.example", TypeTXT}); err != nil || a.TTL <= 0 || a.TTL > 300*time.Second {
			t.Errorf("answer: %v, %v", a.TTL, err)
		}
		_, err := c.Resolve(t.Context(), Question{"absent.plain.example", TypeTXT})
		if failure, ok := errors.AsType[*Error](err); !ok || failure.TTL <= 0 || failure.TTL > 60*time.Second {
			t.Errorf("absence: %v", err)
		}
	})

	t.Run("a TXT record of 4 KB comes over TCP", func(t *testing.T) {
		mu.Lock()
		networks = nil
		mu.Unlock()
		c.CloseIdleConnections()
		a, err := c.Resolve(t.Context(), Question{"long.plain.example", TypeTXT})
		if err != nil || len(a.TXT) != 1 || len(a.TXT[0]) != 4000 {
			t.Errorf("%d records, %v", len(a.TXT), err)
		}
		if !slices.Equal(networks, []string{"udp", "tcp"}) {
			t.Errorf("asked over %v", networks)
		}
	})

	t.Run("a bogus signature is a failure that names DNSSEC", func(t *testing.T) {
		_, err := c.Resolve(t.Context(), Question{"bogus.example", TypeTXT})
		if !errors.Is(err, ErrServFail) || !Temporary(err) || !strings.Contains(err.Error(), "DNSSEC") {
			t.Errorf("%v, want %v", err, ErrServFail)
		}
	})

	t.Run("Net answers the same", func(t *testing.T) {
		r := netOver(d.unboundAddress)
		for q, want := range map[Question]error{
			{"plain.example", TypeTXT}:        nil,
			{"plain.example", TypeMX}:         nil,
			{"mx.plain.example", TypeA}:       nil,
			{"long.plain.example", TypeTXT}:   nil,
			{"absent.plain.example", TypeTXT}: ErrNotFound,
			{"plain.example", TypeA}:          ErrNoData,
			{"bogus.example", TypeTXT}:        ErrServFail,
			{"bogus.example", TypeA}:          ErrNotFound,
		} {
			if _, err := r.Resolve(t.Context(), q); !errors.Is(err, want) {
				t.Errorf("%v: %v, want %v", q, err, want)
			}
		}
	})

	t.Run("a slow server is left for a second one that answers", func(t *testing.T) {
		mute, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer mute.Close()
		c := &Client{Servers: []string{mute.LocalAddr().String(), d.unboundAddress}, Timeout: 200 * time.Millisecond}
		if a, err := c.Resolve(t.Context(), Question{"plain.example", TypeTXT}); err != nil || a.Count() != 2 {
			t.Errorf("%+v, %v", a, err)
		}
	})

	t.Run("a server that is down is a failure, and answers once it is back", func(t *testing.T) {
		stop(d.unbound)
		_, err := c.Resolve(t.Context(), Question{"plain.example", TypeTXT})
		if !Temporary(err) || !strings.Contains(err.Error(), d.unboundAddress) {
			t.Errorf("down: %v", err)
		}
		d.startUnbound()
		if a, err := c.Resolve(t.Context(), Question{"plain.example", TypeTXT}); err != nil || a.Count() != 2 {
			t.Errorf("back: %+v, %v", a, err)
		}
	})
}

// outcome tells apart what a caller acts on.
func outcome(err error) string {
	switch {
	case err == nil:
		return "answer"
	case errors.Is(err, ErrNXDomain):
		return "no such name"
	case errors.Is(err, ErrNoData):
		return "no data"
	}
	return "failure"
}

//go:build integration

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/miekg/dns"
)

// TestMeasureBesideDebian prints the table of README.md: Postfix with no milter, with this one, and with Debian's
// opendkim, opendmarc and policyd-spf. It needs MEASURE=1, root, those packages, and the free port 127.0.0.1:53,
// as they ask only the server in resolv.conf.
func TestMeasureBesideDebian(t *testing.T) {
	if os.Getenv("MEASURE") == "" {
		t.Skip("MEASURE is not set")
	}
	key := signing.RSA(2048)
	record, err := signing.Record(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	// libunbound, which opendkim asks with, takes test for a name of its own.
	zone := strings.ReplaceAll(fmt.Sprintf(records, "x"), "bank.test", "bank.example") + "r._domainkey.bank.example. TXT \"" + record[:200] + "\" \"" + record[200:] + "\"\n"
	text, err := signing.Signature{Key: key, Domain: "bank.example", Selector: "r"}.Sign(mail("load", "a@bank.example"))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, zone, false)
	serveDNS(t, r.dns)
	r.dns = "127.0.0.1:53"
	var lines atomic.Int64
	countSyslog(t, &lines)

	t.Logf("message of %d octets", len(text))
	for _, s := range []struct {
		name    string
		start   func(*rig, string)
		milters string
		filters []string // words in the command line of its processes
	}{
		{"none", func(*rig, string) {}, "", nil},
		{"milter", startOurs, "unix:%[1]s/ours.sock", []string{r.program}},
		{"opendkim + opendmarc + policyd-spf", startThree, "unix:%[1]s/opendkim.sock,unix:%[1]s/opendmarc.sock", []string{"opendkim", "opendmarc", "policyd-spf"}},
		{"none, again", func(*rig, string) {}, "", nil},
	} {
		t.Run(s.name, func(t *testing.T) {
			r.in(t)
			s.start(r, r.dir)
			restart(r, s.name, fmt.Sprintf(s.milters+"%.0[1]s", r.dir))
			r.sendOne(s.name, text)
			for _, load := range []struct{ sessions, each int }{{1, 600}, {20, 100}} {
				measure(r, load.sessions, load.each, text, s.filters, &lines)
			}
		})
	}
}

// measure sends mail in several sessions at once, and prints what it took.
func measure(r *rig, sessions, each int, text string, filters []string, lines *atomic.Int64) {
	var dialogues []*dialogue
	for range sessions {
		d := r.dial(good)
		for range 3 { // to warm up
			if got := d.send("<a@bank.example>", text, "u@example.com"); !strings.HasPrefix(got, "250") {
				r.t.Fatal(got)
			}
		}
		dialogues = append(dialogues, d)
	}
	time.Sleep(5 * time.Second) // until the queue is empty
	cpu, logged, own := processor(filters), lines.Load(), r.log.count(`"msg":"message"`)
	began := time.Now()
	var sending sync.WaitGroup
	for _, d := range dialogues {
		sending.Go(func() {
			for range each {
				if got := d.send("<a@bank.example>", text, "u@example.com"); !strings.HasPrefix(got, "250") {
					r.t.Error(got)
					return
				}
			}
		})
	}
	sending.Wait()
	took := time.Since(began)
	n := float64(sessions * each)
	used := processor(filters) - cpu
	r.t.Logf("%2d sessions: %4.0f messages/s, %.2f ms of processor and %.1f log lines a message, %d MB resident",
		sessions, n/took.Seconds(), used.Seconds()*1000/n,
		float64(lines.Load()-logged+int64(r.log.count(`"msg":"message"`)-own))/n, resident(filters)>>20)
	for _, d := range dialogues {
		_ = d.say("QUIT")
	}
}

// sendOne sends one message and prints what the filters wrote into it.
func (r *rig) sendOne(name, text string) {
	text = strings.Replace(text, "X-Case: load\r\n", "X-Case: "+name+"\r\n", 1)
	if got := r.dial(good).send("<a@bank.example>", text, "u@example.com"); !strings.HasPrefix(got, "250") {
		r.t.Fatal(got)
	}
	for line := range strings.Lines(unfold(r.delivered(name))) {
		if strings.HasPrefix(line, "Authentication-Results") {
			r.t.Logf("wrote %s", strings.TrimSpace(line))
		}
	}
}

func startOurs(r *rig, dir string) {
	r.milter = "unix:" + dir + "/ours.sock"
	r.start(`reject = "never"`)
}

func startThree(r *rig, dir string) {
	for name, text := range map[string]string{
		"opendkim.conf":  "Mode v\nSocket local:" + dir + "/opendkim.sock\nUMask 000\nUserID root\nRequireSafeKeys no\nNameservers 127.0.0.1\nSyslog yes\nSyslogSuccess yes\nAuthservID mx.example.com\n",
		"opendmarc.conf": "Socket local:" + dir + "/opendmarc.sock\nUMask 000\nUserID root\nSyslog true\nAuthservID mx.example.com\nTrustedAuthservIDs mx.example.com\nPublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat\n",
		"policyd.conf":   "debugLevel = 1\nTestOnly = 1\nHeader_Type = AR\nAuthserv_Id = mx.example.com\nHELO_reject = False\nMail_From_reject = False\nskip_addresses = 127.0.0.0/8\n",
		"resolv.conf":    "nameserver 127.0.0.1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, command := range []string{"exec opendkim -f -x " + dir + "/opendkim.conf", "exec opendmarc -f -c " + dir + "/opendmarc.conf"} {
		p := isolated(dir, command)
		if err := p.Start(); err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	}
	for _, name := range []string{"/opendkim.sock", "/opendmarc.sock"} {
		r.await(name, func() bool { _, err := os.Stat(dir + name); return err == nil })
	}
}

// isolated returns a command that sees the resolv.conf of the folder.
func isolated(dir, command string) *exec.Cmd {
	return exec.Command("unshare", "-m", "sh", "-c", "mount --bind "+dir+"/resolv.conf /etc/resolv.conf && "+command)
}

// restart starts Postfix with other filters.
func restart(r *rig, name, milters string) {
	conf := filepath.Join(r.dir, "conf")
	_ = exec.Command("postfix", "-c", conf, "stop").Run()
	r.run("postconf", "-c", conf, "-e", "smtpd_milters="+milters, "smtpd_recipient_restrictions=")
	if !strings.Contains(name, "policyd") {
		r.run("postfix", "-c", conf, "start")
		return
	}
	r.run("postconf", "-c", conf, "-e", "smtpd_recipient_restrictions=check_policy_service unix:private/policyd-spf")
	r.run("postconf", "-c", conf, "-M", "policyd-spf/unix=policyd-spf unix - n n - 0 spawn user=nobody argv=/usr/bin/policyd-spf "+r.dir+"/policyd.conf")
	if out, err := isolated(r.dir, "postfix -c "+conf+" start").CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
}

// serveDNS answers on port 53 what another server answers, over UDP and TCP.
func serveDNS(t *testing.T, from string) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	for network, server := range map[string]*dns.Server{"udp": {PacketConn: conn}, "tcp": {Listener: listener}} {
		client := &dns.Client{Net: network}
		server.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
			if answer, _, err := client.Exchange(q, from); err == nil {
				_ = w.WriteMsg(answer)
			}
		})
		go func() { _ = server.ActivateAndServe() }()
		t.Cleanup(func() { _ = server.Shutdown() })
	}
}

// countSyslog counts what is written to the system's log, where nobody else takes it.
func countSyslog(t *testing.T, lines *atomic.Int64) {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod("/dev/log", 0o666)
	t.Cleanup(func() { _ = conn.Close(); _ = os.Remove("/dev/log") })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			if line := string(buffer[:n]); !strings.Contains(line, "postfix/") {
				if lines.Add(1) < 12 {
					t.Logf("logged %s", strings.TrimSpace(line))
				}
			}
		}
	}()
}

// each calls f with the folder in /proc of each process that has one of the words in its command line.
func eachProcess(words []string, f func(dir string)) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		text, _ := os.ReadFile(dir + "/cmdline")
		for _, w := range words {
			if command := string(text); strings.Contains(command, w) && !strings.HasPrefix(command, "unshare") && !strings.HasPrefix(command, "spawn") {
				f(dir)
				break
			}
		}
	}
}

// processor returns the processor time that the processes have used.
func processor(words []string) (used time.Duration) {
	eachProcess(words, func(dir string) {
		stat, _ := os.ReadFile(dir + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			return
		}
		for _, f := range fields[11:13] {
			ticks, _ := strconv.Atoi(f)
			used += time.Duration(ticks) * 10 * time.Millisecond
		}
	})
	return used
}

// resident returns the resident memory of the processes, in octets.
func resident(words []string) (octets int) {
	eachProcess(words, func(dir string) {
		statm, _ := os.ReadFile(dir + "/statm")
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			pages, _ := strconv.Atoi(fields[1])
			octets += pages * os.Getpagesize()
		}
	})
	return octets
}

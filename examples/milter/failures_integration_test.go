//go:build integration

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// silentDNS returns the address of a name server that never answers.
func silentDNS(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().String()
}

func TestRealPostfixHasSendersComeAgainWhenThingsFail(t *testing.T) {
	r := newRig(t, zoneText(t), false)
	dns, silent := r.dns, silentDNS(t)

	r.dns = silent
	r.start(`dns_time = "1s"`)
	r.check(t, []delivery{{name: "a hanging DNS: the sender comes again", client: good, from: "<a@bank.test>", text: mail("hanging", "a@bank.test"), reply: "451 4.7.0"},
		{name: "a hanging DNS: postmaster gets mail", client: good, from: "<a@bank.test>", text: mail("hanging-postmaster", "a@bank.test"),
			to: []string{"postmaster@example.com"}, reply: "250", has: []string{"dmarc=temperror"}, firstIn: ours}})
	r.reload(`dns_time = "1s"` + "\n" + `temperror = "accept"`)
	r.check(t, []delivery{{name: "or its mail is accepted, if asked", client: good, from: "<a@bank.test>", text: mail("hanging-accept", "a@bank.test"),
		reply: "250", has: []string{"dmarc=temperror"}, firstIn: ours}})

	t.Run("kill -9 while the answer is awaited", func(t *testing.T) {
		r.in(t)
		r.reload(`dns_time = "20s"`)
		killed := time.AfterFunc(time.Second, func() { _ = r.process.Process.Kill() })
		defer killed.Stop()
		r.failsThenPasses("kill-end", dns, func(d *dialogue) string {
			return d.send("<a@bank.test>", mail("kill-end", "a@bank.test"), "u@example.com")
		})
	})
	t.Run("kill -9 in the middle of the content", func(t *testing.T) {
		r.in(t)
		r.failsThenPasses("kill-middle", dns, func(d *dialogue) string {
			for _, command := range []string{"MAIL FROM:<a@bank.test>", "RCPT TO:<u@example.com>", "DATA"} {
				if got := d.say("%s", command); got[0] > '3' {
					return got
				}
			}
			text := mail("kill-middle", "a@bank.test")
			w := d.conn.DotWriter()
			_, _ = io.WriteString(w, text[:100])
			_ = d.conn.W.Flush()
			r.stop(os.Kill)
			_, _ = io.WriteString(w, text[100:])
			_ = w.Close()
			return d.reply()
		})
	})
	t.Run("a milter that is down", func(t *testing.T) {
		r.in(t)
		r.stop(os.Kill)
		r.failsThenPasses("down", dns, func(d *dialogue) string { return d.send("<a@bank.test>", mail("down", "a@bank.test"), "u@example.com") })
	})
	t.Run("SIGTERM lets a message end", func(t *testing.T) {
		r.in(t)
		d := r.dial(good)
		if d.say("MAIL FROM:<a@bank.test>")[0] != '2' || d.say("RCPT TO:<u@example.com>")[0] != '2' {
			t.Fatal("no MAIL")
		}
		_ = r.process.Process.Signal(syscall.SIGTERM)
		r.await("the milter drains", func() bool { return r.log.count("draining") > 0 })
		d.say("DATA")
		w := d.conn.DotWriter()
		_, _ = io.WriteString(w, mail("drained", "a@bank.test"))
		_ = w.Close()
		if got := d.reply(); !strings.HasPrefix(got, "250") {
			t.Errorf("reply %q", got)
		}
		if header := unfold(r.delivered("drained")); !strings.HasPrefix(header, ours) {
			t.Errorf("delivered unchecked:\n%s", header)
		}
		if err := r.process.Wait(); err != nil {
			t.Errorf("the milter ended with %v", err)
		}
	})
}

// failsThenPasses sends a message that meets a failure: the sender is told to come again, and nothing is
// delivered. Then the milter is started anew, the sender comes again, and the mail is delivered once, checked.
func (r *rig) failsThenPasses(name, dns string, send func(*dialogue) string) {
	r.t.Helper()
	d, err := r.tryDial(good)
	reply := ""
	if err != nil {
		reply = err.Error() // refused at the beginning of the session
	} else {
		reply = send(d)
		_ = d.conn.Close()
	}
	if !strings.Contains(reply, "4.7.1 ") || !strings.Contains(reply, "451 ") {
		r.t.Errorf("reply %q, want 451 4.7.1", reply)
	}
	if n := r.sink.count(name); n != 0 {
		r.t.Errorf("%d were delivered", n)
	}
	_ = r.process.Wait()
	r.dns = dns
	r.start(`reject = "always"`)
	if got := r.dial(good).send("<a@bank.test>", mail(name, "a@bank.test"), "u@example.com"); !strings.HasPrefix(got, "250") {
		r.t.Fatalf("the sender came again: %q", got)
	}
	if header := unfold(r.delivered(name)); !strings.HasPrefix(header, ours) || !strings.Contains(header, "dmarc=pass") {
		r.t.Errorf("delivered unchecked:\n%s", header)
	}
	if n := r.sink.count(name); n != 1 {
		r.t.Errorf("%d were delivered", n)
	}
}

func TestRealPostfixLosesNothingWhenTheConfigurationIsReadUnderLoad(t *testing.T) {
	r := newRig(t, zoneText(t), true)
	r.start(`reject = "always"`)
	const senders, each = 8, 40
	var done sync.WaitGroup
	for s := range senders {
		done.Go(func() {
			d, err := r.tryDial(good)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = d.conn.Close() }()
			for i := range each {
				if got := d.send("<a@bank.test>", mail(fmt.Sprintf("load-%d-%d", s, i), "a@bank.test"), "u@example.com"); !strings.HasPrefix(got, "250") {
					t.Errorf("reply %q", got)
					return
				}
			}
		})
	}
	stop, reloading := make(chan struct{}), sync.WaitGroup{}
	reloading.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				r.reload([]string{`reject = "never"`, `reject = "nevr"`, `reject = "always"` + "\ndns_cache = 8"}[i%3])
			}
		}
	})
	done.Wait()
	close(stop)
	reloading.Wait()
	for s := range senders {
		for i := range each {
			name := fmt.Sprintf("load-%d-%d", s, i)
			if header := unfold(r.delivered(name)); strings.Count(header, ours) != 1 || !strings.HasPrefix(header, ours) {
				t.Fatalf("%s was delivered unchecked:\n%s", name, header)
			}
			if n := r.sink.count(name); n != 1 {
				t.Errorf("%s was delivered %d times", name, n)
			}
		}
	}
	if n := r.log.count("configuration reloaded"); n < 5 {
		t.Errorf("the configuration was read %d times only", n)
	}
}

func TestRealPostfixWithAThousandSessionsAtOnce(t *testing.T) {
	const sessions = 1000
	r := newRig(t, zoneText(t), true)
	r.start(`reject = "always"`)
	dialogues := make([]*dialogue, sessions)
	var opening sync.WaitGroup
	opened := make(chan struct{}, 20) // smtpd processes that are started side by side
	for i := range sessions {
		opening.Go(func() {
			opened <- struct{}{}
			defer func() { <-opened }()
			d, err := r.tryDial(good)
			if err == nil && d.say("MAIL FROM:<a@bank.test>")[0] == '2' {
				dialogues[i] = d
			}
		})
	}
	opening.Wait()
	var sending sync.WaitGroup
	for i, d := range dialogues {
		if d == nil {
			t.Fatalf("session %d was not opened", i)
		}
		sending.Go(func() {
			defer func() { _ = d.conn.Close() }()
			d.say("RCPT TO:<u@example.com>")
			d.say("DATA")
			w := d.conn.DotWriter()
			_, _ = io.WriteString(w, mail(fmt.Sprintf("many-%d", i), "a@bank.test"))
			_ = w.Close()
			if got := d.reply(); !strings.HasPrefix(got, "250") {
				t.Errorf("session %d: %q", i, got)
			}
		})
	}
	sending.Wait()
	for i := range sessions {
		if header := unfold(r.delivered(fmt.Sprintf("many-%d", i))); !strings.HasPrefix(header, ours) || !strings.Contains(header, "dmarc=pass") {
			t.Fatalf("delivered unchecked:\n%s", header)
		}
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.process.Process.Pid))
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	peak, _, _ := strings.Cut(rest, "\n")
	t.Logf("peak of resident memory with %d sessions: %s", sessions, strings.TrimSpace(peak))
}

package realdns

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const (
	startTime = 20 * time.Second // that a server may take until it listens
	stopTime  = 5 * time.Second  // that it may take to stop before it is killed
)

// A process is a server that runs until the test ends.
type process struct {
	t      testing.TB
	name   string
	cancel context.CancelFunc
	ended  chan struct{}
}

func start(t testing.TB, program string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopTime
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	p := &process{t: t, name: program, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		// How a server ends is not what a test is about.
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, log.String())
		}
	})
	return p
}

// stop returns once the server has ended.
func (p *process) stop() {
	p.cancel()
	<-p.ended
}

// await returns once the server accepts connections.
func (p *process) await(address string) {
	p.t.Helper()
	for deadline := time.Now().Add(startTime); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s does not listen at %s: %v", p.name, address, err)
		}
		select {
		case <-p.ended:
			p.t.Fatalf("%s ended before it listened at %s", p.name, address)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// freePort returns a port that is free for UDP and TCP.
func freePort(t testing.TB) string {
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

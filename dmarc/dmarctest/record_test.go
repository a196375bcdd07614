package dmarctest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// A recorder is a test whose failures are looked at.
type recorder struct {
	testing.TB
	text strings.Builder
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(&r.text, format+"\n", args...) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprintln(args...)) }

// failure runs a test and returns what it failed with, or "".
func failure(t *testing.T, test func(t testing.TB)) string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(r)
	}()
	<-done
	return r.text.String()
}

func wantText(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("there is no %q in:\n%s", w, got)
		}
	}
}

// ofContext is a test with another context.
type ofContext struct {
	testing.TB
	ctx context.Context
}

func (c ofContext) Context() context.Context { return c.ctx }

package contain

import (
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"testing"
)

func TestEveryEndOfAFunctionIsReportedOnce(t *testing.T) {
	for _, tt := range []struct {
		what string
		f    func()
		want string // "" is success
	}{
		{"a return", func() {}, ""},
		{"a panic", func() { panic("index") }, "index"},
		{"a panic with an error", func() { panic(fs.ErrNotExist) }, "file does not exist"},
		{"a panic with nil", func() { panic(nil) }, "panic called with nil"},
		{"a goroutine that ended", runtime.Goexit, "runtime.Goexit"},
	} {
		calls := 0
		var failure error
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			Call(tt.f, func(err error) { calls, failure = calls+1, err })
		}()
		<-ended
		if calls != 1 || (failure == nil) != (tt.want == "") {
			t.Errorf("%s: %d calls, %v", tt.what, calls, failure)
		} else if failure != nil && (!strings.Contains(failure.Error(), tt.want) || errors.Is(failure, fs.ErrNotExist)) {
			t.Errorf("%s: %v", tt.what, failure)
		}
	}
}

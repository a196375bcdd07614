// Package contain runs code of somebody else's, such as a user's resolver, so that a
// panic in it does not end the program and nobody waits for it in vain.
package contain

import (
	"errors"
	"fmt"
)

var errGoexit = errors.New("it ended its goroutine (runtime.Goexit)")

// Call calls f and then done, which is called exactly once: with nil if f returned,
// else with an error that has the value of the panic as text, or says that f called
// runtime.Goexit. The error wraps nothing.
//
// After a panic Call returns. A goroutine that f ended still ends, after done.
func Call(f func(), done func(failure error)) {
	failure := errGoexit
	defer func() {
		if v := recover(); v != nil {
			failure = errors.New(fmt.Sprint(v))
		}
		done(failure)
	}()
	f()
	failure = nil
}

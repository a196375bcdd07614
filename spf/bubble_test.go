package spf

import (
	"runtime"
	"strings"
)

// GoroutinesInBubble returns how many goroutines there are in the synctest bubble of the
// caller, where no other test's are. It goes by their stacks, and not by
// runtime.NumGoroutine, which counts one that has just ended too.
func GoroutinesInBubble() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	own, _, _ := strings.Cut(string(stacks), "\n") // the caller's stands first
	_, bubble, ok := strings.Cut(own, "synctest bubble ")
	if !ok {
		panic("not in a bubble: " + own)
	}
	return strings.Count(string(stacks), "synctest bubble "+bubble)
}

//go:build race

package suite

// Race says that the race detector is on, with which sync.Pool drops what it is given now
// and then, and allocations cannot be counted.
const Race = true

// Package clock reads the time once for what happens at once. Reading it takes 25 ns on a
// virtual machine: a tenth of an SPF check whose answers are all in a cache.
//
//	var moment clock.Moment
//	for _, q := range questions { // none of which waits
//		resolver.Recall(seam.Internal{}, &moment, ctx, r, q)
//	}
package clock

import "time"

// start is that of the clock.
var start = time.Now()

// Now returns the time by a clock that only ever goes forward. It has no other meaning than to be
// compared with other times of this clock. In a bubble of testing/synctest, whose time is of the
// year 2000, it is negative.
func Now() time.Duration { return time.Since(start) }

// A Moment is too short for it to matter when in it the time is read. The zero Moment is one that
// begins. A Moment is for one goroutine, and ends when that waits for something: the next one is
// another zero Moment.
type Moment struct {
	now  time.Duration
	read bool
}

// Now returns the time of the moment.
func (m *Moment) Now() time.Duration {
	if !m.read {
		m.now, m.read = Now(), true
	}
	return m.now
}

// Package limit reads the fields that bound what a message may cost: zero is the
// default, and a negative number is no limit.
package limit

import "unsafe"

// Of returns the limit that a field of value n stands for: n, or standard where n is
// zero, or the largest value of its type where n is negative.
func Of[T ~int | ~int64](n, standard T) T {
	switch {
	case n == 0:
		return standard
	case n < 0:
		return T(1)<<(8*unsafe.Sizeof(n)-1) - 1
	}
	return n
}

// Package seam marks the functions by which the packages of this module call each
// other, and which are not for its users.
package seam

import "time"

// Internal is the first parameter of an exported function that only this module can
// call: a user of the module can neither name the type nor write a value of it.
type Internal struct{ _ struct{} }

// Details are what a resolver knows of an outcome besides the answer or error. Package
// resolver/trace says what each means.
type Details struct {
	Server        string
	Start         time.Time
	Duration      time.Duration
	Cached, Stale bool
}

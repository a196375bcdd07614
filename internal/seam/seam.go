// Package seam marks the functions by which the packages of this module call each
// other, and which are not for its users.
package seam

// Internal is the first parameter of an exported function that only this module can
// call: a user of the module can neither name the type nor write a value of it.
type Internal struct{ _ struct{} }

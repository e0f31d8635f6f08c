// Package ops is what operators and developers look at: health, and the API reference.
//
// Owns:        nothing
// Permissions: none
// Publishes:   nothing
// Jobs:        ops.sweep, ops.reseal
// Calls:       nothing
//
// Anyone may ask how the process is, so the answers say little, and asking often
// costs little: what was found out is shared for a second.
package ops

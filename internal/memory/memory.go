// Package memory gives back to the system what a process needed only to start.
package memory

import (
	"runtime"
	"runtime/debug"
)

// GiveBack returns what starting left behind: sixteen megabytes of heap in a process that
// then holds five, and the parts of the program itself that only run once. What lay in a
// pool is free after the second collection.
func GiveBack() {
	runtime.GC()
	debug.FreeOSMemory()
	forgetProgram()
}

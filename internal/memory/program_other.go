//go:build !linux

package memory

// forgetProgram is for systems whose way to do it we know.
func forgetProgram() {}

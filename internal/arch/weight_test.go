package arch

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Ten lines that import Tenon compile to less than three megabytes, in a second. Where the
// type of a generic library shows in a struct or method that they reach, each such program
// and each test package compiles that library anew: with the one behind the cache it was
// 27 megabytes, and ten seconds at every change.
func TestWhatImportsTenonStaysLight(t *testing.T) {
	const most = 4 << 20
	list := exec.Command("go", "list", "-export", "-f", "{{.Export}}", "./examples/bare")
	list.Dir = "../.."
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := os.Stat(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	if compiled.Size() > most {
		t.Errorf("examples/bare compiles to %d kB: whose generic code came along? (go tool nm -size %s)", compiled.Size()>>10, strings.TrimSpace(string(out)))
	}
}

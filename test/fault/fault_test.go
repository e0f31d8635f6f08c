package fault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// program is the binary under test, built once.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv("TENON_FAULT_CROWD") != "" {
		return assemble()
	}
	dir, err := os.MkdirTemp("", "tenon-fault-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "tenon")
	build := exec.Command("go", "build", "-o", program, "github.com/tenonhq/tenon/cmd/tenon")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, errors.Join(errors.New("build the program under test"), err))
		return 1
	}
	return m.Run()
}

// full reports whether the faults have the size that the catalogue gives them.
func full() bool { return os.Getenv("TENON_FAULTS") == "full" }

// size is small with every test and large by "make faults".
func size[T any](small, large T) T {
	if full() {
		return large
	}
	return small
}

// noise is what a busy machine may add to any measurement: room in a bound, far from
// what a broken promise costs.
const noise = 150 * time.Millisecond

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

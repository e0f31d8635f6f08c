package arch

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write platform_calls.txt anew")

const root = "../.."

func TestTheTreeKeepsItsRules(t *testing.T) {
	broken := Broken(load(t))
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			for _, sentence := range broken[rule.Name] {
				t.Error(sentence)
			}
		})
	}
}

// Whoever asks for a connection that row-level security does not narrow says why,
// and whoever reviews it sees this list change.
func TestPlatformConnectionsAreListed(t *testing.T) {
	const list = "platform_calls.txt"
	calls := strings.Join(PlatformCalls(load(t)), "\n") + "\n"
	if *update {
		if err := os.WriteFile(list, []byte(calls), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	listed, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(listed), calls); diff != "" {
		t.Errorf("the calls of db.Platform changed (-listed +found); ask for db.Org or db.Account if that is enough, else run go test ./internal/arch -update:\n%s", diff)
	}
}

func load(t *testing.T) *Tree {
	t.Helper()
	tree, err := Load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

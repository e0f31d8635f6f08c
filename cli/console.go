package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

type consoleCommand struct {
	Eject consoleEject `cmd:"" help:"Copy the console's source, to change all of it."`
}

type consoleEject struct {
	To string `arg:"" optional:"" default:"web" help:"A folder that does not exist yet."`
}

const ejected = `The console is yours now, in %[1]s. Updates of Tenon do not change it any more.

  cd %[1]s && npm ci && npm run build -w console

Then serve it: embed %[1]s/console/dist in your program, and set Config.Console.Files to it.
`

// Run copies the source from where Go keeps the module: who can build an ejected console
// into their program has it.
func (c *consoleEject) Run(e *environment) error {
	if _, err := os.Stat(c.To); err == nil {
		return fmt.Errorf("%s exists already; name a new folder", c.To)
	}
	list := exec.CommandContext(e.ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/tenonhq/tenon")
	list.Stderr = os.Stderr
	out, err := list.Output()
	source := strings.TrimSpace(string(out))
	if err != nil || source == "" {
		return errors.New("run this where your program's go.mod is; it must require github.com/tenonhq/tenon")
	}
	for _, part := range []string{"package.json", "package-lock.json", "console", "clients/typescript"} {
		if err := copyTree(filepath.Join(source, part), filepath.Join(c.To, part)); err != nil {
			return fmt.Errorf("copy %s: %w", part, err)
		}
	}
	fmt.Printf(ejected, c.To)
	return nil
}

// copyTree copies a file or a folder, without what is Go's or npm's. The module cache is
// read-only; the copy is not.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir() && d.Name() == "node_modules":
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case filepath.Ext(name) == ".go" || !d.Type().IsRegular():
			return nil
		}
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, body, 0o644)
	})
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

const ejected = `The console is yours now, in %[1]s. Updates of Tenon do not change it any more.

  cd %[1]s && npm ci && npm run build -w console

Then serve it: embed %[1]s/console/dist in your program, and set Config.Console.Files to it.
`

func (e *environment) console() *cobra.Command {
	take := e.command("eject [folder]", "Copy the console's source, to change all of it.", `The folder must not exist yet; it is "web" unless you say otherwise.`, func(args []string) error {
		return eject(e.ctx, append(args, "web")[0])
	})
	take.Args = cobra.MaximumNArgs(1)
	return e.group("console", "Take over the source of the web console.", take)
}

// eject copies the source from where Go keeps the module: who can build an ejected console
// into their program has it.
func eject(ctx context.Context, to string) error {
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("%s exists already; name a new folder", to)
	}
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/tenonhq/tenon")
	list.Stderr = os.Stderr
	out, err := list.Output()
	source := strings.TrimSpace(string(out))
	if err != nil || source == "" {
		return errors.New("run this where your program's go.mod is; it must require github.com/tenonhq/tenon")
	}
	for _, part := range []string{"package.json", "package-lock.json", "console", "clients/typescript"} {
		if err := copyTree(filepath.Join(source, part), filepath.Join(to, part)); err != nil {
			return fmt.Errorf("copy %s: %w", part, err)
		}
	}
	fmt.Printf(ejected, to)
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

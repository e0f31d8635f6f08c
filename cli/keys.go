package cli

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/tenonhq/tenon/platform/secret"
)

type keysCommand struct {
	List   keysList   `cmd:"" help:"List the keys, without their material."`
	Rotate keysRotate `cmd:"" help:"Make a new key; older ones go on opening and verifying."`
}

type keysList struct{ dataFlag }

func (k keysList) Run(e *environment) error {
	app, err := e.app(k.apply)
	if err != nil {
		return err
	}
	defer app.Close()
	if err := app.Prepare(e.ctx); err != nil {
		return err
	}
	return printKeys(app.Keys.Keys())
}

func printKeys(keys []secret.Key) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "USE\tID\tCREATED\tCURRENT")
	for _, k := range keys {
		current := ""
		if k.Current {
			current = "yes"
		}
		fmt.Fprintf(out, "%s\t%d\t%s\t%s\n", k.Use, k.ID, k.CreatedAt.Format(time.RFC3339), current)
	}
	return out.Flush()
}

type keysRotate struct {
	Use string `arg:"" enum:"signing,encryption" help:"Which: signing (access tokens) or encryption (fields, cursors, refresh tokens)."`
	dataFlag
}

// Help is shown by keys rotate --help.
func (keysRotate) Help() string {
	return `Every process loads the new key within seconds and uses it after half a minute, so that no token meets a process that does not know its key.
What is encrypted in the database is encrypted anew with it in the background, a minute later.`
}

func (k keysRotate) Run(e *environment) error {
	app, err := e.app(k.apply)
	if err != nil {
		return err
	}
	defer app.Close()
	if err := app.Prepare(e.ctx); err != nil {
		return err
	}
	if err := app.Ops.RotateKey(e.ctx, secret.Use(k.Use)); err != nil {
		return err
	}
	return printKeys(app.Keys.Keys())
}

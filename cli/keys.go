package cli

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenonhq/tenon/platform/secret"
)

const rotateHelp = `signing: the key of access tokens; encryption: that of fields, cursors and refresh tokens.

Every process loads the new key within seconds and uses it after half a minute, so that no token meets a process that does not know its key.
What is encrypted in the database is encrypted anew with it in the background, a minute later.

  tenon keys rotate signing`

func (e *environment) keys() *cobra.Command {
	rotate := e.command("rotate signing|encryption", "Make a new key; older ones go on opening and verifying.", rotateHelp, func(args []string) error {
		return e.rotateKey(secret.Use(args[0]))
	})
	rotate.ValidArgs = []string{"signing", "encryption"}
	rotate.Args = func(c *cobra.Command, args []string) error {
		if len(args) != 1 || cobra.OnlyValidArgs(c, args) != nil {
			return fmt.Errorf("say which key: signing or encryption")
		}
		return nil
	}
	return e.group("keys", "List and rotate the keys that sign tokens and encrypt fields.",
		e.command("list", "List the keys, without their material.", "", func([]string) error { return e.listKeys() }), rotate)
}

func (e *environment) listKeys() error {
	app, err := e.prepared()
	if err != nil {
		return err
	}
	defer app.Close()
	return printKeys(app.Keys.Keys())
}

func (e *environment) rotateKey(use secret.Use) error {
	app, err := e.prepared()
	if err != nil {
		return err
	}
	defer app.Close()
	if err := app.Ops.RotateKey(e.ctx, use); err != nil {
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

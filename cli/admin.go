package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/admin"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
)

func (e *environment) admin() *cobra.Command {
	return e.group("admin", "Make and list administrators, stop accounts.",
		e.createAdmin(), e.listAdmins(), e.grantAdmin(), e.revokeAdmin(), e.suspend(), e.reinstate())
}

const createAdminHelp = `This also closes the one-time set-up link.

  printf '%s\n' "$PASSWORD" | tenon admin create --email ada@example.com --password-stdin`

func (e *environment) createAdmin() *cobra.Command {
	var address, name string
	var passwordStdin bool
	c := e.command("create", "Make an administrator of the whole installation, with an account if there is none.", createAdminHelp, func([]string) error {
		return e.makeAdmin(address, name, passwordStdin)
	})
	c.Flags().StringVar(&address, "email", "", "`address` of the account; one that exists already is promoted")
	c.Flags().StringVar(&name, "name", "Administrator", "`name` of a new account")
	c.Flags().BoolVar(&passwordStdin, "password-stdin", false, "read the password of a new account from standard input, one line")
	require(c, "email")
	return c
}

func (e *environment) makeAdmin(address, name string, passwordStdin bool) error {
	app, err := e.prepared()
	if err != nil {
		return err
	}
	defer app.Close()
	ctx := atTheShell(e.ctx)
	email, existing, err := find(ctx, app, address)
	var prepared accounts.Prepared
	switch {
	case errors.Is(err, accounts.ErrNotFound):
		if prepared, err = e.newAccount(app, email, name, passwordStdin); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	err = app.DB.Platform("the first administrator").Tx(ctx, func(tx *db.Tx) error {
		bound := app.Accounts.In(tx)
		if existing.ID.IsZero() {
			return bound.CreateAdministrator(ctx, prepared)
		}
		return bound.MakeAdministrator(ctx, existing)
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s is an administrator.\n", email)
	return nil
}

func (e *environment) newAccount(app *tenon.App, email, name string, passwordStdin bool) (accounts.Prepared, error) {
	if !passwordStdin {
		return accounts.Prepared{}, errors.New("there is no account with that address yet: give its password with --password-stdin")
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return accounts.Prepared{}, errors.Join(errors.New("standard input holds no password"), err)
	}
	p, err := app.Accounts.Prepare(e.ctx, accounts.NewAccount{Email: email, Name: name, Password: password})
	return p, sentence(err)
}

// find looks for the account that --email names.
func find(ctx context.Context, app *tenon.App, address string) (email string, a accounts.Account, err error) {
	if email, err = accounts.NormalizeEmail(address); err != nil {
		return "", accounts.Account{}, errors.New("--email: " + accounts.ErrEmailInvalid.Message)
	}
	a, err = app.Accounts.ByEmail(ctx, email)
	return email, a, err
}

// atTheShell returns a context in which whoever has this shell is the caller.
func atTheShell(ctx context.Context) context.Context {
	return authz.With(ctx, &authz.Principal{Kind: authz.ActorSystem, Name: "command line"})
}

func (e *environment) listAdmins() *cobra.Command {
	help := "Those who are suspended or being deleted are listed too: they administrate again when they are back."
	return e.command("list", "List the administrators.", help, func([]string) error {
		app, err := e.prepared()
		if err != nil {
			return err
		}
		defer app.Close()
		all, err := administrators(e.ctx, app)
		if err != nil {
			return err
		}
		return printAdmins(all)
	})
}

// administrators reads all pages of the list.
func administrators(ctx context.Context, app *tenon.App) (all []admin.User, err error) {
	const page = 100
	var after *accounts.Place
	for {
		some, err := app.Admin.List(ctx, accounts.Filter{Administrators: true}, after, page)
		all = append(all, some...)
		if err != nil || len(some) < page {
			return all, err
		}
		last := some[page-1]
		after = &accounts.Place{At: last.CreatedAt, ID: last.ID}
	}
}

func printAdmins(all []admin.User) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "EMAIL\tNAME\tSTATUS\tLAST ACTIVE")
	for _, u := range all {
		active := "-"
		if u.LastActiveAt != nil {
			active = u.LastActiveAt.Format(time.RFC3339)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", u.Email, u.Name, u.Status, active)
	}
	return out.Flush()
}

const grantHelp = `The account must be active and its address confirmed; its owner is told by mail.

  tenon admin grant --email ada@example.com`

func (e *environment) grantAdmin() *cobra.Command {
	return e.onAccount("grant", "Make an account that exists an administrator.", grantHelp, func(ctx context.Context, app *tenon.App, a accounts.Account) error {
		if _, err := app.Admin.GrantAdministrator(ctx, a.ID); err != nil {
			return err
		}
		fmt.Printf("%s is an administrator.\n", a.Email)
		return nil
	})
}

const revokeHelp = `One administrator always stays. The owner of the account is told by mail; what they do as others ends at once.

  tenon admin revoke --email ada@example.com`

func (e *environment) revokeAdmin() *cobra.Command {
	return e.onAccount("revoke", "Take the administration from an account.", revokeHelp, func(ctx context.Context, app *tenon.App, a accounts.Account) error {
		if _, err := app.Admin.RevokeAdministrator(ctx, a.ID); err != nil {
			return err
		}
		fmt.Printf("%s is no administrator.\n", a.Email)
		return nil
	})
}

const suspendHelp = `It is signed out everywhere and cannot sign in, at once on every process. This can be undone: tenon admin reinstate.

  tenon admin suspend --email mallory@example.com --reason "Sends spam"`

func (e *environment) suspend() *cobra.Command {
	var stop admin.Stop
	c := e.onAccount("suspend", "Stop an account.", suspendHelp, func(ctx context.Context, app *tenon.App, a accounts.Account) error {
		if _, err := app.Admin.Suspend(ctx, a.ID, stop); err != nil {
			return err
		}
		fmt.Printf("%s is suspended.\n", a.Email)
		return nil
	})
	c.Flags().StringVar(&stop.Reason, "reason", "", "why, in 3 to 500 characters, which its owner can read later")
	c.Flags().BoolVar(&stop.Orphan, "orphan-organizations", false, "also where it is the last owner of organizations")
	require(c, "reason")
	return c
}

const reinstateHelp = `Its owner has to sign in anew.

  tenon admin reinstate --email ada@example.com`

func (e *environment) reinstate() *cobra.Command {
	return e.onAccount("reinstate", "Let a suspended account work again.", reinstateHelp, func(ctx context.Context, app *tenon.App, a accounts.Account) error {
		if _, err := app.Admin.Reinstate(ctx, a.ID); err != nil {
			return err
		}
		fmt.Printf("%s works again.\n", a.Email)
		return nil
	})
}

// onAccount declares a command for an account that exists, which --email names.
func (e *environment) onAccount(use, short, help string, run func(ctx context.Context, app *tenon.App, a accounts.Account) error) *cobra.Command {
	var address string
	c := e.command(use, short, help, func([]string) error {
		app, err := e.prepared()
		if err != nil {
			return err
		}
		defer app.Close()
		ctx := atTheShell(e.ctx)
		email, a, err := find(ctx, app, address)
		if errors.Is(err, accounts.ErrNotFound) {
			return fmt.Errorf("no account has the address %s", email)
		}
		if err != nil {
			return err
		}
		return sentence(run(ctx, app, a))
	})
	c.Flags().StringVar(&address, "email", "", "`address` of the account")
	require(c, "email")
	return c
}

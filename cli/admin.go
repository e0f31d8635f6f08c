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

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/admin"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
)

type adminCommand struct {
	Create    adminCreate    `cmd:"" help:"Make an administrator of the whole installation, with an account if there is none."`
	List      adminList      `cmd:"" help:"List the administrators."`
	Grant     adminGrant     `cmd:"" help:"Make an account that exists an administrator."`
	Revoke    adminRevoke    `cmd:"" help:"Take the administration from an account."`
	Suspend   adminSuspend   `cmd:"" help:"Stop an account: it is signed out everywhere and cannot sign in."`
	Reinstate adminReinstate `cmd:"" help:"Let a suspended account work again."`
}

type adminCreate struct {
	Email         string `required:"" help:"Address of the account; one that exists already is promoted." placeholder:"ADDRESS"`
	Name          string `default:"Administrator" help:"Name of a new account."`
	PasswordStdin bool   `help:"Read the password of a new account from standard input, one line."`
	dataFlag
}

// Help is shown by admin create --help.
func (adminCreate) Help() string {
	return `Example:
  printf '%s\n' "$PASSWORD" | tenon admin create --email ada@example.com --password-stdin

This also closes the one-time set-up link.`
}

func (a adminCreate) Run(e *environment) error {
	app, err := e.app(a.apply)
	if err != nil {
		return err
	}
	defer app.Close()
	if err := app.Prepare(e.ctx); err != nil {
		return err
	}
	ctx := atTheShell(e.ctx)
	email, err := accounts.NormalizeEmail(a.Email)
	if err != nil {
		return errors.New("--email: " + accounts.ErrEmailInvalid.Message)
	}
	existing, err := app.Accounts.ByEmail(ctx, email)
	var prepared accounts.Prepared
	switch {
	case errors.Is(err, accounts.ErrNotFound):
		if prepared, err = a.prepare(e, app, email); err != nil {
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

func (a adminCreate) prepare(e *environment, app *tenon.App, email string) (accounts.Prepared, error) {
	if !a.PasswordStdin {
		return accounts.Prepared{}, errors.New("there is no account with that address yet: give its password with --password-stdin")
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return accounts.Prepared{}, errors.Join(errors.New("standard input holds no password"), err)
	}
	p, err := app.Accounts.Prepare(e.ctx, accounts.NewAccount{Email: email, Name: a.Name, Password: password})
	return p, sentence(err)
}

// atTheShell returns a context in which whoever has this shell is the caller.
func atTheShell(ctx context.Context) context.Context {
	return authz.With(ctx, &authz.Principal{Kind: authz.ActorSystem, Name: "command line"})
}

// accountFlag names an account that exists.
type accountFlag struct {
	Email string `required:"" help:"Address of the account." placeholder:"ADDRESS"`
	dataFlag
}

// with runs fn on the account, as whoever has this shell.
func (f accountFlag) with(e *environment, fn func(ctx context.Context, app *tenon.App, a accounts.Account) error) error {
	app, err := e.app(f.apply)
	if err != nil {
		return err
	}
	defer app.Close()
	if err := app.Prepare(e.ctx); err != nil {
		return err
	}
	ctx := atTheShell(e.ctx)
	email, err := accounts.NormalizeEmail(f.Email)
	if err != nil {
		return errors.New("--email: " + accounts.ErrEmailInvalid.Message)
	}
	a, err := app.Accounts.ByEmail(ctx, email)
	if errors.Is(err, accounts.ErrNotFound) {
		return fmt.Errorf("no account has the address %s", email)
	}
	if err != nil {
		return err
	}
	return sentence(fn(ctx, app, a))
}

type adminList struct{ dataFlag }

// Help is shown by admin list --help.
func (adminList) Help() string {
	return `Those who are suspended or being deleted are listed too: they administrate again when they are back.`
}

func (l adminList) Run(e *environment) error {
	app, err := e.app(l.apply)
	if err != nil {
		return err
	}
	defer app.Close()
	if err := app.Prepare(e.ctx); err != nil {
		return err
	}
	all, err := administrators(e.ctx, app)
	if err != nil {
		return err
	}
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

type adminGrant struct{ accountFlag }

// Help is shown by admin grant --help.
func (adminGrant) Help() string {
	return `The account must be active and its address confirmed; its owner is told by mail.

Example:
  tenon admin grant --email ada@example.com`
}

func (g adminGrant) Run(e *environment) error {
	return g.with(e, func(ctx context.Context, app *tenon.App, a accounts.Account) error {
		if _, err := app.Admin.GrantAdministrator(ctx, a.ID); err != nil {
			return err
		}
		fmt.Printf("%s is an administrator.\n", a.Email)
		return nil
	})
}

type adminRevoke struct{ accountFlag }

// Help is shown by admin revoke --help.
func (adminRevoke) Help() string {
	return `One administrator always stays. The owner of the account is told by mail; what they do as others ends at once.

Example:
  tenon admin revoke --email ada@example.com`
}

func (r adminRevoke) Run(e *environment) error {
	return r.with(e, func(ctx context.Context, app *tenon.App, a accounts.Account) error {
		if _, err := app.Admin.RevokeAdministrator(ctx, a.ID); err != nil {
			return err
		}
		fmt.Printf("%s is no administrator.\n", a.Email)
		return nil
	})
}

type adminSuspend struct {
	Reason string `required:"" help:"Why: 3 to 500 characters, which its owner can read later." placeholder:"TEXT"`
	Orphan bool   `name:"orphan-organizations" help:"Also where it is the last owner of organizations."`
	accountFlag
}

// Help is shown by admin suspend --help.
func (adminSuspend) Help() string {
	return `It takes effect at once on every process, and can be undone: tenon admin reinstate.

Example:
  tenon admin suspend --email mallory@example.com --reason "Sends spam"`
}

func (s adminSuspend) Run(e *environment) error {
	return s.with(e, func(ctx context.Context, app *tenon.App, a accounts.Account) error {
		if _, err := app.Admin.Suspend(ctx, a.ID, admin.Stop{Reason: s.Reason, Orphan: s.Orphan}); err != nil {
			return err
		}
		fmt.Printf("%s is suspended.\n", a.Email)
		return nil
	})
}

type adminReinstate struct{ accountFlag }

// Help is shown by admin reinstate --help.
func (adminReinstate) Help() string {
	return `Its owner has to sign in anew.

Example:
  tenon admin reinstate --email ada@example.com`
}

func (r adminReinstate) Run(e *environment) error {
	return r.with(e, func(ctx context.Context, app *tenon.App, a accounts.Account) error {
		if _, err := app.Admin.Reinstate(ctx, a.ID); err != nil {
			return err
		}
		fmt.Printf("%s works again.\n", a.Email)
		return nil
	})
}

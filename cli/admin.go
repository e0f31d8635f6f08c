package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
)

type adminCommand struct {
	Create adminCreate `cmd:"" help:"Make an administrator of the whole installation."`
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
	ctx := authz.With(e.ctx, &authz.Principal{Kind: authz.ActorSystem, Name: "command line"})
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

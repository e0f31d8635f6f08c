package accounts_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/tenontest"
)

func picture(app *tenontest.App, u *tenontest.User, address string) *tenontest.Answer {
	return app.Call(u, "PATCH", "/users/me", fmt.Sprintf(`{"avatar_url":%q}`, address))
}

func TestAPictureIsSetByAddressAndRemoved(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		for _, address := range []string{"https://secure.gravatar.com/avatar/205e460b479e2e5b48aec07710c08d50?s=80&d=identicon", "https://avatars.githubusercontent.com/u/1?v=4",
			"https://lh3.googleusercontent.com/a/ACg8ocK=s96-c", "https://www.gravatar.com/" + strings.Repeat("a", 2000-len("https://www.gravatar.com/"))} {
			if got := picture(app, ada, address).Want(t, 200).Get("avatar_url"); got != address {
				t.Errorf("it is %q, want %q", got, address)
			}
			if got := app.Call(ada, "GET", "/users/me", "").Get("avatar_url"); got != address {
				t.Errorf("then it is %q", got)
			}
		}
		if got := picture(app, ada, "").Want(t, 200).Get("avatar_url"); got != "" {
			t.Errorf("removed, it is %q", got)
		}
	})
}

func TestTheHostsOfPicturesAreTheOperatorsChoice(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		picture(app, ada, "https://cdn.corp.test/ada.png").Want(t, 200)
		picture(app, ada, "https://secure.gravatar.com/avatar/0").WantCode(t, 422, "accounts.avatar_url_invalid")
	}, tenontest.Configure(func(c *tenon.Config) { c.Accounts.AvatarHosts = []string{"cdn.corp.test"} }))
	none := accounts.New(accounts.Deps{Config: accounts.Config{AvatarHosts: []string{"none"}}})
	for _, address := range []string{"https://secure.gravatar.com/avatar/0", "https://none/x", "https:///x"} {
		if _, err := none.CleanAvatar(address); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
}

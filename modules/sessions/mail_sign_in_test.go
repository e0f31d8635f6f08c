package sessions_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

func askByMail(t *testing.T, app *tenontest.App, email string) (flow string) {
	t.Helper()
	got := app.Call(nil, "POST", "/auth/magic-link", fmt.Sprintf(`{"email":%q}`, email)).Want(t, 202)
	if got.Get("status") != "check_your_email" || got.Get("flow_token") == "" {
		t.Fatalf("asked: %s", got.Text)
	}
	return got.Get("flow_token")
}

func byLink(app *tenontest.App, token, flow string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/magic-link/verify", fmt.Sprintf(`{"token":%q,"flow_token":%q}`, token, flow))
}

func byCode(app *tenontest.App, email, code, flow string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/magic-link/verify", fmt.Sprintf(`{"email":%q,"code":%q,"flow_token":%q}`, email, code, flow))
}

var code = regexp.MustCompile(`[0-9]{4} [0-9]{4}`)

// mailedCode is the code of the newest letter that has one, and the token of its link:
// a letter about a new device may have come since.
func mailedCode(t *testing.T, app *tenontest.App, email string) (token, found string) {
	t.Helper()
	for _, m := range app.Mail(email) {
		if found = code.FindString(m.Text); found != "" {
			_, token, _ = strings.Cut(m.Links[0], "token=")
			return token, found
		}
	}
	t.Fatalf("no code was mailed to %s", email)
	return "", ""
}

func TestALetterSignsInOnceByLinkOrByCode(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		flow := askByMail(t, app, "Ada@Example.com")
		link, code := mailedCode(t, app, ada.Email)
		if got := byLink(app, link, flow).Want(t, 200); got.Get("access_token") == "" {
			t.Errorf("signed in with %s", got.Text)
		}
		byLink(app, link, flow).WantCode(t, 401, "auth.magic_link_invalid")
		byCode(app, ada.Email, code, flow).WantCode(t, 401, "auth.magic_link_invalid")

		flow = askByMail(t, app, ada.Email)
		link, code = mailedCode(t, app, ada.Email)
		byCode(app, ada.Email, strings.ReplaceAll(code, " ", "-"), flow).Want(t, 200)
		byCode(app, ada.Email, code, flow).WantCode(t, 401, "auth.magic_link_invalid")
		byLink(app, link, flow).WantCode(t, 401, "auth.magic_link_invalid")
	})
}

// The letter alone opens nothing: not in another browser, and not for whoever made its
// owner follow a link that they had asked for.
func TestALinkIsGoodOnlyWhereItWasAskedFor(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, eve := app.User("ada"), app.User("eve")
		flow := askByMail(t, app, ada.Email)
		link, code := mailedCode(t, app, ada.Email)
		other := askByMail(t, app, eve.Email)
		theirs := app.MailedToken(eve.Email)
		for _, wrong := range []string{"", "x", other} {
			byLink(app, link, wrong).WantCode(t, 401, "auth.other_browser")
			byCode(app, ada.Email, code, wrong).WantCode(t, 401, "auth.magic_link_invalid")
		}
		byLink(app, theirs, flow).WantCode(t, 401, "auth.other_browser")
		byCode(app, eve.Email, code, flow).WantCode(t, 401, "auth.magic_link_invalid")
		byLink(app, "tn_magic_x", flow).WantCode(t, 401, "auth.magic_link_invalid")
	})
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		asked := app.Call(nil, "POST", "/auth/magic-link", `{"email":"ada@example.com","cookie":true}`).Want(t, 202)
		cookie, rest, _ := strings.Cut(asked.Header.Get("Set-Cookie"), ";")
		if asked.Get("flow_token") != "" || !strings.HasPrefix(cookie, "tenon_mail_sign_in=tn_flow_") || !strings.Contains(rest, "HttpOnly") {
			t.Fatalf("%s %v", asked.Text, asked.Header)
		}
		body := `{"token":"` + app.MailedToken(ada.Email) + `","cookie":true}`
		app.Call(nil, "POST", "/auth/magic-link/verify", body).WantCode(t, 401, "auth.other_browser")
		q := app.Request("POST", "/auth/magic-link/verify", body)
		q.Header.Set("Cookie", cookie)
		got := app.Send(q).Want(t, 200)
		all := strings.Join(got.Header.Values("Set-Cookie"), "\n")
		if got.Body["account"] == nil || !strings.Contains(all, "tenon_session=tn_ses_") || !strings.Contains(all, "tenon_mail_sign_in=;") {
			t.Errorf("%s %s", got.Text, all)
		}
	})
}

func TestALetterEndsWithTimeAndWithTheNext(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		first := askByMail(t, app, ada.Email)
		old := app.MailedToken(ada.Email)
		second := askByMail(t, app, ada.Email)
		link, code := mailedCode(t, app, ada.Email)
		if link == old {
			t.Fatal("the second letter is the first")
		}
		byLink(app, old, first).WantCode(t, 401, "auth.magic_link_invalid")
		now.Advance(10 * time.Minute)
		byLink(app, link, second).WantCode(t, 401, "auth.magic_link_invalid")
		byCode(app, ada.Email, code, second).WantCode(t, 401, "auth.magic_link_invalid")
	})
}

func TestOnlyTheOwnersOfProvenAndActiveAccountsGetALetter(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		if _, err := app.DB.Platform("test").Exec(t.Context(), `UPDATE accounts SET status = 'suspended' WHERE id = $1`, ada.ID); err != nil {
			t.Fatal(err)
		}
		app.Call(nil, "POST", "/auth/register", `{"email":"new@example.com","password":"a phrase only you know","name":"New"}`).Want(t, 202)
		before := len(app.Mail("new@example.com"))
		for _, email := range []string{ada.Email, "nobody@example.com", "new@example.com"} {
			askByMail(t, app, email)
		}
		if n := len(app.Mail(ada.Email)) + len(app.Mail("nobody@example.com")) + len(app.Mail("new@example.com")) - before; n != 0 {
			t.Errorf("%d letters", n)
		}
		app.Call(nil, "POST", "/auth/magic-link", `{"email":"no address"}`).WantCode(t, 422, "accounts.email_invalid")
		app.Call(nil, "POST", "/auth/magic-link/verify", `{}`).WantCode(t, 422, "auth.one_proof")
		app.Call(nil, "POST", "/auth/magic-link/verify", `{"token":"x","code":"x"}`).WantCode(t, 422, "auth.one_proof")
	})
}

func TestAnAccountThatIsSuspendedMeanwhileIsNotSignedIn(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		flow := askByMail(t, app, ada.Email)
		link := app.MailedToken(ada.Email)
		if _, err := app.DB.Platform("test").Exec(t.Context(), `UPDATE accounts SET status = 'suspended' WHERE id = $1`, ada.ID); err != nil {
			t.Fatal(err)
		}
		byLink(app, link, flow).WantCode(t, 401, "auth.magic_link_invalid")
	})
}

// Ten guesses at codes, then they wait; and five letters an hour for one address.
func TestCodesAreNotGuessedAndLettersAreFew(t *testing.T) {
	eachLimited(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		flow := askByMail(t, app, ada.Email)
		_, code := mailedCode(t, app, ada.Email)
		wrong := "0000 0000"
		if code == wrong {
			wrong = "0000 0001"
		}
		for range 10 {
			byCode(app, ada.Email, wrong, flow).WantCode(t, 401, "auth.magic_link_invalid")
		}
		byCode(app, ada.Email, code, flow).WantCode(t, 429, "auth.too_many_attempts")
		letters := func() (n int) {
			for _, m := range app.Mail(ada.Email) {
				if strings.HasPrefix(m.Subject, "Sign in to") {
					n++
				}
			}
			return n
		}
		for range 8 {
			askByMail(t, app, ada.Email)
		}
		if n := letters(); n != 5 {
			t.Errorf("%d letters within an hour", n)
		}
		now.Advance(time.Hour)
		askByMail(t, app, ada.Email)
		if n := letters(); n != 6 {
			t.Errorf("%d letters after an hour", n)
		}
	})
}

func TestOfManyWhoFollowOneLinkAtOnceOneIsSignedIn(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		flow := askByMail(t, app, ada.Email)
		link, code := mailedCode(t, app, ada.Email)
		var in atomic.Int64
		var all, ready sync.WaitGroup
		ready.Add(1)
		for n := range 12 {
			all.Go(func() {
				ready.Wait()
				var got *tenontest.Answer
				if n%2 == 0 {
					got = byLink(app, link, flow)
				} else {
					got = byCode(app, ada.Email, code, flow)
				}
				if got.Status == 200 {
					in.Add(1)
				} else if got.Status != 401 {
					t.Errorf("%d %s", got.Status, got.Text)
				}
			})
		}
		ready.Done()
		all.Wait()
		if in.Load() != 1 {
			t.Errorf("%d were signed in", in.Load())
		}
	})
}

func TestSignInByMailCanBeOff(t *testing.T) {
	app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) { c.Sessions.MailSignIn = "off" }))
	app.User("ada")
	app.Call(nil, "POST", "/auth/magic-link", `{"email":"ada@example.com"}`).WantCode(t, 404, "auth.mail_sign_in_off")
	byLink(app, "tn_magic_x", "").WantCode(t, 404, "auth.mail_sign_in_off")
	byCode(app, "ada@example.com", "1", "").WantCode(t, 404, "auth.mail_sign_in_off")
}

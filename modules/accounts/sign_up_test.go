package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

func mode(m string, domains ...string) tenontest.Option {
	return tenontest.Configure(func(c *tenon.Config) { c.Accounts.SignUp, c.Accounts.SignUpDomains = m, domains })
}

func register(app *tenontest.App, email, rest string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":%q,"password":"a phrase only you know","name":"Grace Hopper"%s}`, email, rest))
}

// told is what an answer says, without what differs between any two.
func told(a *tenontest.Answer) string {
	return fmt.Sprint(a.Status, strings.ReplaceAll(a.Text, a.Get("request_id"), ""))
}

func administrator(t *testing.T, app *tenontest.App) *tenontest.User {
	t.Helper()
	root := app.User("root")
	err := app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
		return app.Accounts.In(tx).MakeAdministrator(t.Context(), root.Account)
	})
	if err != nil {
		t.Fatal(err)
	}
	root.Tokens = app.SignIn(root)
	return root
}

func count(t *testing.T, app *tenontest.App, table string) int {
	t.Helper()
	n, err := db.One(t.Context(), app.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestByInvitationOnlyNobodySignsUpByThemselves(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		acme := app.Org(ada, "acme")
		first := told(register(app, "ada@example.com", "").WantCode(t, 403, "accounts.sign_up_closed"))
		for _, email := range []string{"new@example.com", "no address", ""} {
			if got := told(register(app, email, "")); got != first {
				t.Errorf("%q is told\n%s\nwhere somebody with an account is told\n%s", email, got, first)
			}
		}
		register(app, "new@example.com", `,"sign_up_token":"tn_signup_x"`).WantCode(t, 422, "accounts.sign_up_token_invalid")
		if n := len(app.Mail("new@example.com")) + len(app.Mail("ada@example.com")); n != 0 || count(t, app, "accounts") != 1 {
			t.Errorf("%d letters, %d accounts", n, count(t, app, "accounts"))
		}
		// The invited come in, in this mode too.
		app.Call(ada, "POST", "/orgs/"+acme.String()+"/invitations", `{"email":"new@example.com","role":"member"}`).Want(t, 201)
		app.Call(nil, "POST", "/invitations/accept", fmt.Sprintf(`{"token":%q,"name":"New","password":"a phrase only you know"}`, app.MailedToken("new@example.com"))).Want(t, 201)
		login(app, "new@example.com", "a phrase only you know").Want(t, 200)
		for via, want := range map[string]error{accounts.ViaPassword: accounts.ErrSignUpClosed, accounts.ViaProvider: accounts.ErrSignUpClosed, accounts.ViaInvitation: nil} {
			if err := app.Accounts.MaySignUp(t.Context(), accounts.SignUp{Email: "x@example.com", Via: via}); !errors.Is(err, want) {
				t.Errorf("by %s: %v", via, err)
			}
		}
	}, mode(accounts.SignUpInvitation))
}

func TestOnlyTheDomainsThatMaySignUp(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		app.User("ada") // at example.com, which may not; their account is from before
		for _, email := range []string{"new@corp.test", "New@CORP.test", "new@münchen.example", "new@xn--mnchen-3ya.example", "other+tag@corp.test"} {
			register(app, email, "").Want(t, 202)
		}
		first := told(register(app, "ada@example.com", "").WantCode(t, 403, "accounts.sign_up_domain"))
		for _, email := range []string{"new@example.com", "new@sub.corp.test", "new@evilcorp.test", "new@corp.test.evil.test", "new@corp.test.", "new@test", "new@corp-test.test", "corp.test@evil.test", "new@соrp.test", "new@munchen.example"} {
			if got := told(register(app, email, "")); got != first && !strings.Contains(got, "accounts.email_invalid") {
				t.Errorf("%q is told\n%s\nwhere somebody with an account is told\n%s", email, got, first)
			}
		}
		if n := count(t, app, "accounts"); n != 4 { // ada, new and other at corp.test, new at münchen.example
			t.Errorf("%d accounts", n)
		}
		for via, want := range map[string]error{accounts.ViaProvider: accounts.ErrSignUpDomain, accounts.ViaInvitation: nil} {
			if err := app.Accounts.MaySignUp(t.Context(), accounts.SignUp{Email: "x@example.com", Via: via}); !errors.Is(err, want) {
				t.Errorf("by %s: %v", via, err)
			}
		}
	}, mode(accounts.SignUpDomains, "Corp.test", " münchen.example"))
}

func TestTheWaitListLetsInWhomAnAdministratorApproves(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root, ada := administrator(t, app), app.User("ada")
		first := told(register(app, "grace@example.com", "").Want(t, 202))
		for _, email := range []string{"Grace@example.com", "grace@example.com", "ada@example.com", "other@example.com"} {
			if got := told(register(app, email, "")); got != first {
				t.Errorf("%s is told\n%s\nwhere the first was told\n%s", email, got, first)
			}
		}
		app.Call(nil, "POST", "/auth/register", `{"email":"third@example.com","name":"Third"}`).Want(t, 202) // no password is asked for
		app.Call(nil, "POST", "/auth/register", `{"email":"nonsense","name":"Third"}`).WantCode(t, 422, "accounts.email_invalid")
		if first[:3] != "202" || !strings.Contains(first, `"waiting"`) || count(t, app, "accounts") != 2 {
			t.Errorf("told %s; %d accounts", first, count(t, app, "accounts"))
		}
		login(app, "grace@example.com", "a phrase only you know").WantCode(t, 401, "auth.invalid_credentials")
		if grace, owner := app.Mail("grace@example.com"), app.Mail("ada@example.com"); len(grace) != 0 || len(owner) != 1 || !strings.Contains(owner[0].Subject, "already") {
			t.Errorf("letters: %d to who waits, %d to who has an account", len(grace), len(owner))
		}

		for _, q := range []string{"GET /admin/waitlist", "POST /admin/waitlist/wait_00000000000000000000000000/approve", "DELETE /admin/waitlist/wait_00000000000000000000000000"} {
			method, path, _ := strings.Cut(q, " ")
			app.Call(ada, method, path, "").WantCode(t, 403, "auth.denied")
			app.Call(nil, method, path, "").WantCode(t, 401, "auth.required")
		}
		page := app.Call(root, "GET", "/admin/waitlist?limit=2", "").Want(t, 200)
		rest := app.Call(root, "GET", "/admin/waitlist?cursor="+page.Get("next_cursor"), "").Want(t, 200)
		list := append(page.Items(), rest.Items()...)
		if len(page.Items()) != 2 || len(list) != 3 || list[0]["email"] != "grace@example.com" || list[2]["email"] != "third@example.com" || list[0]["name"] != "Grace Hopper" || list[0]["approved_at"] != nil {
			t.Fatalf("the list: %v", list)
		}
		entry := "/admin/waitlist/" + list[0]["id"].(string)
		approved := app.Call(root, "POST", entry+"/approve", "").Want(t, 200)
		stale := app.MailedToken("grace@example.com")
		app.Call(root, "POST", entry+"/approve", "").Want(t, 200)
		token := app.MailedToken("grace@example.com")
		if approved.Get("approved_at") == "" || approved.Get("expires_at") == "" || strings.Contains(approved.Text, "tn_") || !strings.Contains(app.Mail("grace@example.com")[0].Text, "/sign-up?token="+token) {
			t.Errorf("approved: %s", approved.Text)
		}

		with := func(token string) string { return fmt.Sprintf(`,"sign_up_token":%q`, token) }
		register(app, "other@example.com", with(token)).WantCode(t, 422, "accounts.sign_up_token_invalid") // for another address
		register(app, "grace@example.com", with(stale)).WantCode(t, 422, "accounts.sign_up_token_invalid")
		register(app, "grace@example.com", with("tn_signup_"+strings.Repeat("0", 32)+"_000000")).WantCode(t, 422, "accounts.sign_up_token_invalid")
		app.Call(nil, "POST", "/auth/register", `{"email":"grace@example.com","name":"Grace","password":"12345678"`+with(token)+`}`).WantCode(t, 422, "accounts.password_common")
		app.Call(nil, "POST", "/auth/register", `{"email":"grace@example.com","name":"Grace"`+with(token)+`}`).WantCode(t, 422, "accounts.password_too_short")
		in := register(app, "grace@example.com", with(token)).Want(t, 201)
		grace := &tenontest.User{}
		grace.Tokens.AccessToken = in.Get("access_token")
		if me := app.Call(grace, "GET", "/users/me", "").Want(t, 200); me.Body["email_verified"] != true || me.Get("email") != "grace@example.com" {
			t.Errorf("me: %s", me.Text)
		}
		register(app, "grace@example.com", with(token)).WantCode(t, 422, "accounts.sign_up_token_invalid") // once

		// Who is declined loses the link that they had.
		other := "/admin/waitlist/" + list[1]["id"].(string)
		app.Call(root, "POST", other+"/approve", "").Want(t, 200)
		app.Call(root, "DELETE", other, "").Want(t, 204)
		register(app, "other@example.com", with(app.MailedToken("other@example.com"))).WantCode(t, 422, "accounts.sign_up_token_invalid")
		app.Call(root, "DELETE", other, "").Want(t, 404)
		app.Call(root, "POST", other+"/approve", "").Want(t, 404)
		if left := app.Call(root, "GET", "/admin/waitlist", "").Items(); len(left) != 1 || left[0]["email"] != "third@example.com" {
			t.Errorf("left: %v", left)
		}
		kinds, err := db.All(t.Context(), app.DB.Platform("test"), db.Scalar[string], `SELECT type FROM events WHERE type LIKE 'accounts.sign_up%' ORDER BY id`)
		if want := "[accounts.sign_up_approved accounts.sign_up_approved accounts.sign_up_approved accounts.sign_up_declined]"; err != nil || fmt.Sprint(kinds) != want {
			t.Errorf("events %v, %v", kinds, err)
		}
	}, mode(accounts.SignUpWaitlist))
}

func TestWhoComesByAProviderWaitsToo(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root := administrator(t, app)
		by := accounts.SignUp{Email: "grace@example.com", Via: accounts.ViaProvider}
		may := func(want error) {
			t.Helper()
			if err := app.Accounts.MaySignUp(t.Context(), by); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		may(accounts.ErrSignUpWait)
		register(app, by.Email, "").Want(t, 202)
		may(accounts.ErrSignUpWait)
		entry := app.Call(root, "GET", "/admin/waitlist", "").Items()[0]["id"].(string)
		app.Call(root, "POST", "/admin/waitlist/"+entry+"/approve", "").Want(t, 200)
		may(nil)
		p, err := app.Accounts.PrepareWithoutPassword(t.Context(), accounts.NewAccount{Email: by.Email, Name: "Grace", Password: "is ignored here"})
		if err != nil {
			t.Fatal(err)
		}
		if err := app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
			_, err := app.Accounts.In(tx).CreateVerified(t.Context(), p)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if n := count(t, app, "account_waitlist"); n != 0 {
			t.Errorf("%d still wait", n)
		}
		for _, password := range []string{"", "is ignored here"} {
			if got := login(app, by.Email, password); got.Status == 200 {
				t.Errorf("%q opens an account without a password", password)
			}
		}
		register(app, by.Email, fmt.Sprintf(`,"sign_up_token":%q`, app.MailedToken(by.Email))).WantCode(t, 422, "accounts.sign_up_token_invalid")
		// A password may be had later, by the mail.
		reset(app, resetToken(t, app, &tenontest.User{Account: accounts.Account{Email: by.Email}}), "a phrase only you know").Want(t, 204)
		login(app, by.Email, "a phrase only you know").Want(t, 200)
	}, mode(accounts.SignUpWaitlist))
}

func TestALinkToSignUpEnds(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(time.Now())
			app := tenontest.Start(t, dialect, mode(accounts.SignUpWaitlist), tenontest.Configure(func(c *tenon.Config) { c.Now = now.Now }))
			root := administrator(t, app)
			register(app, "grace@example.com", "").Want(t, 202)
			entry := "/admin/waitlist/" + app.Call(root, "GET", "/admin/waitlist", "").Items()[0]["id"].(string) + "/approve"
			app.Call(root, "POST", entry, "").Want(t, 200)
			token := app.MailedToken("grace@example.com")
			now.Advance(7*24*time.Hour + time.Second)
			register(app, "grace@example.com", fmt.Sprintf(`,"sign_up_token":%q`, token)).WantCode(t, 422, "accounts.sign_up_token_invalid")
			if err := app.Accounts.MaySignUp(t.Context(), accounts.SignUp{Email: "grace@example.com", Via: accounts.ViaProvider}); !errors.Is(err, accounts.ErrSignUpWait) {
				t.Errorf("by a provider: %v", err)
			}
			root.Tokens = app.SignIn(root)
			app.Call(root, "POST", entry, "").Want(t, 200)
			register(app, "grace@example.com", fmt.Sprintf(`,"sign_up_token":%q`, app.MailedToken("grace@example.com"))).Want(t, 201)
		})
	}
}

func TestOfManySignUpsWithOneLinkOneWins(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root := administrator(t, app)
		register(app, "grace@example.com", "").Want(t, 202)
		app.Call(root, "POST", "/admin/waitlist/"+app.Call(root, "GET", "/admin/waitlist", "").Items()[0]["id"].(string)+"/approve", "").Want(t, 200)
		token := app.MailedToken("grace@example.com")
		var ready, all sync.WaitGroup
		statuses := make([]int, 6)
		ready.Add(len(statuses))
		for n := range statuses {
			all.Go(func() {
				ready.Done()
				ready.Wait()
				statuses[n] = app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":"grace@example.com","name":"Grace","password":%q,"sign_up_token":%q}`, phrase(n), token)).Status
			})
		}
		all.Wait()
		won, open := 0, 0
		for n, status := range statuses {
			if status == 201 {
				won++
			} else if status != 422 {
				t.Errorf("status %d", status)
			}
			if login(app, "grace@example.com", phrase(n)).Status == 200 {
				open++
			}
		}
		if won != 1 || open != 1 {
			t.Errorf("answers %v; %d passwords work", statuses, open)
		}
	}, mode(accounts.SignUpWaitlist))
}

// hook is a BeforeSignUp that knows one captcha and remembers whom it was asked about.
type hook struct {
	mu    sync.Mutex
	asked []accounts.SignUp
}

func (h *hook) ask(_ context.Context, s accounts.SignUp) error {
	h.mu.Lock()
	h.asked = append(h.asked, s)
	h.mu.Unlock()
	switch {
	case s.Captcha == "broken":
		return errors.New("the service of captchas is down")
	case s.Via == accounts.ViaPassword && s.Captcha != "solved":
		return accounts.ErrSignUpRefused
	}
	return nil
}

func TestTheHookMayRefuseAndNeverWidens(t *testing.T) {
	for _, m := range []string{accounts.SignUpOpen, accounts.SignUpWaitlist, accounts.SignUpDomains, accounts.SignUpInvitation} {
		t.Run(m, func(t *testing.T) {
			t.Parallel()
			h := &hook{}
			app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) {
				c.Accounts.SignUp, c.Accounts.BeforeSignUp = m, h.ask
				if m == accounts.SignUpDomains {
					c.Accounts.SignUpDomains = []string{"corp.test"}
				}
			}))
			ada := app.User("ada")
			if m == accounts.SignUpInvitation {
				register(app, "new@corp.test", `,"captcha_token":"solved"`).WantCode(t, 403, "accounts.sign_up_closed")
				if len(h.asked) != 0 {
					t.Errorf("asked about %v, who may not anyway", h.asked)
				}
			} else {
				refused := told(register(app, "new@corp.test", "").WantCode(t, 403, "accounts.sign_up_refused"))
				if m == accounts.SignUpOpen { // the same for whoever has an account
					if got := told(register(app, "ada@example.com", "")); got != refused {
						t.Errorf("told %s\nand %s", refused, got)
					}
				}
				register(app, "new@corp.test", `,"captcha_token":"wrong"`).WantCode(t, 403, "accounts.sign_up_refused")
				if got := register(app, "new@corp.test", `,"captcha_token":"broken"`); got.Status != 500 || strings.Contains(got.Text, "captchas") {
					t.Errorf("a hook that fails: %s", got.Text)
				}
				if n := count(t, app, "accounts") + count(t, app, "account_waitlist"); n != 1 || len(app.Mail("new@corp.test")) != 0 {
					t.Errorf("%d people, %d letters", n, len(app.Mail("new@corp.test")))
				}
				register(app, "New@corp.test", `,"captcha_token":"solved"`).Want(t, 202)
				last := h.asked[len(h.asked)-1]
				if last.Email != "new@corp.test" || last.Name != "Grace Hopper" || last.Via != accounts.ViaPassword || last.Captcha != "solved" || !last.Address.IsValid() {
					t.Errorf("asked about %+v", last)
				}
			}
			// Invitations are asked about too.
			acme := app.Org(ada, "acme")
			app.Call(ada, "POST", "/orgs/"+acme.String()+"/invitations", `{"email":"guest@example.com","role":"member"}`).Want(t, 201)
			app.Call(nil, "POST", "/invitations/accept", fmt.Sprintf(`{"token":%q,"name":"Guest","password":"a phrase only you know"}`, app.MailedToken("guest@example.com"))).Want(t, 201)
			if last := h.asked[len(h.asked)-1]; last.Email != "guest@example.com" || last.Via != accounts.ViaInvitation {
				t.Errorf("asked about %+v", last)
			}
		})
	}
}

func TestACaptchaIsNotSolvedForAPasswordThatIsRefused(t *testing.T) {
	h := &hook{}
	app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) { c.Accounts.BeforeSignUp = h.ask }))
	app.Call(nil, "POST", "/auth/register", `{"email":"new@corp.test","password":"12345678","name":"New","captcha_token":"solved"}`).WantCode(t, 422, "accounts.password_common")
	app.Call(nil, "POST", "/auth/register", `{"email":"new@corp.test","password":"a phrase only you know","name":" ","captcha_token":"solved"}`).WantCode(t, 422, "accounts.name_invalid")
	if len(h.asked) != 0 {
		t.Errorf("asked about %v", h.asked)
	}
}

func TestTheFirstAdministratorIsMadeInEachOfTheModes(t *testing.T) {
	for _, m := range []string{accounts.SignUpInvitation, accounts.SignUpWaitlist} {
		app := tenontest.Start(t, db.SQLite, mode(m))
		link, err := app.Accounts.SetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, token, _ := strings.Cut(link, "token=")
		app.Call(nil, "POST", "/setup", fmt.Sprintf(`{"token":%q,"email":"root@example.com","password":"a phrase only root knows","name":"Root"}`, token)).Want(t, 201)
	}
}

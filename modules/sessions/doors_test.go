package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

// eachLimited is eachAt with limits on, as in production.
func eachLimited(t *testing.T, fn func(t *testing.T, app *tenontest.App, now *clock.Manual)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(time.Now())
			fn(t, tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now, c.RateLimit = now.Now, "" })), now)
		})
	}
}

// signIn asks from an address, with a browser's cookies, and returns the cookies it has afterwards.
func signIn(app *tenontest.App, u *tenontest.User, password, address, cookies string) (*tenontest.Answer, string) {
	q := app.Request("POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q,"cookie":true}`, u.Email, password))
	q.RemoteAddr = address + ":4711"
	q.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	if cookies != "" {
		q.Header.Set("Cookie", cookies)
	}
	got := app.Send(q)
	var all []string
	for _, c := range got.Header.Values("Set-Cookie") {
		name, _, _ := strings.Cut(c, ";")
		all = append(all, name)
	}
	return got, strings.Join(all, "; ")
}

func device(cookies string) string {
	for c := range strings.SplitSeq(cookies, "; ") {
		if strings.Contains(c, "tenon_device=") {
			return c
		}
	}
	return ""
}

// Many who guess from everywhere make newcomers wait, longer and longer but never for
// good; the browser that the owner used before notices nothing, also after a restart.
func TestGuessingFromEverywhereLocksNobodyOut(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(time.Now())
			option := tenontest.Configure(func(c *tenon.Config) { c.Now, c.RateLimit = now.Now, "" })
			url := tenontest.Database(t, dialect, option)
			app := tenontest.Node(t, url, option)
			ada := app.User("ada")
			got, cookies := signIn(app, ada, ada.Password, "203.0.113.1", "")
			got.Want(t, 200)
			known := device(cookies)
			looked := 0
			for n := range 200 {
				got, _ := signIn(app, ada, "a wrong phrase", fmt.Sprintf("198.%d.7.9", n), "")
				if got.Status == 401 {
					looked++
				} else if got.Want(t, 429).Header.Get("Retry-After") == "" {
					t.Fatal("no Retry-After")
				}
				now.Advance(time.Second)
			}
			if looked > 20 {
				t.Errorf("%d guesses were looked at within 200 seconds", looked)
			}
			again := tenontest.Node(t, url, option)
			if got, _ := signIn(again, ada, ada.Password, "203.0.113.200", ""); got.Status != 429 {
				t.Errorf("a newcomer with the right password gets %d after a restart", got.Status)
			}
			if got, _ := signIn(again, ada, ada.Password, "203.0.113.1", known); got.Status != 200 {
				t.Errorf("the known browser gets %d", got.Status)
			}
			if got, _ := signIn(again, ada, "a wrong phrase", "203.0.113.1", known); got.Status != 401 {
				t.Errorf("the known browser with a wrong password gets %d", got.Status)
			}
			now.Advance(15*time.Minute + time.Second)
			if got, _ := signIn(again, ada, ada.Password, "203.0.113.200", ""); got.Status != 200 {
				t.Errorf("after the longest wait a newcomer gets %d", got.Status)
			}
			letters := 0
			for _, m := range again.Mail(ada.Email) {
				if strings.Contains(m.Subject, "trying to sign in") {
					letters++
				}
			}
			if letters != 1 {
				t.Errorf("the owner got %d letters about the guesses", letters)
			}
		})
	}
}

// A browser that is known to one account is nobody to another.
func TestAKnownBrowserIsKnownToItsOwnAccountAlone(t *testing.T) {
	eachLimited(t, func(t *testing.T, app *tenontest.App, _ *clock.Manual) {
		ada, eve := app.User("ada"), app.User("eve")
		_, cookies := signIn(app, eve, eve.Password, "203.0.113.5", "")
		for range 12 {
			signIn(app, ada, "a wrong phrase", "203.0.113.5", device(cookies))
		}
		if got, _ := signIn(app, ada, "a wrong phrase", "203.0.113.5", device(cookies)); got.Status != 429 {
			t.Errorf("with a device of her own the attacker gets %d", got.Status)
		}
	})
}

// Of many guesses at once no more are looked at than one after the other.
func TestGuessesAtOnceAreCountedOneByOne(t *testing.T) {
	eachLimited(t, func(t *testing.T, app *tenontest.App, _ *clock.Manual) {
		ada := app.User("ada")
		key := sessions.Factor(ada.Account)
		var looked, refused atomic.Int64
		var all, ready sync.WaitGroup
		ready.Add(1)
		for range 40 {
			all.Go(func() {
				ready.Wait()
				_, err := app.Sessions.Guess(t.Context(), key, ada.Account, func() (bool, error) { looked.Add(1); return false, nil })
				if errors.Is(err, sessions.ErrTooMany) {
					refused.Add(1)
				}
			})
		}
		ready.Done()
		all.Wait()
		if looked.Load() != 10 || refused.Load() != 30 {
			t.Errorf("%d were looked at, %d refused", looked.Load(), refused.Load())
		}
	})
}

// A guess that could not be looked at was none, and the right one forgets the wrong ones.
func TestOnlyWrongGuessesCount(t *testing.T) {
	eachLimited(t, func(t *testing.T, app *tenontest.App, _ *clock.Manual) {
		ada := app.User("ada")
		key := sessions.Factor(ada.Account)
		guess := func(ok bool, err error) error {
			_, got := app.Sessions.Guess(t.Context(), key, ada.Account, func() (bool, error) { return ok, err })
			return got
		}
		broken := errors.New("the disk is full")
		for range 30 {
			if err := guess(false, broken); !errors.Is(err, broken) {
				t.Fatal(err)
			}
		}
		for range 3 {
			for range 9 {
				if err := guess(false, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := guess(true, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The owner hears of a device that nobody knew, and can throw it out by the letter's
// link; looking at the link changes nothing, and it works once.
func TestTheOwnerHearsOfANewDevice(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, _ *clock.Manual) {
		ada := app.User("ada")
		_, cookies := signIn(app, ada, ada.Password, "203.0.113.1", "")
		app.Mail(ada.Email)
		told := func() int {
			n := 0
			for _, m := range app.Mail(ada.Email) {
				if m.Subject == "A new device signed in" {
					n++
				}
			}
			return n
		}
		before := told()
		signIn(app, ada, ada.Password, "198.51.100.77", device(cookies)) // her laptop on a journey
		signIn(app, ada, ada.Password, "203.0.113.9", "")                // her browser without cookies, same network
		if told() != before {
			t.Error("she hears of devices that are known")
		}
		_, stolen := signIn(app, ada, ada.Password, "192.0.2.66", "")
		if told() != before+1 {
			t.Fatal("she does not hear of the stranger's device")
		}
		letter := app.Mail(ada.Email)[0]
		if !strings.Contains(letter.Text, "192.0.2.66") || !strings.Contains(letter.Text, "Firefox") {
			t.Errorf("the letter does not say what signed in from where:\n%s", letter.Text)
		}
		token := app.MailedToken(ada.Email)
		app.Call(nil, "GET", "/auth/not-me?token="+token, "").Want(t, 405)
		app.Call(nil, "POST", "/auth/not-me", `{"token":"`+token+`"}`).Want(t, 204)
		q := app.Request("GET", "/users/me", "")
		q.Header.Set("Cookie", stolen)
		app.Send(q).Want(t, 401)
		app.Call(ada, "GET", "/users/me", "").Want(t, 401)
		app.Call(nil, "POST", "/auth/not-me", `{"token":"`+token+`"}`).WantCode(t, 422, "accounts.token_invalid")
		if reset := app.MailedToken(ada.Email); !strings.HasPrefix(reset, "tn_reset_") {
			t.Errorf("no link for a new password came, but %.12s…", reset)
		}
	})
}

// Sessions beyond the cap end, the oldest first.
func TestSessionsHaveACap(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(time.Now())
			app := tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now, c.Sessions.Most = now.Now, 5 }))
			ada := app.User("ada")
			tokens := []string{ada.Tokens.AccessToken}
			for range 7 {
				now.Advance(time.Second)
				tokens = append(tokens, app.SignIn(ada).AccessToken)
			}
			for i, token := range tokens {
				want := 200
				if i < 3 {
					want = 401
				}
				if got := bearer(app, token); got != want {
					t.Errorf("session %d of 8 gets %d, want %d", i+1, got, want)
				}
			}
		})
	}
}

// Half a sign-in opens nothing but the other half, once, for a while.
func TestAChallengeOpensNothingButTheSecondHalf(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		enroll(t, app, ada)
		login := func() string {
			got := app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, ada.Email, ada.Password)).Want(t, 200)
			if got.Get("status") != "second_factor_required" || got.Get("access_token") != "" || got.Body["expires_in"] != 300.0 {
				t.Fatalf("login answers %s", got.Text)
			}
			return got.Get("challenge_token")
		}
		token := login()
		for _, path := range []string{"/users/me", "/sessions", "/orgs"} {
			q := app.Request("GET", path, "")
			q.Header.Set("Authorization", "Bearer "+token)
			app.Send(q).Want(t, 401)
			q = app.Request("GET", path, "")
			q.AddCookie(&http.Cookie{Name: "tenon_session", Value: token})
			app.Send(q).Want(t, 401)
		}
		complete := func(token string) (out sessions.Opened, err error) {
			err = app.DB.Account(ada.ID).Tx(t.Context(), func(tx *db.Tx) error {
				out, err = app.Sessions.In(tx).Complete(t.Context(), ada.Account, token, "totp", false)
				return err
			})
			return out, err
		}
		var won atomic.Int64
		var all, ready sync.WaitGroup
		ready.Add(1)
		for range 20 {
			all.Go(func() {
				ready.Wait()
				if out, err := complete(token); err == nil && out.Tokens != nil {
					won.Add(1)
				}
			})
		}
		ready.Done()
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 20 completed one challenge", won.Load())
		}
		late := login()
		now.Advance(5*time.Minute + time.Second)
		if _, err := complete(late); !errors.Is(err, sessions.ErrChallenge) {
			t.Errorf("after five minutes: %v", err)
		}
		if _, err := app.Sessions.Challenged(t.Context(), late); !errors.Is(err, sessions.ErrChallenge) {
			t.Errorf("after five minutes: %v", err)
		}
	})
}

// An operator's policy may refuse a session, whatever proof was given.
func TestAPolicyMayRefuseSessions(t *testing.T) {
	refusal := accounts.ErrUnverified
	option := tenontest.Configure(func(c *tenon.Config) {
		c.Sessions.BeforeSession = func(_ context.Context, a accounts.Account, p sessions.Proof) error {
			if strings.HasPrefix(a.Email, "mallory") && p.Method == "password" {
				return refusal
			}
			return nil
		}
	})
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, ada.Email, ada.Password)).Want(t, 200)
		p, err := app.Accounts.Prepare(t.Context(), accounts.NewAccount{Email: "mallory@example.com", Name: "Mallory", Password: "correct horse of mallory"})
		if err != nil {
			t.Fatal(err)
		}
		err = app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
			_, err := app.Accounts.In(tx).CreateVerified(t.Context(), p)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		app.Call(nil, "POST", "/auth/login", `{"email":"mallory@example.com","password":"correct horse of mallory"}`).Want(t, 403)
	}, option)
}

// enroll gives an account a second factor.
func enroll(t *testing.T, app *tenontest.App, u *tenontest.User) {
	t.Helper()
	err := app.DB.Account(u.ID).Tx(t.Context(), func(tx *db.Tx) error {
		return app.Accounts.In(tx).SetSecondFactor(t.Context(), u.ID, accounts.TOTP, true)
	})
	if err != nil {
		t.Fatal(err)
	}
}

package passkeys_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/passkeys"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/tenontest"
)

// begun is what a browser is given.
type begun struct {
	Options           json.RawMessage `json:"options"`
	RegistrationToken string          `json:"registration_token"`
	ChallengeToken    string          `json:"challenge_token"`
}

func begin(t *testing.T, app *tenontest.App, u *tenontest.User, path, body string) (b begun) {
	t.Helper()
	got := app.Call(u, "POST", path, body).Want(t, 200)
	if err := json.Unmarshal([]byte(got.Text), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func add(app *tenontest.App, u *tenontest.User, token, credential string) *tenontest.Answer {
	return app.Call(u, "POST", "/passkeys", fmt.Sprintf(`{"registration_token":%q,"credential":%s}`, token, credential))
}

func signIn(app *tenontest.App, token, credential string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/passkey", fmt.Sprintf(`{"challenge_token":%q,"credential":%s}`, token, credential))
}

// enter signs in with what k holds.
func enter(t *testing.T, app *tenontest.App, k *tenontest.Authenticator) *tenontest.Answer {
	t.Helper()
	b := begin(t, app, nil, "/auth/passkey/options", `{}`)
	return signIn(app, b.ChallengeToken, k.Get(b.Options))
}

// eachAt is tenontest.Each with a clock that moves only when told to.
func eachAt(t *testing.T, fn func(t *testing.T, app *tenontest.App, now *clock.Manual)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(time.Now())
			fn(t, tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now = now.Now })), now)
		})
	}
}

func reload(t *testing.T, app *tenontest.App, u *tenontest.User) accounts.Account {
	t.Helper()
	a, err := app.Accounts.Get(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func events(t *testing.T, app *tenontest.App, u *tenontest.User) (types []string) {
	t.Helper()
	app.Settle()
	for _, e := range app.Call(u, "GET", "/users/me/events?limit=100", "").Want(t, 200).Items() {
		types = append(types, e["type"].(string))
	}
	return types
}

func told(t *testing.T, app *tenontest.App, u *tenontest.User, what string) {
	t.Helper()
	if !slices.ContainsFunc(app.Mail(u.Email), func(m mail.BoxMessage) bool { return strings.Contains(m.Subject, what) }) {
		t.Errorf("the owner was not told of %q", what)
	}
}

func TestAPasskeyIsAddedUsedRenamedAndRemoved(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		other := app.SignIn(ada)
		k := app.Authenticator()
		b := begin(t, app, ada, "/passkeys/registration", `{"name":"  My phone "}`)
		for _, want := range []string{`"id":"` + k.Domain + `"`, `"residentKey":"preferred"`, `"userVerification":"preferred"`, `"attestation":"none"`, `"name":"ada@example.com"`} {
			if !strings.Contains(string(b.Options), want) {
				t.Errorf("the options lack %s: %s", want, b.Options)
			}
		}
		if strings.Contains(string(b.Options), ada.ID.String()) {
			t.Errorf("the options tell the account's id: %s", b.Options)
		}
		made := add(app, ada, b.RegistrationToken, k.Create(b.Options)).Want(t, 201)
		if made.Get("name") != "My phone" || made.Body["last_used_at"] != nil || made.Body["backed_up"] != false {
			t.Errorf("made %s", made.Text)
		}
		if a := reload(t, app, ada); !slices.Equal(a.SecondFactors, []string{"passkey"}) {
			t.Errorf("second factors: %v", a.SecondFactors)
		}
		if err := func() error { _, err := app.Sessions.Refresh(t.Context(), other.RefreshToken); return err }(); err == nil {
			t.Error("another session stayed")
		}
		told(t, app, ada, "passkey was added")

		got := enter(t, app, k).Want(t, 200)
		if got.Get("access_token") == "" {
			t.Fatalf("signed in with %s", got.Text)
		}
		list := app.Call(ada, "GET", "/passkeys", "").Want(t, 200).Items()
		if len(list) != 1 || list[0]["last_used_at"] == nil {
			t.Errorf("the list: %v", list)
		}
		path := "/passkeys/" + made.Get("id")
		app.Call(ada, "PATCH", path, `{"name":" "}`).WantCode(t, 422, "passkeys.name_invalid")
		if got := app.Call(ada, "PATCH", path, `{"name":"Old phone"}`).Want(t, 200); got.Get("name") != "Old phone" {
			t.Errorf("renamed: %s", got.Text)
		}

		app.Call(ada, "DELETE", path, "").Want(t, 204)
		told(t, app, ada, "passkey was removed")
		if a := reload(t, app, ada); len(a.SecondFactors) != 0 {
			t.Errorf("second factors without a passkey: %v", a.SecondFactors)
		}
		enter(t, app, k).WantCode(t, 401, "passkeys.refused")
		for _, want := range []string{"passkeys.added", "passkeys.renamed", "passkeys.removed", "sessions.signed_in"} {
			if !slices.Contains(events(t, app, ada), want) {
				t.Errorf("no event %s", want)
			}
		}
	})
}

// What is known of a passkey to others opens nothing, and neither does what is not its own.
func TestWhatIsNotAnAnswerToOurChallengeByAPasskeyOfOursIsRefused(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, bob := app.User("ada"), app.User("bob")
		k, foreign := app.AddPasskey(ada), app.AddPasskey(bob)
		for name, change := range map[string]func(k *tenontest.Authenticator){
			"another origin":       func(k *tenontest.Authenticator) { k.Origin = "https://evil.test" },
			"another domain":       func(k *tenontest.Authenticator) { k.Domain = "evil.test" },
			"no handle":            func(k *tenontest.Authenticator) { k.Handle = nil },
			"another's handle":     func(k *tenontest.Authenticator) { k.Handle = foreign.Handle },
			"backed up after all":  func(k *tenontest.Authenticator) { k.BackedUp = true },
			"a count that is less": func(k *tenontest.Authenticator) { k.Uses = 0 },
		} {
			bent := *k
			change(&bent)
			if got := enter(t, app, &bent); got.Status != 401 || got.Get("code") != "passkeys.refused" {
				t.Errorf("%s: %d %s", name, got.Status, got.Text)
			}
		}
		stranger := app.Authenticator()
		stranger.Handle = k.Handle
		enter(t, app, stranger).WantCode(t, 401, "passkeys.refused")

		// An answer is good once, for its own challenge.
		b, other := begin(t, app, nil, "/auth/passkey/options", `{}`), begin(t, app, nil, "/auth/passkey/options", `{}`)
		answer := k.Get(b.Options)
		signIn(app, other.ChallengeToken, answer).WantCode(t, 401, "passkeys.refused")
		signIn(app, b.ChallengeToken, answer).Want(t, 200)
		signIn(app, b.ChallengeToken, answer).WantCode(t, 401, "passkeys.refused")
		signIn(app, b.ChallengeToken, k.Get(b.Options)).WantCode(t, 401, "passkeys.refused")

		// A challenge for something else is none for this.
		options, err := app.Passkeys.Options(t.Context(), ada.Account, passkeys.Confirm)
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{"", "x", other.ChallengeToken} {
			signIn(app, token, k.Get(options)).WantCode(t, 401, "passkeys.refused")
		}
		for _, credential := range []string{`null`, `{}`, `[]`, `1`, `"x"`, `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`} {
			signIn(app, other.ChallengeToken, credential).WantCode(t, 401, "passkeys.refused")
			add(app, ada, other.ChallengeToken, credential).WantCode(t, 422, "passkeys.invalid_credential")
		}
		enter(t, app, k).Want(t, 200)
	})
}

// By itself a passkey signs in only if it knows its owner; beside a password it need not.
func TestAPasskeyThatDoesNotKnowItsOwnerIsASecondFactorOnly(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		k := app.AddPasskey(ada)
		k.Verifies = false
		enter(t, app, k).WantCode(t, 401, "passkeys.not_verified")
		half := app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, ada.Email, ada.Password)).Want(t, 200)
		if half.Get("status") != "second_factor_required" {
			t.Fatalf("a password alone opens %s", half.Text)
		}
		b := begin(t, app, nil, "/auth/second-factor/passkey-options", `{"challenge_token":"`+half.Get("challenge_token")+`"}`)
		if !strings.Contains(string(b.Options), `"userVerification":"discouraged"`) || !strings.Contains(string(b.Options), "allowCredentials") {
			t.Errorf("the options: %s", b.Options)
		}
		if ok := verify(t, app, ada, passkeys.SecondFactor, k.Get(b.Options)); !ok {
			t.Error("it is no second factor")
		}
		app.Call(nil, "POST", "/auth/second-factor/passkey-options", `{"challenge_token":"tn_challenge_x"}`).WantCode(t, 401, "auth.challenge_expired")
	})
}

func verify(t *testing.T, app *tenontest.App, u *tenontest.User, p passkeys.Purpose, credential string) (ok bool) {
	t.Helper()
	err := app.DB.Account(u.ID).Tx(t.Context(), func(tx *db.Tx) (err error) {
		ok, err = app.Passkeys.In(tx).Verify(t.Context(), reload(t, app, u), p, []byte(credential))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestAChallengeIsForOneAccountOnePurposeOnceAndForFiveMinutes(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada, bob := app.User("ada"), app.User("bob")
		k, theirs := app.AddPasskey(ada), app.AddPasskey(bob)
		options := func(u *tenontest.User, p passkeys.Purpose) json.RawMessage {
			o, err := app.Passkeys.Options(t.Context(), u.Account, p)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		if verify(t, app, ada, passkeys.SecondFactor, k.Get(options(ada, passkeys.Confirm))) {
			t.Error("a challenge to confirm is one to sign in")
		}
		if verify(t, app, ada, passkeys.Confirm, k.Get(options(bob, passkeys.Confirm))) {
			t.Error("another's challenge was taken")
		}
		if verify(t, app, ada, passkeys.Confirm, theirs.Get(options(ada, passkeys.Confirm))) {
			t.Error("another's passkey was taken")
		}
		o := options(ada, passkeys.Confirm)
		if !verify(t, app, ada, passkeys.Confirm, k.Get(o)) || verify(t, app, ada, passkeys.Confirm, k.Get(o)) {
			t.Error("a challenge is not good once")
		}
		late, signInLate := options(ada, passkeys.Confirm), begin(t, app, nil, "/auth/passkey/options", `{}`)
		register := begin(t, app, ada, "/passkeys/registration", `{"name":"late"}`)
		now.Advance(5 * time.Minute)
		if verify(t, app, ada, passkeys.Confirm, k.Get(late)) {
			t.Error("an old challenge was taken")
		}
		signIn(app, signInLate.ChallengeToken, k.Get(signInLate.Options)).WantCode(t, 401, "passkeys.refused")
		add(app, ada, register.RegistrationToken, app.Authenticator().Create(register.Options)).WantCode(t, 422, "passkeys.registration_expired")
	})
}

// Of many who answer one challenge at once, one is let in.
func TestOneAnswerOpensOneSession(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		k := app.AddPasskey(ada)
		k.Uses = 0 // it does not count: only the challenge tells
		b, err := app.Passkeys.BeginSignIn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := app.DB.Platform("test").Exec(t.Context(), `UPDATE passkeys SET sign_count = 0`)
		if err != nil || raw != 1 {
			t.Fatal(raw, err)
		}
		answer := []byte(k.Get(b.Options))
		var in atomic.Int64
		var all, ready sync.WaitGroup
		ready.Add(1)
		for range 12 {
			all.Go(func() {
				ready.Wait()
				_, err := app.Passkeys.SignIn(context.WithoutCancel(t.Context()), b.Token, answer, false)
				if err == nil {
					in.Add(1)
				} else if !errors.Is(err, passkeys.ErrRefused) {
					t.Error(err)
				}
			})
		}
		ready.Done()
		all.Wait()
		if in.Load() != 1 {
			t.Errorf("%d were let in", in.Load())
		}
	})
}

// Two copies of a passkey count on their own: the one that is behind is noticed.
func TestACopyIsNoticedAndTheOwnerIsTold(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		k := app.AddPasskey(ada)
		clone := *k
		enter(t, app, k).Want(t, 200)
		enter(t, app, k).Want(t, 200)
		enter(t, app, &clone).WantCode(t, 401, "passkeys.refused")
		told(t, app, ada, "copy of your passkey")
		o, err := app.Passkeys.Options(t.Context(), ada.Account, passkeys.SecondFactor)
		if err != nil {
			t.Fatal(err)
		}
		if clone.Uses = 1; verify(t, app, ada, passkeys.SecondFactor, clone.Get(o)) {
			t.Error("a copy is a second factor")
		}
		if list := events(t, app, ada); len(slices.DeleteFunc(list, func(e string) bool { return e != "passkeys.clone_suspected" })) != 2 {
			t.Errorf("the events: %v", events(t, app, ada))
		}
		enter(t, app, k).Want(t, 200)
	})
}

func TestARegistrationIsItsOwnersOnceAndOfNobodyElsesPasskey(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, bob := app.User("ada"), app.User("bob")
		k := app.AddPasskey(ada)
		b := begin(t, app, bob, "/passkeys/registration", `{"name":"x"}`)
		add(app, ada, b.RegistrationToken, app.Authenticator().Create(b.Options)).WantCode(t, 422, "passkeys.registration_expired")
		bent := app.Authenticator()
		bent.Origin = "https://evil.test"
		add(app, bob, b.RegistrationToken, bent.Create(b.Options)).WantCode(t, 422, "passkeys.invalid_credential")
		add(app, bob, b.RegistrationToken, k.Create(b.Options)).WantCode(t, 409, "passkeys.already_added")
		add(app, bob, b.RegistrationToken, app.Authenticator().Create(b.Options)).Want(t, 201)
		add(app, bob, b.RegistrationToken, app.Authenticator().Create(b.Options)).WantCode(t, 422, "passkeys.registration_expired")
		again := begin(t, app, ada, "/passkeys/registration", `{"name":"x"}`)
		if !strings.Contains(string(again.Options), `"excludeCredentials":[{`) {
			t.Errorf("the same authenticator may be added twice: %s", again.Options)
		}
		add(app, ada, "nonsense", app.Authenticator().Create(again.Options)).WantCode(t, 422, "passkeys.registration_expired")
	})
}

func TestAnAccountHasTwentyPasskeysAtMost(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		spare := begin(t, app, ada, "/passkeys/registration", `{"name":"x"}`)
		for range 20 {
			app.AddPasskey(ada)
		}
		add(app, ada, spare.RegistrationToken, app.Authenticator().Create(spare.Options)).WantCode(t, 409, "passkeys.too_many")
		app.Call(ada, "POST", "/passkeys/registration", `{"name":"x"}`).WantCode(t, 409, "passkeys.too_many")
		if got := app.Call(ada, "GET", "/passkeys?limit=15", "").Want(t, 200); len(got.Items()) != 15 || got.Get("next_cursor") == "" {
			t.Errorf("a page: %s", got.Text)
		}
	})
}

// Whoever removes the last two at once leaves no second factor that is none.
func TestRemovingTheLastOnesAtOnceLeavesNoSecondFactor(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		for range 5 {
			ada := app.User(fmt.Sprintf("ada%d", time.Now().UnixNano()))
			keys := []*tenontest.Authenticator{app.AddPasskey(ada), app.AddPasskey(ada)}
			var all, ready sync.WaitGroup
			ready.Add(1)
			for _, k := range keys {
				all.Go(func() {
					ready.Wait()
					if _, err := app.Passkeys.Remove(app.As(ada), k.Passkey.ID); err != nil {
						t.Error(err)
					}
				})
			}
			ready.Done()
			all.Wait()
			if a := reload(t, app, ada); len(a.SecondFactors) != 0 {
				t.Fatalf("second factors without a passkey: %v", a.SecondFactors)
			}
		}
	})
}

func TestNobodySignsInToAnAccountThatIsNotActive(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		k := app.AddPasskey(ada)
		if _, err := app.DB.Platform("test").Exec(t.Context(), `UPDATE accounts SET status = 'suspended' WHERE id = $1`, ada.ID); err != nil {
			t.Fatal(err)
		}
		enter(t, app, k).WantCode(t, 401, "passkeys.refused")
	})
}

func TestABrowserGetsACookie(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		k := app.AddPasskey(ada)
		b := begin(t, app, nil, "/auth/passkey/options", `{}`)
		got := app.Call(nil, "POST", "/auth/passkey", fmt.Sprintf(`{"challenge_token":%q,"credential":%s,"cookie":true}`, b.ChallengeToken, k.Get(b.Options))).Want(t, 200)
		if got.Body["account"] == nil || got.Get("access_token") != "" || !strings.Contains(got.Header.Get("Set-Cookie"), "tenon_session=tn_ses_") {
			t.Errorf("%s %v", got.Text, got.Header)
		}
	})
}

// Which domain a passkey belongs to follows from where the product is reached.
func TestPasskeysBelongToTheDomainOfThePublicURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://App.Example.com":   `"rpId":"app.example.com"`,
		"http://localhost:8000":     `"rpId":"localhost"`,
		"http://127.0.0.1:8000":     `"rpId":"localhost"`,
		"http://[::1]:8000":         `"rpId":"localhost"`,
		"https://example.com/app/x": `"rpId":"example.com"`,
		"http://192.0.2.7:8000":     "",
	} {
		app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) { c.Web.PublicURL = url }))
		b, err := app.Passkeys.BeginSignIn(t.Context())
		if want == "" && !errors.Is(err, passkeys.ErrNoDomain) || want != "" && (err != nil || !strings.Contains(string(b.Options), want)) {
			t.Errorf("%s: %s, %v", url, b.Options, err)
		}
	}
}

// Strong proofs are not asked for more, whatever else the account has.
func TestAPasskeyThatKnowsItsOwnerIsTwoFactors(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		k := app.AddPasskey(ada)
		if err := app.DB.Account(ada.ID).Tx(t.Context(), func(tx *db.Tx) error {
			return app.Accounts.In(tx).SetSecondFactor(t.Context(), ada.ID, accounts.TOTP, true)
		}); err != nil {
			t.Fatal(err)
		}
		if got := enter(t, app, k).Want(t, 200); got.Get("access_token") == "" {
			t.Errorf("asked for more: %s", got.Text)
		}
		if half, err := app.Sessions.Begin(t.Context(), reload(t, app, ada), sessions.Proof{Method: "password"}, false); err != nil || !slices.Equal(half.Challenge.Methods, []string{"passkey", "totp", "backup_code"}) {
			t.Errorf("a password: %+v, %v", half, err)
		}
	})
}

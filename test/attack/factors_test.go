package attack

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

// halfway gives the right password and returns the challenge.
func halfway(t *testing.T, app *tenontest.App, u *tenontest.User) string {
	t.Helper()
	token := login(app, u.Email, u.Password).Want(t, 200).Get("challenge_token")
	if token == "" {
		t.Fatalf("%s is asked for no second factor", u.Email)
	}
	return token
}

func second(app *tenontest.App, challenge, method, code string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/second-factor", fmt.Sprintf(`{"challenge_token":%q,"method":%q,"code":%q}`, challenge, method, code))
}

func withCode(code string) string { return fmt.Sprintf(`{"code":%q}`, code) }

// age makes the sessions of u as if they had begun an hour ago.
func age(t *testing.T, app *tenontest.App, u *tenontest.User) {
	t.Helper()
	if _, err := app.DB.Platform("test").Exec(t.Context(), `UPDATE sessions SET authenticated_at = $2 WHERE account_id = $1`, u.ID, app.Config.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// count asks the database for a number.
func count(t *testing.T, app *tenontest.App, query string, args ...any) int {
	t.Helper()
	n, err := db.One(t.Context(), app.DB.Platform("test"), db.Scalar[int], query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestB07ACodeIsGoodOnceWhereverItIsAccepted(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		phone := app.SetUpTOTP(ada)
		step := now.Now().Unix() / 30
		everywhere := func(what, code string) {
			t.Helper()
			for surface, got := range map[string]*tenontest.Answer{
				"signing in":     second(app, halfway(t, app, ada), "totp", code),
				"verifying":      app.Call(ada, "POST", "/totp/verify", withCode(code)),
				"proving again":  app.Call(ada, "POST", "/auth/confirm", `{"method":"totp","code":"`+code+`"}`),
				"disabling":      app.Call(ada, "POST", "/totp/disable", withCode(code)),
				"typed in parts": app.Call(ada, "POST", "/totp/verify", withCode(code[:3]+" "+code[3:])),
			} {
				if got.Status != 401 || got.Get("code") != "mfa.code_invalid" {
					t.Errorf("%s, %s: %d %s", what, surface, got.Status, got.Text)
				}
			}
		}
		app.Call(ada, "POST", "/totp/enable", withCode(phone.At(step))).Want(t, 200)
		everywhere("the code that enabled it", phone.At(step))
		everywhere("the code before that", phone.At(step-1))
		second(app, halfway(t, app, ada), "totp", phone.At(step+1)).Want(t, 200) // a clock that is fast
		everywhere("a code that was used to sign in", phone.At(step+1))
		now.Advance(30 * time.Second)
		everywhere("the same when its time has come", phone.At(step+1))
		app.Call(ada, "POST", "/auth/confirm", `{"method":"totp","code":"`+phone.At(step+2)+`"}`).Want(t, 204)
		everywhere("a code that proved it again", phone.At(step+2))
		// Another device of the account does not open the past either.
		tablet := app.SetUpTOTP(ada)
		if got := app.Call(ada, "POST", "/totp/enable", withCode(tablet.At(step+2))); got.Status != 401 {
			t.Errorf("a second device with a used step: %d", got.Status)
		}
		now.Advance(time.Minute)
		app.Call(ada, "POST", "/totp/enable", withCode(tablet.At(step+3))).Want(t, 200)
		everywhere("a step that the other device used", phone.At(step+3))
		// Not even after all was switched off and on again.
		app.Call(ada, "POST", "/totp/disable", "").Want(t, 204)
		fresh := app.SetUpTOTP(ada)
		if got := app.Call(ada, "POST", "/totp/enable", withCode(fresh.At(step+3))); got.Status != 401 {
			t.Errorf("a new device with a used step: %d", got.Status)
		}
		app.Call(ada, "POST", "/totp/enable", withCode(fresh.At(step+4))).Want(t, 200)
	})
}

func TestB07OfManyWithOneCodeOneSignsIn(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		phone := app.TOTP(ada)
		for range 5 {
			now.Advance(time.Minute)
			challenges := make([]string, 20)
			for i := range challenges {
				challenges[i] = halfway(t, app, ada)
			}
			before, code := count(t, app, `SELECT count(*) FROM sessions WHERE account_id = $1`, ada.ID), phone.Code()
			got := atOnce(len(challenges), func(n int) int { return second(app, challenges[n], "totp", code).Status })
			if made := count(t, app, `SELECT count(*) FROM sessions WHERE account_id = $1`, ada.ID) - before; got[200] != 1 || got[401] != 19 || made != 1 {
				t.Fatalf("answers %v, %d sessions", got, made)
			}
		}
	})
}

func TestB09GuessesOfCodesAreCountedByAccount(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada, bob := app.User("ada"), app.User("bob")
		phone, other := app.TOTP(ada), app.TOTP(bob)
		now.Advance(time.Minute)
		challenges, wrong := make([]string, 4), "000000"
		for i := range challenges {
			challenges[i] = halfway(t, app, ada)
		}
		for step := now.Now().Unix()/30 - 1; step <= now.Now().Unix()/30+1; step++ {
			if phone.At(step) == wrong {
				t.Skip("the wrong code is right, once in 300,000 times")
			}
		}
		// Whoever knows the password begins again and again, from everywhere, at once.
		var mu sync.Mutex
		seen := map[int]int{}
		atOnce(10, func(n int) int {
			for i := range 6 {
				q := app.Request("POST", "/auth/second-factor", fmt.Sprintf(`{"challenge_token":%q,"method":"totp","code":%q}`, challenges[(n+i)%len(challenges)], wrong))
				q.RemoteAddr = fmt.Sprintf("203.0.%d.%d:4000", n, i)
				got := app.Send(q)
				mu.Lock()
				seen[got.Status]++
				mu.Unlock()
				if got.Status == 429 && (got.Get("code") != "auth.too_many_attempts" || got.Header.Get("Retry-After") == "") {
					t.Errorf("refused with %s, %v", got.Text, got.Header)
				}
			}
			return 0
		})
		if seen[401] != 10 || seen[429] != 50 {
			t.Errorf("of 60 guesses: %v", seen)
		}
		// The right code does not get in meanwhile, nor any other kind, nor at any other door.
		second(app, challenges[0], "totp", phone.Code()).WantCode(t, 429, "auth.too_many_attempts")
		second(app, halfway(t, app, ada), "backup_code", phone.BackupCodes[0]).WantCode(t, 429, "auth.too_many_attempts")
		app.Call(ada, "POST", "/totp/verify", withCode(phone.BackupCodes[0])).WantCode(t, 429, "auth.too_many_attempts")
		app.Call(ada, "POST", "/auth/confirm", `{"method":"backup_code","code":"`+phone.BackupCodes[0]+`"}`).WantCode(t, 429, "auth.too_many_attempts")
		app.Call(ada, "POST", "/totp/disable", withCode(phone.BackupCodes[0])).WantCode(t, 429, "auth.too_many_attempts")
		letters := 0
		for _, m := range app.Mail(ada.Email) {
			if strings.Contains(m.Text, "10 times in a row") {
				letters++
			}
		}
		if letters != 1 {
			t.Errorf("the owner got %d letters", letters)
		}
		second(app, halfway(t, app, bob), "totp", other.Code()).Want(t, 200) // others are not held up
		// It does not last: nobody is locked out for good.
		now.Advance(15 * time.Minute)
		second(app, halfway(t, app, ada), "totp", phone.Code()).Want(t, 200)
	}, limits)
}

func TestB10ABackupCodeIsGoodOnce(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada, bob := app.User("ada"), app.User("bob")
		codes, theirs := app.TOTP(ada).BackupCodes, app.TOTP(bob).BackupCodes
		try := func(code string) *tenontest.Answer { return second(app, halfway(t, app, ada), "backup_code", code) }
		try(codes[0]).Want(t, 200)
		for _, same := range []string{codes[0], strings.ToUpper(codes[0]), strings.ReplaceAll(codes[0], "-", ""), " " + strings.ReplaceAll(codes[0], "-", " - ")} {
			try(same).WantCode(t, 401, "mfa.code_invalid")
		}
		for i, typed := range []string{strings.ToUpper(codes[1]), strings.ReplaceAll(codes[2], "-", ""), " " + strings.ReplaceAll(codes[3], "-", "\u00a0\u2013 ") + "\n"} {
			try(typed).Want(t, 200)
			try(codes[i+1]).WantCode(t, 401, "mfa.code_invalid")
		}
		try(theirs[0]).WantCode(t, 401, "mfa.code_invalid")
		second(app, halfway(t, app, bob), "backup_code", theirs[0]).Want(t, 200)

		for _, code := range codes[4:7] {
			challenges := make([]string, 20)
			for i := range challenges {
				challenges[i] = halfway(t, app, ada)
			}
			if got := atOnce(20, func(n int) int { return second(app, challenges[n], "backup_code", code).Status }); got[200] != 1 || got[401] != 19 {
				t.Fatalf("of 20 with one code: %v", got)
			}
		}
		if left := app.Call(ada, "GET", "/totp/status", "").Want(t, 200).Body["backup_codes_remaining"]; left != 3.0 {
			t.Errorf("%v codes are left", left)
		}
		renewed := app.Call(ada, "POST", "/totp/backup-codes", "").Want(t, 200).Body["backup_codes"].([]any)
		try(codes[7]).WantCode(t, 401, "mfa.code_invalid")
		try(renewed[0].(string)).Want(t, 200)
		// The database holds none of them, with a dash or without.
		for _, c := range append(renewed, any(codes[8])) {
			for _, text := range []string{c.(string), strings.ReplaceAll(c.(string), "-", "")} {
				if n := count(t, app, `SELECT count(*) FROM mfa_backup_codes WHERE code_hash = $1`, []byte(text)); n != 0 {
					t.Errorf("%q is in the database", text)
				}
			}
		}
	})
}

func TestOfManyWhoFinishOneSignInOneDoes(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		phone := app.TOTP(ada)
		for range 3 {
			codes := app.Call(ada, "POST", "/totp/backup-codes", "").Want(t, 200).Body["backup_codes"].([]any)
			now.Advance(time.Minute)
			challenge, app1 := halfway(t, app, ada), phone.Code()
			before := count(t, app, `SELECT count(*) FROM sessions WHERE account_id = $1`, ada.ID)
			got := atOnce(20, func(n int) int {
				if n%2 == 0 {
					return second(app, challenge, "backup_code", codes[n/2].(string)).Status
				}
				return second(app, challenge, "totp", app1).Status
			})
			made := count(t, app, `SELECT count(*) FROM sessions WHERE account_id = $1`, ada.ID) - before
			used := count(t, app, `SELECT count(*) FROM mfa_backup_codes WHERE account_id = $1 AND used_at IS NOT NULL`, ada.ID)
			if got[200] != 1 || got[401] != 19 || made != 1 || used > 1 {
				t.Fatalf("answers %v, %d sessions, %d backup codes used", got, made, used)
			}
		}
	})
}

// Half a sign-in opens nothing but the other half.
func TestB11AChallengeOpensNothing(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada, bob := app.User("ada"), app.User("bob")
		phone, other := app.TOTP(ada), app.TOTP(bob)
		challenge := halfway(t, app, ada)
		for _, h := range []string{"Authorization: Bearer " + challenge, "Cookie: tenon_session=" + challenge, "Cookie: __Host-tenon_session=" + challenge} {
			app.Send(set(app.Request("GET", "/users/me", ""), h)).Want(t, 401)
			app.Send(set(app.Request("POST", "/totp/verify", withCode(phone.Code())), h)).Want(t, 401)
			now.Advance(30 * time.Second)
		}
		app.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+challenge+`"}`).Want(t, 401)
		second(app, ada.Tokens.RefreshToken, "totp", phone.Code()).Want(t, 401)
		now.Advance(time.Minute)
		second(app, challenge, "totp", other.Code()).WantCode(t, 401, "mfa.code_invalid") // of somebody else
		for _, body := range []string{`{"method":"totp","code":"000000"}`, `{"challenge_token":"` + challenge + `"}`, `{"challenge_token":"` + challenge + `","method":"password","code":"x"}`,
			`{"challenge_token":"` + challenge + `","method":"TOTP","code":"000000"}`, `{"challenge_token":["` + challenge + `"],"method":"totp","code":"000000"}`, `{"challenge_token":"` + challenge + `","method":"totp","code":123456}`} {
			app.Call(nil, "POST", "/auth/second-factor", body).Want(t, 422)
		}
		for _, body := range []string{`{"challenge_token":"` + challenge + `","method":"totp"}`, `{"challenge_token":"` + challenge + `","method":"totp","code":""}`, `{"challenge_token":"` + challenge + `","method":"backup_code","code":""}`} {
			app.Call(nil, "POST", "/auth/second-factor", body).WantCode(t, 401, "mfa.code_invalid")
		}
		// What ends sessions ends what is half begun.
		app.Call(ada, "PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":"another phrase of hers"}`, ada.Password)).Want(t, 204)
		second(app, challenge, "totp", phone.Code()).WantCode(t, 401, "auth.challenge_expired")
		// Nor does a reset by mail go around the second factor.
		app.Call(nil, "POST", "/auth/request-password-reset", `{"email":"ada@example.com"}`).Want(t, 202)
		app.Call(nil, "POST", "/auth/reset-password", `{"token":"`+app.MailedToken("ada@example.com")+`","new_password":"a third phrase of hers"}`).Want(t, 204)
		if got := login(app, ada.Email, "a third phrase of hers").Want(t, 200); got.Get("status") != "second_factor_required" || got.Get("access_token") != "" {
			t.Errorf("after a reset: %s", got.Text)
		}
		// A suspended account finishes nothing.
		ada.Password = "a third phrase of hers"
		challenge = halfway(t, app, ada)
		suspend(t, app, ada)
		second(app, challenge, "totp", phone.Code()).WantCode(t, 401, "auth.challenge_expired")
	})
}

func TestB13SensitiveChangesAskForASecondFactorAgain(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		phone := app.TOTP(ada)
		acme := app.Org(ada, "acme").String()
		changes := []struct{ method, path, body string }{
			{"POST", "/totp/disable", ""}, {"POST", "/totp/disable", withCode(phone.BackupCodes[0])}, {"POST", "/totp/backup-codes", ""},
			{"POST", "/totp/setup", `{"device_name":"mine"}`},
			{"PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":"another phrase of hers"}`, ada.Password)},
			{"POST", "/users/me/email", `{"new_email":"new@example.com"}`}, {"DELETE", "/orgs/" + acme, ""},
		}
		here, there := *ada, *ada
		there.Tokens = app.SignIn(ada)
		waiting := app.SetUpTOTP(&here) // from when the session was fresh
		now.Advance(16 * time.Minute)
		age(t, app, ada)
		here.Tokens, there.Tokens = app.SignIn(ada), app.SignIn(ada)
		age(t, app, ada)
		refused := func(u *tenontest.User, when string) {
			t.Helper()
			for _, c := range append(changes, struct{ method, path, body string }{"POST", "/totp/enable", fmt.Sprintf(`{"code":%q,"device_id":%q}`, waiting.Code(), waiting.DeviceID)}) {
				got := app.Call(u, c.method, c.path, c.body).WantCode(t, 401, "auth.fresh_required")
				if fmt.Sprint(got.Body["methods"]) != "[totp backup_code]" {
					t.Errorf("%s: %s %s names %v", when, c.method, c.path, got.Body["methods"])
				}
			}
			now.Advance(2 * time.Minute)
		}
		refused(&here, "without a proof")
		// A password is less than what the account was entered with.
		got := app.Call(&here, "POST", "/auth/confirm", fmt.Sprintf(`{"password":%q}`, ada.Password)).WantCode(t, 401, "auth.fresh_required")
		if fmt.Sprint(got.Body["methods"]) != "[totp backup_code]" {
			t.Errorf("the password: %s", got.Text)
		}
		app.Call(&here, "POST", "/auth/confirm", `{}`).WantCode(t, 401, "auth.fresh_required")
		app.Call(&here, "POST", "/auth/confirm", `{"password":"wrong"}`).WantCode(t, 401, "auth.fresh_required") // nor does it say whether it is right
		app.Call(&here, "POST", "/auth/confirm", fmt.Sprintf(`{"password":%q,"method":"totp","code":"000000"}`, ada.Password)).WantCode(t, 422, "mfa.one_proof")
		app.Call(&here, "POST", "/auth/confirm", `{"method":"passkey"}`).WantCode(t, 401, "mfa.code_invalid")
		app.Call(&here, "POST", "/auth/confirm", `{"method":"password","code":"x"}`).Want(t, 422)
		app.Call(&here, "POST", "/auth/confirm", `{"method":"totp","code":"000000"}`).WantCode(t, 401, "mfa.code_invalid")
		refused(&here, "after a weaker proof")
		// A proof is good for the session that gave it.
		app.Call(&there, "POST", "/auth/confirm", `{"method":"totp","code":"`+phone.Code()+`"}`).Want(t, 204)
		refused(&here, "after a proof of another session")
		app.Call(&there, "POST", "/totp/setup", `{"device_name":"mine"}`).Want(t, 200)
		// It is not good for long.
		app.Call(&here, "POST", "/totp/verify", withCode(phone.Code())).Want(t, 200)
		app.Call(&here, "POST", "/totp/backup-codes", "").Want(t, 200)
		now.Advance(15*time.Minute + time.Second)
		here.Tokens, there.Tokens = app.SignIn(ada), app.SignIn(ada)
		age(t, app, ada)
		refused(&here, "when the proof is old")
	})
}

// A session that was left open does not make itself strong with a factor of its own.
func TestB13AnOldSessionGivesItselfNoFactor(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		age(t, app, ada)
		phone := app.SetUpTOTP(ada)
		got := app.Call(ada, "POST", "/totp/enable", withCode(phone.Code())).WantCode(t, 401, "auth.fresh_required")
		if fmt.Sprint(got.Body["methods"]) != "[password]" {
			t.Errorf("it names %v", got.Body["methods"])
		}
		app.Call(ada, "POST", "/totp/verify", withCode(phone.Code())).WantCode(t, 401, "mfa.code_invalid") // it waits, and proves nothing
		app.Call(ada, "POST", "/auth/confirm", `{"method":"totp","code":"`+phone.Code()+`"}`).WantCode(t, 401, "mfa.code_invalid")
		app.Call(ada, "POST", "/users/me/email", `{"new_email":"mallory@example.com"}`).WantCode(t, 401, "auth.fresh_required")
		login(app, ada.Email, ada.Password).Want(t, 200)
		app.Call(ada, "POST", "/auth/confirm", fmt.Sprintf(`{"password":%q}`, ada.Password)).Want(t, 204)
		now.Advance(time.Minute)
		app.Call(ada, "POST", "/totp/enable", withCode(phone.Code())).Want(t, 200)
	})
}

func TestB14SecretsOfAppsAreNowhereToBeRead(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada, bob := app.User("ada"), app.User("bob")
		setup := app.Call(ada, "POST", "/totp/setup", `{"device_name":"Phone"}`).Want(t, 200)
		if setup.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("Cache-Control of the secret: %q", setup.Header.Get("Cache-Control"))
		}
		phone, other := app.TOTP(ada), app.TOTP(bob)
		secrets := []string{setup.Get("secret"), phone.Secret}
		secrets = append(secrets, phone.BackupCodes...)
		app.Settle()
		for _, path := range []string{"/users/me", "/users/me/events?limit=100", "/sessions", "/totp/status"} {
			got := app.Call(ada, "GET", path, "").Want(t, 200)
			for _, s := range secrets {
				if strings.Contains(got.Text, s) {
					t.Errorf("%s holds %q", path, s)
				}
			}
		}
		for _, m := range app.Mail(ada.Email) {
			for _, s := range secrets {
				if strings.Contains(m.Text, s) {
					t.Errorf("a letter holds %q", s)
				}
			}
		}
		for _, s := range secrets {
			if n := count(t, app, `SELECT count(*) FROM mfa_devices WHERE secret = $1`, []byte(s)); n != 0 {
				t.Error("a secret lies open in the database")
			}
		}
		// A sealed secret that is moved to another's row does not open there.
		c := app.DB.Platform("test")
		if _, err := c.Exec(t.Context(), `UPDATE mfa_devices SET secret = (SELECT secret FROM mfa_devices WHERE account_id = $1 AND enabled_at IS NOT NULL) WHERE account_id = $2`, ada.ID, bob.ID); err != nil {
			t.Fatal(err)
		}
		now.Advance(time.Minute)
		for _, code := range []string{phone.Code(), other.Code()} {
			second(app, halfway(t, app, bob), "totp", code).WantCode(t, 401, "mfa.code_invalid")
		}
		second(app, halfway(t, app, ada), "totp", phone.Code()).Want(t, 200)
		mu.Lock()
		defer mu.Unlock()
		if !strings.Contains(log.String(), "does not open in its row") {
			t.Error("the log says nothing of it")
		}
		for _, s := range secrets {
			if strings.Contains(log.String(), s) {
				t.Error("the log holds a secret")
			}
		}
	}, func(c *tenon.Config) {
		c.Logger = slog.New(slog.NewTextHandler(locked{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
}

// locked is a log that several apps write.
type locked struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(b)
}

func TestC01AndC03FactorsChangeWhatASessionIsKnownBy(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, app *tenontest.App, own string, x *tenontest.CodeApp) *tenontest.Answer{
		"enabling": func(t *testing.T, app *tenontest.App, own string, x *tenontest.CodeApp) *tenontest.Answer {
			return by(app, own, "POST", "/totp/enable", withCode(x.Code())).Want(t, 200)
		},
		"disabling": func(t *testing.T, app *tenontest.App, own string, x *tenontest.CodeApp) *tenontest.Answer {
			return by(app, own, "POST", "/totp/disable", "").Want(t, 204)
		},
		"verifying": func(t *testing.T, app *tenontest.App, own string, x *tenontest.CodeApp) *tenontest.Answer {
			return by(app, own, "POST", "/totp/verify", withCode(x.Code())).Want(t, 200)
		},
		"proving again": func(t *testing.T, app *tenontest.App, own string, x *tenontest.CodeApp) *tenontest.Answer {
			return by(app, own, "POST", "/auth/confirm", `{"method":"totp","code":"`+x.Code()+`"}`).Want(t, 204)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
				ada, mallory := app.User("ada"), app.User("mallory")
				planted := browser(t, app, mallory)
				var phone *tenontest.CodeApp
				signIn := func() string { return browser(t, app, ada) }
				if name == "enabling" {
					phone = app.SetUpTOTP(ada)
				} else {
					phone = app.TOTP(ada)
					codes := phone.BackupCodes
					signIn = func() string { // a browser in which a session of somebody else's was planted
						code := codes[0]
						codes = codes[1:]
						q := app.Request("POST", "/auth/second-factor", fmt.Sprintf(`{"challenge_token":%q,"method":"backup_code","code":%q,"cookie":true}`, halfway(t, app, ada), code))
						own := cookieOf(t, app.Send(set(q, "Cookie: "+planted, "Origin: "+publicURL)).Want(t, 200))
						if own == planted || as(app, planted).Want(t, 200).Get("email") != mallory.Email {
							t.Fatal("the planted session became the victim's")
						}
						return own
					}
				}
				own, other := signIn(), signIn()
				refresh := app.SignIn(ada).RefreshToken
				for _, c := range []string{own, other} {
					as(app, c).Want(t, 200)
				}
				next := cookieOf(t, change(t, app, own, phone))
				as(app, own).Want(t, 401)
				as(app, next).Want(t, 200)
				ended := name == "enabling" || name == "disabling"
				if status := as(app, other).Status; (status == 401) != ended {
					t.Errorf("another browser gets %d", status)
				}
				if status := app.Call(ada, "GET", "/users/me", "").Status; (status == 401) != ended {
					t.Errorf("a program gets %d", status)
				}
				if status := app.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+refresh+`"}`).Status; (status == 401) != ended {
					t.Errorf("a refresh token gets %d", status)
				}
				as(app, planted).Want(t, 200)
			}, tenontest.Configure(atHome))
		})
	}
}

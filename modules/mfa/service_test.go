package mfa_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/mfa"
	"github.com/tenonhq/tenon/modules/ops"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/tenontest"
)

// eachAt runs fn on both databases, with a clock that moves only when told to.
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

// halfway gives the password and returns the challenge for the second factor.
func halfway(t *testing.T, app *tenontest.App, u *tenontest.User) string {
	t.Helper()
	got := app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, u.Email, u.Password)).Want(t, 200)
	if got.Get("status") != "second_factor_required" || got.Get("access_token") != "" || got.Header.Get("Set-Cookie") != "" {
		t.Fatalf("a password alone got %s, %v", got.Text, got.Header)
	}
	return got.Get("challenge_token")
}

func finish(app *tenontest.App, challenge, method, code string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/second-factor", fmt.Sprintf(`{"challenge_token":%q,"method":%q,"code":%q}`, challenge, method, code))
}

func code(c string) string { return fmt.Sprintf(`{"code":%q}`, c) }

func eventTypes(t *testing.T, app *tenontest.App, u *tenontest.User) (types []string) {
	t.Helper()
	for _, e := range app.Call(u, "GET", "/users/me/events?limit=100", "").Want(t, 200).Items() {
		if typ := e["type"].(string); strings.HasPrefix(typ, "mfa.") {
			types = append(types, typ)
		}
	}
	slices.Sort(types)
	return types
}

func TestAnAuthenticatorAppIsASecondFactor(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		before := app.SignIn(ada)
		if got := app.Call(ada, "GET", "/totp/status", "").Want(t, 200); got.Text != `{"enabled":false,"devices":[],"backup_codes_remaining":0,"last_used_at":null}`+"\n" {
			t.Errorf("at first: %s", got.Text)
		}
		// A device that has not shown a code opens nothing, and is needed for nothing.
		setup := app.Call(ada, "POST", "/totp/setup", `{"device_name":" Phone "}`).Want(t, 200)
		if setup.Header.Get("Cache-Control") != "no-store" || !strings.Contains(setup.Get("provisioning_uri"), "secret="+setup.Get("secret")) ||
			!strings.Contains(setup.Get("provisioning_uri"), ":ada@example.com?") || !strings.HasPrefix(setup.Get("qr_code"), "data:image/svg+xml;base64,") {
			t.Errorf("set up: %s, %v", setup.Text, setup.Header)
		}
		app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, ada.Email, ada.Password)).Want(t, 200)
		if got := app.Call(ada, "GET", "/totp/status", "").Want(t, 200); got.Body["enabled"] != false {
			t.Errorf("not enabled yet: %s", got.Text)
		}
		app.Call(ada, "POST", "/totp/enable", code("000000")).WantCode(t, 401, "mfa.code_invalid")

		phone := app.TOTP(ada)
		if len(phone.BackupCodes) != 10 {
			t.Errorf("backup codes: %v", phone.BackupCodes)
		}
		app.Call(ada, "GET", "/users/me", "").Want(t, 200)
		other := *ada
		other.Tokens = before
		app.Call(&other, "GET", "/users/me", "").Want(t, 401) // the other session has ended

		got := app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, ada.Email, ada.Password)).Want(t, 200)
		if diff := cmp.Diff([]any{"totp", "backup_code"}, got.Body["methods"]); diff != "" || got.Body["expires_in"] != 300.0 {
			t.Errorf("the challenge: %s", got.Text)
		}
		challenge := got.Get("challenge_token")
		finish(app, challenge, "totp", "000000").WantCode(t, 401, "mfa.code_invalid")
		finish(app, challenge, "passkey", phone.Code()).WantCode(t, 401, "mfa.code_invalid")
		finish(app, challenge, "backup_code", phone.Code()).WantCode(t, 401, "mfa.code_invalid")
		now.Advance(time.Minute)
		opened := finish(app, challenge, "totp", phone.Code()).Want(t, 200)
		finish(app, challenge, "backup_code", phone.BackupCodes[0]).WantCode(t, 401, "auth.challenge_expired")
		ada.Tokens.AccessToken = opened.Get("access_token")
		if app.Call(ada, "GET", "/users/me", "").Want(t, 200).Get("email") != ada.Email {
			t.Error("it opened another account")
		}
		status := app.Call(ada, "GET", "/totp/status", "").Want(t, 200)
		devices := status.Body["devices"].([]any)
		if status.Body["enabled"] != true || len(devices) != 1 || status.Body["backup_codes_remaining"] != 10.0 || status.Get("last_used_at") == "" {
			t.Errorf("status: %s", status.Text)
		}
		if d := devices[0].(map[string]any); d["id"] != phone.DeviceID || d["name"] != "Phone of ada" || d["last_used_at"] != status.Get("last_used_at") || len(d) != 4 {
			t.Errorf("the device: %v", d)
		}
		expired := halfway(t, app, ada)
		now.Advance(5*time.Minute + time.Second)
		finish(app, expired, "totp", phone.Code()).WantCode(t, 401, "auth.challenge_expired")

		want := []string{"mfa.code_rejected", "mfa.code_rejected", "mfa.code_rejected", "mfa.totp_enabled"}
		if diff := cmp.Diff(want, eventTypes(t, app, ada)); diff != "" {
			t.Errorf("events (-want +logged): %s", diff)
		}
		if letter := app.Mail(ada.Email); !slices.ContainsFunc(letter, func(m mail.BoxMessage) bool {
			return strings.Contains(m.Subject, "authenticator app was added") && strings.Contains(m.Text, "Phone of ada") && !strings.Contains(m.Text, phone.Secret)
		}) {
			t.Errorf("letters: %v", letter)
		}
	})
}

func TestABrowserGetsACookieIfEitherHalfAsksForOne(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		phone := app.TOTP(ada)
		for _, c := range []struct {
			first, second string
			cookie        bool
		}{{"", "", false}, {`,"cookie":true`, "", true}, {"", `,"cookie":true`, true}} {
			now.Advance(time.Minute)
			got := app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q%s}`, ada.Email, ada.Password, c.first)).Want(t, 200)
			done := app.Call(nil, "POST", "/auth/second-factor", fmt.Sprintf(`{"challenge_token":%q,"method":"totp","code":%q%s}`, got.Get("challenge_token"), phone.Code(), c.second)).Want(t, 200)
			if has := strings.Contains(done.Header.Get("Set-Cookie"), "tenon_session="); has != c.cookie || (done.Get("access_token") == "") != c.cookie {
				t.Errorf("%+v: %s, %v", c, done.Text, done.Header["Set-Cookie"])
			}
		}
	})
}

func TestSeveralDevices(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada, bob := app.User("ada"), app.User("bob")
		phone := app.TOTP(ada)
		tablet := app.SetUpTOTP(ada)
		now.Advance(time.Minute)
		body := fmt.Sprintf(`{"code":%q,"device_id":%q}`, tablet.Code(), tablet.DeviceID)
		app.Call(bob, "POST", "/totp/enable", body).WantCode(t, 404, "mfa.device_not_found")
		if got := app.Call(ada, "POST", "/totp/enable", body).Want(t, 200); got.Text != `{"backup_codes":[]}`+"\n" {
			t.Errorf("the second device: %s", got.Text)
		}
		app.Call(ada, "POST", "/totp/enable", body).WantCode(t, 404, "mfa.device_not_found") // it waits no more
		app.Call(ada, "POST", "/totp/enable", code(tablet.Code())).WantCode(t, 409, "mfa.nothing_to_enable")
		for _, x := range []*tenontest.CodeApp{phone, tablet} {
			now.Advance(2 * time.Minute)
			finish(app, halfway(t, app, ada), "totp", x.Code()).Want(t, 200)
		}
		finish(app, halfway(t, app, ada), "backup_code", phone.BackupCodes[3]).Want(t, 200)
		now.Advance(time.Minute)
		app.Call(ada, "POST", "/totp/verify", code(tablet.Code())).Want(t, 200)

		// Nobody removes what is another's, what is not there, or all by an empty name.
		now.Advance(2 * time.Minute)
		for _, theirs := range []string{app.SetUpTOTP(bob).DeviceID, id.New[deviceKind]().String()} {
			app.Call(ada, "POST", "/totp/disable", fmt.Sprintf(`{"device_id":%q}`, theirs)).WantCode(t, 404, "mfa.device_not_found")
		}
		if got := app.Call(ada, "POST", "/totp/disable", `{"device_id":""}`); got.Status < 400 {
			t.Errorf("an empty name removed %d %s", got.Status, got.Text)
		}
		app.Call(ada, "POST", "/totp/disable", fmt.Sprintf(`{"device_id":%q,"code":"000000"}`, phone.DeviceID)).WantCode(t, 401, "mfa.code_invalid")
		app.Call(ada, "POST", "/totp/disable", fmt.Sprintf(`{"device_id":%q,"code":%q}`, phone.DeviceID, tablet.Code())).Want(t, 204)
		now.Advance(time.Minute)
		finish(app, halfway(t, app, ada), "totp", phone.Code()).WantCode(t, 401, "mfa.code_invalid")
		finish(app, halfway(t, app, ada), "totp", tablet.Code()).Want(t, 200)
		finish(app, halfway(t, app, ada), "backup_code", phone.BackupCodes[4]).Want(t, 200)

		// With the last one goes all of it, with a body or without.
		app.Call(ada, "POST", "/totp/disable", "").Want(t, 204)
		app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, ada.Email, ada.Password)).Want(t, 200)
		if got := app.Call(ada, "GET", "/totp/status", "").Want(t, 200); got.Body["enabled"] != false || got.Body["backup_codes_remaining"] != 0.0 {
			t.Errorf("afterwards: %s", got.Text)
		}
		app.Call(ada, "POST", "/totp/verify", code(phone.BackupCodes[5])).WantCode(t, 401, "mfa.code_invalid")
		app.Call(ada, "POST", "/totp/backup-codes", "").WantCode(t, 409, "mfa.not_enabled")
		app.Call(ada, "POST", "/totp/disable", "{}").Want(t, 204)
		want := []string{"mfa.backup_code_used", "mfa.backup_code_used", "mfa.code_rejected", "mfa.code_rejected", "mfa.code_rejected",
			"mfa.totp_disabled", "mfa.totp_disabled", "mfa.totp_enabled", "mfa.totp_enabled"}
		if diff := cmp.Diff(want, eventTypes(t, app, ada)); diff != "" {
			t.Errorf("events (-want +logged): %s", diff)
		}
	})
}

type deviceKind struct{}

func (deviceKind) Prefix() string { return "totp" }

func TestADeviceDoesNotWaitForever(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		app.Call(ada, "POST", "/totp/enable", code("000000")).WantCode(t, 409, "mfa.nothing_to_enable")
		late := app.SetUpTOTP(ada)
		now.Advance(time.Hour + time.Second)
		ada.Tokens = app.SignIn(ada)
		app.Call(ada, "POST", "/totp/enable", fmt.Sprintf(`{"code":%q,"device_id":%q}`, late.Code(), late.DeviceID)).WantCode(t, 404, "mfa.device_not_found")
		app.Call(ada, "POST", "/totp/enable", code(late.Code())).WantCode(t, 409, "mfa.nothing_to_enable")
		for range 10 {
			app.SetUpTOTP(ada) // the late one is forgotten
		}
		app.Call(ada, "POST", "/totp/setup", `{"device_name":"one more"}`).WantCode(t, 409, "mfa.too_many_devices")
		for _, name := range []string{"", " ", "a\nb", strings.Repeat("x", 101)} {
			app.Call(ada, "POST", "/totp/setup", fmt.Sprintf(`{"device_name":%q}`, name)).WantCode(t, 422, "mfa.name_invalid")
		}
		now.Advance(time.Hour + time.Second)
		enqueue(t, app, mfa.Sweep{})
		n, err := db.One(t.Context(), app.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM mfa_devices`)
		if err != nil || n != 0 {
			t.Errorf("%d devices are left, %v", n, err)
		}
	})
}

// A replayed request gets the answer of the first, without what is shown once.
func TestSecretsAreShownOnce(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		twice := func(path, body string, secrets ...string) *tenontest.Answer {
			t.Helper()
			var got [2]*tenontest.Answer
			for i := range got {
				q := app.Request("POST", path, body)
				q.Header.Set("Authorization", "Bearer "+ada.Tokens.AccessToken)
				q.Header.Set("Idempotency-Key", "once "+path)
				got[i] = app.Send(q).Want(t, 200)
			}
			for _, s := range secrets {
				if _, first := got[0].Body[s]; !first {
					t.Errorf("%s does not show %s", path, s)
				}
				if _, again := got[1].Body[s]; again || got[1].Header.Get("Idempotent-Replayed") != "true" {
					t.Errorf("%s shows %s twice", path, s)
				}
			}
			return got[0]
		}
		x := twice("/totp/setup", `{"device_name":"Phone"}`, "secret", "provisioning_uri", "qr_code")
		phone := app.TOTP(ada) // another, to learn what code comes next
		phone.Secret = x.Get("secret")
		now.Advance(time.Minute)
		twice("/totp/enable", code(phone.Code()), "backup_codes")
		twice("/totp/backup-codes", "", "backup_codes")
	})
}

// The codes of a program that others wrote are taken.
func TestOathtoolShowsTheSameCodes(t *testing.T) {
	path, err := exec.LookPath("oathtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("oathtool is not installed")
		}
		t.Skip("oathtool is not installed: codes are not compared with another program's")
	}
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		phone := app.SetUpTOTP(ada)
		show := func() string {
			out, err := exec.CommandContext(t.Context(), path, "--totp", "--base32", "--now", now.Now().UTC().Format("2006-01-02 15:04:05 UTC"), phone.Secret).CombinedOutput()
			if err != nil {
				t.Fatalf("oathtool: %v: %s", err, out)
			}
			return strings.TrimSpace(string(out))
		}
		app.Call(ada, "POST", "/totp/enable", code(show())).Want(t, 200)
		for range 3 {
			now.Advance(30 * time.Second)
			app.Call(ada, "POST", "/totp/verify", code(show())).Want(t, 200)
		}
	})
}

// After a change of keys the secrets are sealed anew, and codes of all kinds stay good.
func TestSecretsAreSealedAnewAfterAChangeOfKeys(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada, bob := app.User("ada"), app.User("bob")
		phone, broken := app.TOTP(ada), app.TOTP(bob)
		c := app.DB.Platform("test")
		if _, err := c.Exec(t.Context(), `UPDATE mfa_devices SET secret = (SELECT secret FROM mfa_devices WHERE account_id = $1) WHERE account_id = $2`, ada.ID, bob.ID); err != nil {
			t.Fatal(err)
		}
		sealed := func(u *tenontest.User) []byte {
			b, err := db.One(t.Context(), c, db.Scalar[[]byte], `SELECT secret FROM mfa_devices WHERE account_id = $1`, u.ID)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		first, theirs := sealed(ada), sealed(bob)
		enqueue(t, app, ops.Reseal{})
		if !bytes.Equal(sealed(ada), first) {
			t.Error("without a new key it was sealed anew")
		}
		if err := app.Ops.RotateKey(t.Context(), secret.Encryption); err != nil {
			t.Fatal(err)
		}
		now.Advance(2 * secret.Settle)
		if err := app.Keys.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		enqueue(t, app, ops.Reseal{})
		second := sealed(ada)
		if bytes.Equal(second[:4], first[:4]) {
			t.Error("it is still sealed with the old key")
		}
		enqueue(t, app, ops.Reseal{})
		if !bytes.Equal(sealed(ada), second) {
			t.Error("it was sealed a third time")
		}
		if !bytes.Equal(sealed(bob), theirs) {
			t.Error("what does not open in its row was sealed anew")
		}
		finish(app, halfway(t, app, ada), "totp", phone.Code()).Want(t, 200)
		finish(app, halfway(t, app, ada), "backup_code", phone.BackupCodes[0]).Want(t, 200)
		finish(app, halfway(t, app, bob), "backup_code", broken.BackupCodes[0]).Want(t, 200)
	})
}

func enqueue(t *testing.T, app *tenontest.App, job jobs.Args) {
	t.Helper()
	if err := app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return app.Jobs.Enqueue(t.Context(), tx, job) }); err != nil {
		t.Fatal(err)
	}
	app.Settle()
}

// Whoever acts as somebody proves nothing for them, and gives them no factor.
func TestAnAdministratorWhoActsAsSomebodyTouchesNoFactor(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, root := app.User("ada"), app.User("root")
		phone := app.SetUpTOTP(ada)
		ctx := authz.With(t.Context(), &authz.Principal{Kind: authz.ActorAccount, Account: ada.ID, Name: ada.Name, Session: ada.Tokens.SessionID, AuthenticatedAt: app.Config.Now(),
			Impersonator: &authz.Impersonator{Account: root.ID, Name: root.Name, MayWrite: true}})
		_, setup := app.MFA.Setup(ctx, "mine")
		_, enable := app.MFA.Enable(ctx, mfa.DeviceID{}, phone.Code())
		_, verify := app.MFA.Verify(ctx, phone.Code())
		_, confirm := app.MFA.Confirm(ctx, ada.Password, mfa.Given{})
		_, disable := app.MFA.Disable(ctx, mfa.DeviceID{}, "")
		_, renew := app.MFA.RenewBackupCodes(ctx)
		for what, err := range map[string]error{"setup": setup, "enable": enable, "verify": verify, "confirm": confirm, "disable": disable, "renew": renew} {
			if err != authz.ErrNotByImpersonation {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// Of many who enable their first devices at once, one gets backup codes, and they are good.
func TestFirstDevicesEnabledAtOnceMakeOneSetOfBackupCodes(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		devices := make([]*tenontest.CodeApp, 3)
		for i := range devices {
			devices[i] = app.SetUpTOTP(ada)
		}
		step := now.Now().Unix() / 30
		var mu sync.Mutex
		var ready, all sync.WaitGroup
		var codes []any
		enabled := 0
		ready.Add(len(devices))
		for i, d := range devices {
			all.Go(func() {
				ready.Done()
				ready.Wait()
				got := app.Call(ada, "POST", "/totp/enable", fmt.Sprintf(`{"code":%q,"device_id":%q}`, d.At(step-1+int64(i)), d.DeviceID))
				mu.Lock()
				defer mu.Unlock()
				if got.Status == 200 {
					enabled++
					codes = append(codes, got.Body["backup_codes"].([]any)...)
				}
			})
		}
		all.Wait()
		if enabled == 0 || len(codes) != 10 {
			t.Fatalf("%d devices were enabled, with %d backup codes", enabled, len(codes))
		}
		for _, c := range codes {
			app.Call(ada, "POST", "/totp/verify", code(c.(string))).Want(t, 200)
		}
	})
}

// A passkey is a second factor and a proof like a code, each answer of it once and for
// what it was asked for.
func TestAPasskeyIsASecondFactor(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		key := app.AddPasskey(ada)
		half := app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, ada.Email, ada.Password)).Want(t, 200)
		if diff := cmp.Diff([]any{"passkey"}, half.Body["methods"]); diff != "" {
			t.Fatal(diff)
		}
		challenge := half.Get("challenge_token")
		answer := func(body string) *tenontest.Answer {
			return app.Call(nil, "POST", "/auth/second-factor", fmt.Sprintf(`{"challenge_token":%q,"method":"passkey","credential":%s}`, challenge, body))
		}
		options := func(path string, u *tenontest.User, body string) json.RawMessage {
			var out struct{ Options json.RawMessage }
			if err := json.Unmarshal([]byte(app.Call(u, "POST", path, body).Want(t, 200).Text), &out); err != nil {
				t.Fatal(err)
			}
			return out.Options
		}
		toConfirm := key.Get(options("/passkeys/assertion", ada, ""))
		answer(toConfirm).WantCode(t, 401, "mfa.code_invalid") // it was asked for something else
		answer(`{}`).WantCode(t, 401, "mfa.code_invalid")
		signed := key.Get(options("/auth/second-factor/passkey-options", nil, fmt.Sprintf(`{"challenge_token":%q}`, challenge)))
		if answer(signed).Want(t, 200).Get("access_token") == "" {
			t.Error("it did not sign in")
		}
		answer(signed).WantCode(t, 401, "auth.challenge_expired")

		now.Advance(time.Hour)
		ada.Tokens = app.SignIn(ada)
		now.Advance(10 * time.Minute)
		proof := key.Get(options("/passkeys/assertion", ada, ""))
		confirm := func(body string) *tenontest.Answer {
			return app.Call(ada, "POST", "/auth/confirm", `{"method":"passkey","credential":`+body+`}`)
		}
		confirm(proof).Want(t, 204)
		confirm(proof).WantCode(t, 401, "mfa.code_invalid")
		app.Call(ada, "POST", "/auth/confirm", fmt.Sprintf(`{"password":%q}`, ada.Password)).WantCode(t, 401, "auth.fresh_required")
	})
}

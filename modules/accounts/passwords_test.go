package accounts_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

// phrase is a password like no other with the same number less.
func phrase(n int) string { return fmt.Sprintf("phrase %d only ada knows", n) }

func change(app *tenontest.App, u *tenontest.User, current, next string) *tenontest.Answer {
	return app.Call(u, "PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":%q}`, current, next))
}

func reset(app *tenontest.App, token, next string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/reset-password", fmt.Sprintf(`{"token":%q,"new_password":%q}`, token, next))
}

func resetToken(t *testing.T, app *tenontest.App, u *tenontest.User) string {
	t.Helper()
	app.Call(nil, "POST", "/auth/request-password-reset", fmt.Sprintf(`{"email":%q}`, u.Email)).Want(t, 202)
	return app.MailedToken(u.Email)
}

func login(app *tenontest.App, email, password string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
}

func kept(t *testing.T, app *tenontest.App, u *tenontest.User) int {
	t.Helper()
	n, err := db.One(t.Context(), app.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM account_passwords WHERE account_id = $1`, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheLastPasswordsAreNotUsedAgain(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, bob := app.User("ada"), app.User("bob")
		change(app, ada, ada.Password, ada.Password).WantCode(t, 422, "accounts.password_reused")
		current := ada.Password
		for n := 1; n <= 4; n++ {
			change(app, ada, current, phrase(n)).Want(t, 204)
			current = phrase(n)
		}
		// Five are remembered: the current one and the four before it.
		for _, old := range []string{ada.Password, phrase(1), phrase(2), phrase(3), phrase(4)} {
			got := change(app, ada, current, old).WantCode(t, 422, "accounts.password_reused")
			if !strings.Contains(got.Text, "body.new_password") {
				t.Errorf("the field is not blamed: %s", got.Text)
			}
		}
		change(app, ada, current, phrase(5)).Want(t, 204)
		if n := kept(t, app, ada); n != 4 {
			t.Errorf("%d earlier passwords are kept, want 4", n)
		}
		change(app, ada, phrase(5), ada.Password).Want(t, 204) // the oldest is forgotten
		change(app, bob, bob.Password, phrase(5)).Want(t, 204) // what others had is nobody's business
	})
}

func TestAPasswordThatIsRefusedCostsNoLink(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		change(app, ada, ada.Password, phrase(1)).Want(t, 204)
		token := resetToken(t, app, ada)
		for password, code := range map[string]string{"short": "accounts.password_too_short", "ada@example.com": "accounts.password_personal", "abcdefghijk": "accounts.password_too_weak",
			ada.Password: "accounts.password_reused", phrase(1): "accounts.password_reused"} {
			reset(app, token, password).WantCode(t, 422, code)
		}
		// Without a good token nobody learns what the passwords were, or whether this would do.
		for _, password := range []string{"short", ada.Password, phrase(1), phrase(2)} {
			reset(app, "tn_reset_"+strings.Repeat("0", 32)+"_000000", password).WantCode(t, 422, "accounts.token_invalid")
		}
		login(app, ada.Email, phrase(1)).Want(t, 200)
		reset(app, token, phrase(2)).Want(t, 204)
		login(app, ada.Email, phrase(2)).Want(t, 200)
		for _, password := range []string{ada.Password, phrase(2), phrase(3)} {
			reset(app, token, password).WantCode(t, 422, "accounts.token_invalid")
		}
		reset(app, resetToken(t, app, ada), ada.Password).WantCode(t, 422, "accounts.password_reused") // a reset remembers too
		token = resetToken(t, app, ada)
		if _, err := app.DB.Platform("test").Exec(t.Context(), `UPDATE accounts SET status = 'suspended' WHERE id = $1`, ada.ID); err != nil {
			t.Fatal(err)
		}
		reset(app, token, ada.Password).WantCode(t, 422, "accounts.token_invalid")
	})
}

func TestWithoutTheCurrentPasswordNobodyLearnsOfEarlierOnes(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		change(app, ada, ada.Password, phrase(1)).Want(t, 204)
		one, other := change(app, ada, "wrong phrase", ada.Password), change(app, ada, "wrong phrase", phrase(2))
		if one.Status == 204 || one.Status != other.Status || one.Get("code") != other.Get("code") || one.Get("code") == "accounts.password_reused" {
			t.Errorf("%s\n%s", one.Text, other.Text)
		}
	})
}

func TestTheHistoryMayBeOff(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		change(app, ada, ada.Password, phrase(1)).Want(t, 204)
		change(app, ada, phrase(1), phrase(1)).Want(t, 204)
		change(app, ada, phrase(1), ada.Password).Want(t, 204)
		if n := kept(t, app, ada); n != 0 {
			t.Errorf("%d earlier passwords are kept", n)
		}
	}, tenontest.Configure(func(c *tenon.Config) { c.Accounts.PasswordHistory = new(0) }))
}

func TestOfTwoChangesAtOnceOneWins(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		var ready, all sync.WaitGroup
		answers := make([]*tenontest.Answer, 6)
		ready.Add(len(answers))
		for n := range answers {
			all.Go(func() {
				ready.Done()
				ready.Wait()
				answers[n] = change(app, ada, ada.Password, phrase(n))
			})
		}
		all.Wait()
		won, open := 0, 0
		for n, got := range answers {
			if got.Status == 204 {
				won++
			} else if got.Status != 409 && got.Status != 403 && got.Status != 422 {
				t.Errorf("%d %s", got.Status, got.Text)
			}
			if login(app, ada.Email, phrase(n)).Status == 200 {
				open++
			}
		}
		if won != 1 || open != 1 || kept(t, app, ada) != 1 {
			t.Errorf("%d changes were made, %d passwords work, %d are remembered", won, open, kept(t, app, ada))
		}
	})
}

func TestAStricterPolicyIsKept(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		n := 0
		try := func(password string) *tenontest.Answer {
			n++
			return app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":"somebody%d@example.com","password":%q,"name":"Grace"}`, n, password))
		}
		if got := try("Fern 7 leaf").WantCode(t, 422, "accounts.password_too_short"); !strings.Contains(got.Text, "at least 12 characters") {
			t.Errorf("it says: %s", got.Text)
		}
		for password, missing := range map[string]string{"fern leaf 7 river!": "an upper-case letter", "FERN LEAF 7 RIVER!": "a lower-case letter", "Fern leaf river!": "a digit", "Fern leaf 7 river": "a sign"} {
			if got := try(password).WantCode(t, 422, "accounts.password_composition"); !strings.Contains(got.Text, missing) {
				t.Errorf("%q lacks %s, but it says: %s", password, missing, got.Text)
			}
		}
		try("Sunshine-2024").WantCode(t, 422, "accounts.password_too_weak")
		try("Rocket Science 4!").Want(t, 202)
		try("Rocket-Science1").WantCode(t, 422, "accounts.password_personal")
		try("Fern leaf 7 river!").Want(t, 202)
	}, tenontest.Configure(func(c *tenon.Config) {
		c.Brand.ProductName = "Rocket-Science"
		c.Accounts.PasswordMinLength, c.Accounts.PasswordMinStrength = 12, new(3)
		c.Accounts.PasswordRequire = []string{"lower", "upper", "digit", "symbol"}
	}))
}

// breaches is a service that knows passwords from breaches.
type breaches struct {
	mu      sync.Mutex
	asked   []string
	status  int
	hang    chan struct{}
	leaked  string
	padding string
}

func (b *breaches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.asked = append(b.asked, r.URL.Path+" "+r.Header.Get("Add-Padding"))
	status, hang := b.status, b.hang
	b.mu.Unlock()
	if hang != nil {
		<-hang
	}
	w.WriteHeader(status)
	sum := func(password string) string { return fmt.Sprintf("%X", sha1.Sum([]byte(password))) }
	fmt.Fprintf(w, "0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n%s:21\r\n%s:0\r\n", strings.ToLower(sum(b.leaked)[5:]), sum(b.padding)[5:])
}

func (b *breaches) set(status int, hang chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status, b.hang, b.asked = status, hang, nil
}

func TestPasswordsFromBreachesAreRefusedWithoutTellingThem(t *testing.T) {
	known := &breaches{status: 200, leaked: "a leaked phrase of somebody", padding: "an unknown phrase of somebody"}
	server := httptest.NewServer(known)
	defer server.Close()
	var log bytes.Buffer
	app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) {
		c.Accounts.PasswordBreachedURL = server.URL + "/range/"
		c.Logger = slog.New(slog.NewTextHandler(&lockedWriter{w: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}))
	ada := app.User("ada")
	known.set(200, nil)
	change(app, ada, ada.Password, known.leaked).WantCode(t, 422, "accounts.password_breached")
	reset(app, resetToken(t, app, ada), known.leaked).WantCode(t, 422, "accounts.password_breached")
	app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":"x@example.com","password":%q,"name":"X"}`, known.leaked)).WantCode(t, 422, "accounts.password_breached")
	strength(t, app, known.leaked, "").want(t, false, "accounts.password_breached")
	sum := fmt.Sprintf("%X", sha1.Sum([]byte(known.leaked)))
	if want := "/range/" + sum[:5] + " true"; len(known.asked) != 4 || known.asked[0] != want {
		t.Errorf("the service was asked %v, want four times %q", known.asked, want)
	}
	change(app, ada, ada.Password, known.padding).Want(t, 204) // counted as 0 it is padding

	known.set(500, nil)
	app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":"y@example.com","password":%q,"name":"Y"}`, known.leaked)).Want(t, 202)
	hang := make(chan struct{})
	defer close(hang)
	known.set(200, hang)
	began := time.Now()
	app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":"z@example.com","password":%q,"name":"Z"}`, known.leaked)).Want(t, 202)
	if took := time.Since(began); took < 1500*time.Millisecond || took > 10*time.Second {
		t.Errorf("a service that hangs costs %v", took)
	}
	app.Settle()
	text := log.String()
	if n := strings.Count(text, "passwords are not compared"); n != 2 {
		t.Errorf("%d lines say that the service gave no answer, want 2", n)
	}
	for _, secret := range []string{known.leaked, sum[:5], strings.ToLower(sum[:5]), known.padding} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

type answered struct{ accounts.Strength }

func strength(t *testing.T, app *tenontest.App, password, rest string) (out answered) {
	t.Helper()
	got := app.Call(nil, "POST", "/auth/password-strength", fmt.Sprintf(`{"password":%q%s}`, password, rest)).Want(t, 200)
	if password != "password" && strings.Contains(got.Text, password) { // which is a word of its own
		t.Errorf("the answer repeats the password: %s", got.Text)
	}
	if err := json.Unmarshal([]byte(got.Text), &out.Strength); err != nil {
		t.Fatal(err)
	}
	return out
}

func (a answered) want(t *testing.T, acceptable bool, codes ...string) {
	t.Helper()
	var have []string
	for _, p := range a.Problems {
		have = append(have, p.Code)
		if p.Message == "" {
			t.Errorf("%s says nothing", p.Code)
		}
	}
	if a.Acceptable != acceptable || fmt.Sprint(have) != fmt.Sprint(codes) {
		t.Errorf("acceptable %v for %v, want %v for %v", a.Acceptable, have, acceptable, codes)
	}
}

func TestAPasswordIsJudgedBeforeItIsChosen(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		strength(t, app, "a phrase only you know", "").want(t, true)
		strength(t, app, "1234567", "").want(t, false, "accounts.password_too_short")
		strength(t, app, "password", "").want(t, false, "accounts.password_common")
		strength(t, app, "abcdefghijk", "").want(t, false, "accounts.password_too_weak")
		strength(t, app, "Ada Lovelace", `,"name":"Ada Lovelace"`).want(t, false, "accounts.password_personal")
		strength(t, app, "ada@example.com", `,"email":"ada@example.com"`).want(t, false, "accounts.password_personal")
		weak, strong := strength(t, app, "Sunshine12", ""), strength(t, app, "a phrase only you know", "")
		if weak.Score > 1 || weak.Warning == "" || len(weak.Suggestions) == 0 || strong.Score != 4 || strong.Warning != "" {
			t.Errorf("weak: %+v\nstrong: %+v", weak.Strength, strong.Strength)
		}
		// What it says is what signing up says.
		for i, password := range []string{"abcdefghijk", "Sunshine12", "a phrase only you know", "qwertyqwerty", "lovelace", "12345678", strings.Repeat("x1", 129)} {
			judged := strength(t, app, password, `,"name":"Lovelace"`)
			got := app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":"n%d@example.com","password":%q,"name":"Lovelace"}`, i, password))
			if judged.Acceptable != (got.Status == 202) || !judged.Acceptable && judged.Problems[0].Code != got.Get("code") {
				t.Errorf("%q is judged %+v, and then answered %d %s", password, judged.Strength, got.Status, got.Text)
			}
		}
	})
}

func TestJudgingIsLimited(t *testing.T) {
	app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) { c.RateLimit = "" }))
	for range 200 {
		if app.Call(nil, "POST", "/auth/password-strength", `{"password":"x"}`).Status == 429 {
			return
		}
	}
	t.Error("200 at once are answered")
}

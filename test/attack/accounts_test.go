package attack

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

func TestA06NobodyVerifiesThemselvesByTheAPI(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		before := app.Call(ada, "GET", "/users/me", "").Want(t, 200)
		for _, body := range []string{`{"email_verified":true}`, `{"verified_at":"2026-01-01T00:00:00Z"}`, `{"status":"active"}`, `{"user":{"email_verified":true}}`,
			`{"email":"ceo@corp.test"}`, `{"is_admin":true}`, `{"id":"acc_00000000000000000000000001"}`, `{"password":"x"}`, `{"password_hash":"x"}`, `{"Name":"x"}`,
			`{"created_at":"2020-01-01T00:00:00Z"}`, `{"name":"x","is_admin":true}`, `{"avatar_url":"https://evil.test/x.png"}`, `{"default_org_id":"org_nonsense"}`} {
			app.Call(ada, "PATCH", "/users/me", body).Want(t, 422)
		}
		if after := app.Call(ada, "GET", "/users/me", ""); after.Text != before.Text {
			t.Errorf("it changed:\n%s\n%s", before.Text, after.Text)
		}
		// The address changes by proof of the new one, and by nothing else.
		app.Call(ada, "POST", "/users/me/email", `{"new_email":"new@example.com"}`).Want(t, 202)
		if got := app.Call(ada, "GET", "/users/me", "").Get("email"); got != "ada@example.com" {
			t.Errorf("without proof the address is %s", got)
		}
		token := app.MailedToken("new@example.com")
		app.Call(ada, "POST", "/auth/verify-email", `{"token":"`+token+`"}`).WantCode(t, 422, "accounts.token_invalid") // for another purpose
		app.Call(ada, "POST", "/auth/confirm-email", `{"token":"`+token+`"}`).Want(t, 200)
		if got := app.Call(ada, "GET", "/users/me", "").Get("email"); got != "new@example.com" {
			t.Errorf("with proof the address is %s", got)
		}
		if n := len(app.Mail("ada@example.com")); n != 1 {
			t.Errorf("%d letters told the old address", n)
		}
	})
}

func TestA08AResetTokenIsGoodOnceAndNotForLong(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		ask := func() string {
			app.Call(nil, "POST", "/auth/request-password-reset", `{"email":"ada@example.com"}`).Want(t, 202)
			return app.MailedToken("ada@example.com")
		}
		reset := func(token, password string) *tenontest.Answer {
			return app.Call(nil, "POST", "/auth/reset-password", fmt.Sprintf(`{"token":%q,"new_password":%q}`, token, password))
		}
		var refusals []string
		refused := func(token, password string) {
			t.Helper()
			got := reset(token, password).WantCode(t, 422, "accounts.token_invalid")
			refusals = append(refusals, strings.ReplaceAll(got.Text, got.Get("request_id"), ""))
			if login(app, "ada@example.com", password).Status == 200 {
				t.Errorf("%q works", password)
			}
		}
		first := ask()
		reset(first, "second phrase of ada").Want(t, 204)
		refused(first, "third phrase of ada")
		login(app, "ada@example.com", ada.Password).WantCode(t, 401, "auth.invalid_credentials")
		ada.Tokens.AccessToken = login(app, "ada@example.com", "second phrase of ada").Want(t, 200).Get("access_token")

		changed := ask() // a token from before the password was changed otherwise
		app.Call(ada, "PUT", "/users/me/password", `{"current_password":"second phrase of ada","new_password":"fourth phrase of ada"}`).Want(t, 204)
		refused(changed, "fifth phrase of ada")

		expired := ask()
		now.Advance(time.Hour + time.Second)
		refused(expired, "sixth phrase of ada")
		refused("tn_reset_"+strings.Repeat("0", 32)+"_000000", "seventh phrase of ada")
		refused("", "eighth phrase of ada")
		for _, r := range refusals {
			if r != refusals[0] {
				t.Errorf("refusals differ:\n%s\n%s", refusals[0], r)
			}
		}
		bad := ask() // a password that is refused does not use the token up
		reset(bad, "short").WantCode(t, 422, "accounts.password_too_short")
		reset(bad, "ninth phrase of ada").Want(t, 204)
	})
}

func TestA08OfTwoResetsWithOneTokenOneWins(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		app.User("ada")
		app.Call(nil, "POST", "/auth/request-password-reset", `{"email":"ada@example.com"}`).Want(t, 202)
		token := app.MailedToken("ada@example.com")
		statuses := atOnce(8, func(n int) int {
			return app.Call(nil, "POST", "/auth/reset-password", fmt.Sprintf(`{"token":%q,"new_password":"phrase number %d"}`, token, n)).Status
		})
		works := 0
		for n := range 8 {
			if login(app, "ada@example.com", fmt.Sprintf("phrase number %d", n)).Status == 200 {
				works++
			}
		}
		if statuses[204] != 1 || statuses[422] != 7 || works != 1 {
			t.Errorf("answers %v; %d passwords work", statuses, works)
		}
	})
}

// atOnce calls fn n times at the same moment and counts what it returns.
func atOnce(n int, fn func(n int) int) map[int]int {
	var mu sync.Mutex
	var ready, all sync.WaitGroup
	got := map[int]int{}
	ready.Add(n)
	for i := range n {
		all.Go(func() {
			ready.Done()
			ready.Wait()
			v := fn(i)
			mu.Lock()
			got[v]++
			mu.Unlock()
		})
	}
	all.Wait()
	return got
}

var link = regexp.MustCompile(`https?:[^\s"'<>)]+`)

func TestA10LinksInMailLeadHomeWhateverTheRequestSays(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		acme := app.Org(ada, "acme")
		poison := []string{"Host: evil.test", "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: javascript", "Forwarded: host=evil.test;proto=http", "X-Original-Host: evil.test",
			"X-Original-Url: https://evil.test/", "X-Rewrite-Url: /evil", "Origin: https://evil.test", "Referer: https://evil.test/", "X-Forwarded-Port: 666", "X-Forwarded-Prefix: /evil"}
		for _, c := range []struct{ method, path, body, to string }{
			{"POST", "/auth/register", `{"email":"new@example.com","password":"a phrase only you know","name":"New"}`, "new@example.com"},
			{"POST", "/auth/register", `{"email":"ada@example.com","password":"a phrase only you know","name":"New"}`, "ada@example.com"},
			{"POST", "/auth/resend-verification", `{"email":"new@example.com"}`, "new@example.com"},
			{"POST", "/auth/request-password-reset", `{"email":"ada@example.com"}`, "ada@example.com"},
			{"POST", "/users/me/email", `{"new_email":"other@example.com"}`, "other@example.com"},
			{"POST", "/orgs/" + acme.String() + "/invitations", `{"email":"guest@example.com","role":"member"}`, "guest@example.com"},
			{"PUT", "/users/me/password", `{"current_password":"` + ada.Password + `","new_password":"another phrase"}`, "ada@example.com"},
		} {
			before := len(app.Mail(c.to))
			q := set(app.Request(c.method, c.path, c.body), append(poison, "Authorization: Bearer "+ada.Tokens.AccessToken)...)
			if got := app.Send(q); got.Status >= 300 {
				t.Fatalf("%s: %d %s", c.path, got.Status, got.Text)
			}
			mails := app.Mail(c.to)
			if len(mails) != before+1 {
				t.Fatalf("%s: %d new letters", c.path, len(mails)-before)
			}
			for _, found := range append(link.FindAllString(mails[0].Text+" "+mails[0].HTML, -1), mails[0].Links...) {
				if found == "http://www.w3.org/1999/xhtml" { // the name of a language
					continue
				}
				if !strings.HasPrefix(found, publicURL+"/") {
					t.Errorf("%s: a link leads to %s", c.path, found)
				}
			}
			if whole := mails[0].Subject + mails[0].Text + mails[0].HTML; strings.Contains(whole, "evil") {
				t.Errorf("%s: the letter repeats the request:\n%s", c.path, whole)
			}
		}
	}, tenontest.Configure(atHome))
}

func TestA11MailGoesToTheStoredAddressOnly(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		app.User("victim")
		for _, path := range []string{"/auth/request-password-reset", "/auth/resend-verification"} {
			for _, body := range []string{
				`{"email":["victim@example.com","evil@e.test"]}`, `{"email":"victim@example.com,evil@e.test"}`, `{"email":"victim@example.com;evil@e.test"}`,
				`{"email":"victim@example.com\nBcc: evil@e.test"}`, `{"email":"victim@example.com\r\nBcc: evil@e.test"}`, `{"email":"<evil@e.test> victim@example.com"}`,
				`{"email":"victim@example.com <evil@e.test>"}`, `{"email":"\"victim@example.com\"@e.test"}`, `{"email":"victim@example.com evil@e.test"}`,
				`{"email":"victim@example.com\u0000evil@e.test"}`, `{"email":"victim@example.com","email":"evil@e.test"}`, `{"email":{"to":"victim@example.com"}}`,
				`{"email":"victim@example.com","to":"evil@e.test"}`, `{"email":"victim@example.com","Email":"evil@e.test"}`, `{"email":""}`, `{"email":null}`,
				`{"email":"victim@"}`, `{"email":"@example.com"}`, `{"email":"victim@[127.0.0.1]"}`, `{"email":"victim%evil@e.test@example.com"}`,
			} {
				if got := app.Call(nil, "POST", path, body); got.Status != 400 && got.Status != 422 {
					t.Errorf("%s %s: %d %s", path, body, got.Status, got.Text)
				}
			}
			q := app.Request("POST", path, "email=victim%40example.com&email=evil%40e.test")
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			app.Send(q).Want(t, 415)
		}
		// Another spelling of the same address is the stored one; a lookalike is nobody's.
		for _, spelling := range []string{"VICTIM@EXAMPLE.COM", " victim@example.com", "victim@exаmple.com"} {
			got := app.Call(nil, "POST", "/auth/request-password-reset", `{"email":"`+spelling+`"}`)
			if got.Status != 202 && got.Status != 422 {
				t.Errorf("%q: %d", spelling, got.Status)
			}
		}
		app.Settle()
		all, err := app.Box.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			if m.To != "victim@example.com" {
				t.Errorf("a letter went to %s", m.To)
			}
		}
		if len(all) == 0 || len(all) > 2 {
			t.Errorf("%d letters", len(all))
		}
	})
}

func TestA13AnswersDoNotTellWhoHasAnAccount(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		app.User("verified")
		suspend(t, app, app.User("suspended"))
		register(t, app, "unverified@example.com")
		login(app, "verified@example.com", "wrong")            // whatever that leaves behind
		for _, c := range []struct{ what, path, body string }{ // signing up comes last: then nobody is unknown any more
			{"login", "/auth/login", `{"email":%q,"password":"not the right phrase"}`},
			{"browser", "/auth/login", `{"email":%q,"password":"not the right phrase","cookie":true}`},
			{"forgot", "/auth/request-password-reset", `{"email":%q}`},
			{"resend", "/auth/resend-verification", `{"email":%q}`},
			{"register", "/auth/register", `{"email":%q,"password":"a phrase only you know","name":"Somebody"}`},
		} {
			app.Settle() // a letter that is still to be answered might find an account made meanwhile
			shapes := map[string]string{}
			for _, who := range []string{"verified", "unverified", "suspended", "unknownxx"} {
				got := app.Call(nil, "POST", c.path, fmt.Sprintf(c.body, who+"@example.com"))
				shapes[who] = shape(got)
				if got.Status >= 500 {
					t.Errorf("%s, %s: %s", c.what, who, got.Text)
				}
			}
			for who, s := range shapes {
				if s != shapes["verified"] {
					t.Errorf("%s tells %s from verified:\n%s\n--\n%s", c.what, who, s, shapes["verified"])
				}
			}
		}
		// The answers are the same; the letters go to those whom they are for.
		for who, want := range map[string]int{"verified": 2, "unverified": 4, "suspended": 1, "unknownxx": 1} {
			if n := len(app.Mail(who + "@example.com")); n != want {
				t.Errorf("%s got %d letters, want %d", who, n, want)
			}
		}
		// A suspended account's right password is answered like a wrong one.
		right := app.Call(nil, "POST", "/auth/login", `{"email":"suspended@example.com","password":"correct horse of suspended"}`)
		if s := shape(right); s != shape(login(app, "nobody@example.com", "wrong phrase here")) {
			t.Errorf("suspended, right password: %s", s)
		}
		// Asking to change one's address to that of another tells nothing either.
		verified := app.User("asker")
		one, other := app.Call(verified, "POST", "/users/me/email", `{"new_email":"verified@example.com"}`), app.Call(verified, "POST", "/users/me/email", `{"new_email":"nobodyxx@example.com"}`)
		if shape(one) != shape(other) {
			t.Errorf("change of address: %s\n%s", shape(one), shape(other))
		}
	}, tenontest.Configure(limits))
}

func TestA15NamesAreTextInMail(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		acme := app.Org(ada, "acme")
		for _, name := range []string{`<a href=http://e.test>Claim</a>`, `</td><img src=//e.test>`, `[Claim](http://e.test)`, `{{.URL}}{{product}}`, `"><script>alert(1)</script>`, `Ada & Söhne`,
			`https://e.test/claim`, "Ada\u202egnp.exe"} {
			app.Call(ada, "PATCH", "/orgs/"+acme.String(), fmt.Sprintf(`{"name":%q}`, name)) // one that is refused mails nothing
			who := fmt.Sprintf("n%d@example.com", time.Now().UnixNano())
			signUp := app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":%q,"password":"a phrase only you know","name":%q}`, who, name))
			invite := app.Call(ada, "POST", "/orgs/"+acme.String()+"/invitations", fmt.Sprintf(`{"email":"guest-%s","role":"member"}`, who))
			if signUp.Status >= 500 || invite.Status >= 500 {
				t.Errorf("%q: %d, %d", name, signUp.Status, invite.Status)
			}
			for _, m := range append(app.Mail(who), app.Mail("guest-"+who)...) {
				if strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, "<img src=//") || strings.Contains(m.HTML, "href=http://e.test") || strings.Contains(m.HTML, `href="http`+"://e.test") ||
					strings.Contains(m.HTML, `href="https://e.test`) {
					t.Errorf("%q: the HTML is the sender's:\n%s", name, m.HTML)
				}
				for _, l := range m.Links {
					if !strings.HasPrefix(l, publicURL+"/") {
						t.Errorf("%q: a link leads to %s", name, l)
					}
				}
			}
		}
		for _, name := range []string{"Ada\r\nBcc: evil@e.test", "Ada\n.\nMAIL FROM:<x@e.test>", "Ada\x00", "\t", "", strings.Repeat("x", 101)} {
			app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":"x@example.com","password":"a phrase only you know","name":%q}`, name))
			if got := app.Call(ada, "PATCH", "/users/me", fmt.Sprintf(`{"name":%q}`, name)); got.Status != 422 && got.Status != 400 {
				t.Errorf("%q: %d", name, got.Status)
			}
		}
		if n := len(app.Mail("x@example.com")); n != 0 {
			t.Errorf("%d letters to somebody without a name", n)
		}
	}, tenontest.Configure(atHome))
}

func TestA16Passwords(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		n := 0
		try := func(password string) *tenontest.Answer {
			n++
			return app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":"somebody%d@example.com","password":%s,"name":"Augusta King"}`, n, quoted(password)))
		}
		for password, code := range map[string]string{
			"1234567": "accounts.password_too_short", "short": "accounts.password_too_short", "       ": "accounts.password_too_short", "päßwörd": "accounts.password_too_short",
			"password": "accounts.password_common", "Password": "accounts.password_common", "12345678": "accounts.password_common", "qwertyuiop": "accounts.password_common",
			"aaaaaaaaaaaa": "accounts.password_common", "Augusta King": "accounts.password_personal", "augusta king": "accounts.password_personal", "line\nbreak here": "accounts.password_text",
			strings.Repeat("x1", 129): "accounts.password_too_long",
		} {
			try(password).WantCode(t, 422, code)
		}
		app.Call(nil, "POST", "/auth/register", `{"email":"somebody@example.com","password":"somebody@example.com","name":"X"}`).WantCode(t, 422, "accounts.password_personal")
		for _, password := range []string{"nul\x00nul nul", string([]byte{0xff, 0xfe, 'a', 'b', 'c', 'd', 'e', 'f', 'g'})} {
			if got := try(password); got.Status != 400 && got.Status != 422 {
				t.Errorf("%q: %d", password, got.Status)
			}
		}
		fastest := time.Hour // refused without hashing, however long; of several tries one is undisturbed
		for range 5 {
			began := time.Now()
			if got := try(strings.Repeat("x1", 100_000)); got.Status != 422 {
				t.Errorf("200 kB: %d", got.Status)
			}
			fastest = min(fastest, time.Since(began))
		}
		if fastest > 250*time.Millisecond {
			t.Errorf("200 kB are refused after %v at the soonest", fastest)
		}
		prefix := strings.Repeat("p4ssw0rd", 9) // 72 bytes
		for i, password := range []string{strings.Repeat("long and good ", 5)[:64], strings.Repeat("long and good ", 10)[:128], "😀🐎🔋📎🎉🧲🪐🫖", "  spaces around  ", prefix + "one", "corréct hørse bättery"} {
			name := fmt.Sprintf("keeper%d", i)
			u := app.User(name)
			app.Call(u, "PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":%s}`, u.Password, quoted(password))).Want(t, 204)
			login(app, u.Email, password).Want(t, 200)
			for _, near := range []string{strings.TrimSpace(password), prefix + "two", password + " ", strings.ToUpper(password)} {
				if near != password && login(app, u.Email, near).Status == 200 {
					t.Errorf("%q opens what %q closes", near, password)
				}
			}
		}
		// NFKC: however a keyboard spells it.
		u := app.User("speller")
		app.Call(u, "PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":%q}`, u.Password, "cafe\u0301 ole\u0301 cafe\u0301")).Want(t, 204)
		login(app, u.Email, "café olé café").Want(t, 200)
	})
}

func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + `"`
}

func TestA17TheFirstAdministratorIsMadeOnce(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			url := tenontest.Database(t, dialect)
			app := tenontest.Node(t, url)
			claim := func(app *tenontest.App, token string, n int) *tenontest.Answer {
				return app.Call(nil, "POST", "/setup", fmt.Sprintf(`{"token":%q,"email":"root%d@example.com","password":"a phrase only root knows","name":"Root"}`, token, n))
			}
			first, second := setupToken(t, app), setupToken(t, app)
			for name, token := range map[string]string{"none": "", "nonsense": "x", "one that was replaced": first, "a well-formed one": "tn_setup_" + strings.Repeat("0", 32) + "_000000"} {
				if got := claim(app, token, 0); got.Status != 403 && got.Status != 404 {
					t.Errorf("%s: %d %s", name, got.Status, got.Text)
				}
			}
			statuses := atOnce(8, func(n int) int { return claim(app, second, n).Status })
			if statuses[201] != 1 || statuses[201]+statuses[404]+statuses[403] != 8 {
				t.Errorf("of eight at once: %v", statuses)
			}
			refused := func(app *tenontest.App, when string) {
				t.Helper()
				for _, token := range []string{second, first, ""} {
					if got := claim(app, token, 99); got.Status != 404 {
						t.Errorf("%s: %d %s", when, got.Status, got.Text)
					}
				}
				if link, err := app.Accounts.SetupLink(t.Context()); err != nil || link != "" {
					t.Errorf("%s a link is offered: %q, %v", when, link, err)
				}
			}
			refused(app, "afterwards")
			restarted := tenontest.Node(t, url)
			refused(restarted, "after a restart")
			c := app.DB.Platform("test")
			if n, err := db.One(t.Context(), c, db.Scalar[int], `SELECT count(*) FROM accounts WHERE is_admin`); err != nil || n != 1 {
				t.Errorf("%d administrators, %v", n, err)
			}
			if _, err := c.Exec(t.Context(), `UPDATE accounts SET is_admin = $1`, false); err != nil {
				t.Fatal(err)
			}
			refused(restarted, "without any administrator")
			refused(tenontest.Node(t, url), "without any, after a restart")
		})
	}
}

func setupToken(t *testing.T, app *tenontest.App) string {
	t.Helper()
	link, err := app.Accounts.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("token")
}

func TestOfManyWhoSignUpWithOneAddressOneAccountIsMade(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		statuses := atOnce(10, func(n int) int {
			return app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":"ada@example.com","password":"phrase number %d","name":"Ada"}`, n)).Status
		})
		if statuses[202] != 10 {
			t.Errorf("answers %v", statuses)
		}
		c := app.DB.Platform("test")
		for _, table := range []string{"accounts", "account_emails"} {
			if n, err := db.One(t.Context(), c, db.Scalar[int], `SELECT count(*) FROM `+table); err != nil || n != 1 {
				t.Errorf("%d rows in %s, %v", n, table, err)
			}
		}
		// The newest letter's link is the only one that works.
		works := 0
		for _, m := range app.Mail("ada@example.com") {
			_, token, _ := strings.Cut(m.Links[0], "token=")
			if app.Call(nil, "POST", "/auth/verify-email", `{"token":"`+token+`"}`).Status == 200 {
				works++
			}
		}
		if works != 1 {
			t.Errorf("%d links work", works)
		}
		open := 0
		for n := range 10 {
			if login(app, "ada@example.com", fmt.Sprintf("phrase number %d", n)).Status == 200 {
				open++
			}
		}
		if open != 1 {
			t.Errorf("%d passwords work", open)
		}
	})
}

// B01, B04: guesses at one account are counted together, whatever else the guesser changes.
func TestB01GuessesAreCountedTogether(t *testing.T) {
	spellings := []string{"ada@example.com", "ADA@example.com", "Ada@Example.Com", "ada@EXAMPLE.com", "ａda@example.com"} // the last one is wide
	for name, headers := range map[string]func(n int) []string{
		"plainly": func(int) []string { return nil },
		"by headers": func(n int) []string {
			return []string{fmt.Sprintf("X-Forwarded-For: 9.9.9.%d", n), fmt.Sprintf("X-Real-Ip: 9.9.9.%d", n), fmt.Sprintf("Cf-Connecting-Ip: 9.9.9.%d", n)}
		},
		"by agent":     func(n int) []string { return []string{fmt.Sprintf("User-Agent: agent %d", n)} },
		"by spelling":  func(int) []string { return nil },
		"by addresses": func(n int) []string { return []string{fmt.Sprintf("Remote: 203.0.113.%d:99", n)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := tenontest.Start(t, db.SQLite, tenontest.Configure(limits))
			app.User("ada")
			first := 0
			for n := 1; n <= 20; n++ {
				email := spellings[0]
				if name == "by spelling" {
					email = spellings[n%len(spellings)]
				}
				q := app.Request("POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":"wrong phrase %d"}`, email, n))
				for _, h := range headers(n) {
					if remote, ok := strings.CutPrefix(h, "Remote: "); ok {
						q.RemoteAddr = remote
					} else {
						set(q, h)
					}
				}
				got := app.Send(q)
				if got.Status == 429 && first == 0 {
					first = n
					if got.Header.Get("Retry-After") == "" {
						t.Error("no Retry-After")
					}
				}
				if first != 0 && got.Status != 429 {
					t.Errorf("guess %d got %d", n, got.Status)
				}
			}
			if first != 11 {
				t.Errorf("the first refusal came at guess %d, want 11", first)
			}
			if got := login(app, "ada@example.com", "correct horse of ada"); got.Status != 429 {
				t.Errorf("the right password gets %d meanwhile", got.Status)
			}
		})
	}
}

func TestB01TheLogShowsWhoReallyAsked(t *testing.T) {
	app := tenontest.Start(t, db.SQLite, tenontest.Configure(limits))
	ada := app.User("ada")
	q := set(app.Request("POST", "/auth/login", `{"email":"ada@example.com","password":"wrong phrase"}`), "X-Forwarded-For: 6.6.6.6", "X-Real-Ip: 6.6.6.6")
	q.RemoteAddr = "198.51.100.7:1234"
	app.Send(q).Want(t, 401)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		events := app.Call(ada, "GET", "/users/me/events?type=sessions.sign_in_failed", "").Want(t, 200).Items()
		if len(events) == 1 {
			if events[0]["ip_address"] != "198.51.100.7" {
				t.Errorf("the log shows %v", events[0]["ip_address"])
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the failed sign-in is not in the log")
		}
	}
}

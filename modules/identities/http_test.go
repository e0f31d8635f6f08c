package identities_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/identities"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/idp"
)

func TestSomebodyNewSignsInAndIsKnownAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		items := w.Call(nil, "GET", "/auth/providers", "").Want(t, 200).Items()
		if len(items) != 2 || items[0]["id"] != "acme" || items[0]["name"] != "Acme" || items[0]["kind"] != "oidc" {
			t.Errorf("providers are %v", items)
		}
		b := w.browser()
		begun := b.send("GET", "/auth/oauth/acme/authorize?redirect_to=/home", "").Want(t, 200)
		flow := (&http.Response{Header: begun.Header}).Cookies()[0]
		if flow.Name != "tenon_flow" || !flow.HttpOnly || flow.SameSite != http.SameSiteLaxMode || flow.Path != "/" || flow.Domain != "" || flow.MaxAge != 600 {
			t.Errorf("the cookie of the flow is %v", flow)
		}
		got := b.send("GET", back(w.acme.Browse(t, begun.Get("authorization_url"))), "")
		me := b.wantIn(got, "/home")
		if me.Get("email") != "ada@example.com" || me.Body["email_verified"] != true || me.Get("name") != "Ada Lovelace" || me.Body["is_admin"] != false || me.Get("avatar_url") != "" {
			t.Errorf("the account is %s", me.Text)
		}
		if got.Header.Get("Referrer-Policy") != "no-referrer" || got.Text != "" {
			t.Errorf("the callback sends %q, with the policy %s", got.Text, got.Header.Get("Referrer-Policy"))
		}
		if b.cookies["tenon_flow"] != "" {
			t.Error("the cookie of the flow outlives it")
		}
		asked, exchanged := w.acme.Authorized()[0], w.acme.Exchanged()[0]
		if asked.Get("code_challenge_method") != "S256" || asked.Get("nonce") == "" || asked.Get("redirect_uri") != callbackOf("acme") || exchanged.Get("code_verifier") == "" {
			t.Errorf("the provider was asked %v and then %v", asked, exchanged)
		}
		again := w.browser()
		if id := again.wantIn(again.signIn(w.acme, "acme"), "/home").Get("id"); id != me.Get("id") {
			t.Errorf("came back as %s, was %s", id, me.Get("id"))
		}
		api := w.browser().tokens(w.acme, "acme").Want(t, 200)
		if api.Get("access_token") == "" || api.Get("refresh_token") == "" {
			t.Errorf("a program got %s", api.Text)
		}
		mine := b.send("GET", "/users/me/identities", "").Want(t, 200).Items()
		if len(mine) != 1 || mine[0]["provider"] != "acme" || mine[0]["email"] != "ada@example.com" || mine[0]["last_used_at"] == nil {
			t.Errorf("identities are %v", mine)
		}
		if w.count(`SELECT count(*) FROM accounts`) != 1 {
			t.Error("there is more than one account")
		}
	})
}

func TestAnIdentityIsASubjectWhateverElseChanges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		u := b.wantIn(b.signIn(w.acme, "acme"), "/home").Get("id")
		w.acme.As(idp.Person{Subject: "S1", Email: "b@example.com", EmailVerified: true})
		if b = w.browser(); b.wantIn(b.signIn(w.acme, "acme"), "/home").Get("id") != u {
			t.Error("with another address it is another account")
		}
		w.acme.As(idp.Person{Subject: "S2", Email: "ada@example.com", EmailVerified: true})
		b = w.browser()
		b.wantOut(b.signIn(w.acme, "acme"), "identities.link_required")
		// The same subject at another provider is somebody else.
		b = w.browser()
		if b.wantIn(b.signIn(w.other, "other"), "/home").Get("id") == u {
			t.Error("another provider's S1 is the same account")
		}
	})
}

func TestWhoeverOnlyClaimedTheAddressLosesIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const register = `{"email":"ada@example.com","password":"a phrase of the attacker","name":"Mallory"}`
		w.Call(nil, "POST", "/auth/register", register).Want(t, 202)
		token := w.MailedToken("ada@example.com")
		b := w.browser()
		if me := b.wantIn(b.signIn(w.acme, "acme"), "/home"); me.Get("name") != "Ada Lovelace" {
			t.Errorf("the account is %s", me.Text)
		}
		w.Call(nil, "POST", "/auth/login", `{"email":"ada@example.com","password":"a phrase of the attacker"}`).WantCode(t, 401, "auth.invalid_credentials")
		w.Call(nil, "POST", "/auth/verify-email", fmt.Sprintf(`{"token":%q}`, token)).WantCode(t, 422, "accounts.token_invalid")
		w.Call(nil, "POST", "/auth/register", register).Want(t, 202)
		w.Call(nil, "POST", "/auth/login", `{"email":"ada@example.com","password":"a phrase of the attacker"}`).WantCode(t, 401, "auth.invalid_credentials")
		if n := len(b.send("GET", "/sessions", "").Items()); n != 1 {
			t.Errorf("%d sessions, want the owner's own", n)
		}
	})
}

func TestAnAddressWithoutProofOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.User("ada")
		for _, p := range []idp.Person{{Subject: "S1", Email: "ada@example.com"}, {Subject: "S2", Email: "new@example.com"}, {Subject: "S3"}, {Subject: "S4", Email: "no address", EmailVerified: true}} {
			w.acme.As(p)
			b := w.browser()
			b.wantOut(b.signIn(w.acme, "acme"), "identities.email_unverified")
			b.tokens(w.acme, "acme").WantCode(t, 403, "identities.email_unverified")
		}
		if w.count(`SELECT count(*) FROM accounts`) != 1 || w.count(`SELECT count(*) FROM identities`) != 0 || w.count(`SELECT count(*) FROM identity_subjects`) != 0 {
			t.Error("something was made")
		}
		events := w.Call(ada, "GET", "/users/me/events?type=identities.sign_in_refused", "").Want(t, 200).Items()
		if len(events) != 2 {
			t.Errorf("the owner sees %d events, want 2", len(events))
		}
		if n := w.count(`SELECT count(*) FROM events WHERE type = 'identities.sign_in_refused'`); n != 8 {
			t.Errorf("%d refusals are in the log, want 8", n)
		}
	})
}

func TestAProvenAccountIsLinkedOnlyByItsOwner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.User("ada")
		stranger := w.browser()
		stranger.wantOut(stranger.signIn(w.acme, "acme"), "identities.link_required")
		if w.count(`SELECT count(*) FROM identity_subjects`) != 0 {
			t.Fatal("the refusal linked something")
		}
		b := w.as(ada)
		if got := b.link(w.acme, "acme").Want(t, 302); got.Header.Get("Location") != "/settings" {
			t.Errorf("went to %s", got.Header.Get("Location"))
		}
		b.link(w.acme, "acme").Want(t, 302) // once more changes nothing
		if mine := b.send("GET", "/users/me/identities", "").Items(); len(mine) != 1 || mine[0]["last_used_at"] != nil {
			t.Errorf("identities are %v", mine)
		}
		if letters := w.Mail("ada@example.com"); len(letters) != 2 || !strings.Contains(letters[0].Subject+letters[1].Subject, "Acme was linked") { // the other is about a new device
			t.Errorf("%d letters came: %v", len(letters), letters)
		}
		other := w.browser()
		if id := other.wantIn(other.signIn(w.acme, "acme"), "/home").Get("id"); id != ada.ID.String() {
			t.Errorf("signed in to %s", id)
		}
	})
}

func TestAnIdentityOfSomebodyElseIsNotLinked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.browser()
		owner.wantIn(owner.signIn(w.acme, "acme"), "/home")
		b := w.as(w.User("grace"))
		if to := b.link(w.acme, "acme").Want(t, 302).Header.Get("Location"); to != "/settings?error=identities.taken" {
			t.Errorf("went to %s", to)
		}
		if n := len(b.send("GET", "/users/me/identities", "").Items()); n != 0 {
			t.Errorf("%d identities were linked", n)
		}
	})
}

func TestTheSessionThatAskedToLinkMustStillBeThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.as(w.User("grace"))
		to := b.send("POST", "/users/me/identities/acme/authorize", "{}").Want(t, 200).Get("authorization_url")
		flow := b.cookies["tenon_flow"]
		b.send("POST", "/auth/logout", "").Want(t, 204)
		b.cookies["tenon_flow"] = flow // Clear-Site-Data takes it from real browsers
		if to := b.send("GET", back(w.acme.Browse(t, to)), "").Want(t, 302).Header.Get("Location"); to != "/?error=identities.state_invalid" {
			t.Errorf("went to %s", to)
		}
		if w.count(`SELECT count(*) FROM identities`) != 0 {
			t.Error("an identity was linked")
		}
	})
}

func TestTheLastWayInStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.wantIn(b.signIn(w.acme, "acme"), "/home")
		first, _ := b.send("GET", "/users/me/identities", "").Items()[0]["id"].(string)
		b.send("DELETE", "/users/me/identities/"+first, "").WantCode(t, 409, "identities.last_way_in")
		b.link(w.other, "other").Want(t, 302)
		elsewhere := w.browser()
		elsewhere.wantIn(elsewhere.signIn(w.acme, "acme"), "/home")
		stranger := w.User("mallory")
		w.Call(stranger, "DELETE", "/users/me/identities/"+first, "").WantCode(t, 404, "not_found")
		b.send("DELETE", "/users/me/identities/"+first, "").Want(t, 204)
		b.send("DELETE", "/users/me/identities/"+first, "").Want(t, 404)
		b.send("GET", "/users/me", "").Want(t, 200)
		elsewhere.send("GET", "/users/me", "").Want(t, 401)
		if n := slices.IndexFunc(w.Mail("ada@example.com"), func(m mail.BoxMessage) bool { return strings.Contains(m.Subject, "unlinked") }); n < 0 {
			t.Error("no letter says that it was unlinked")
		}
		second, _ := b.send("GET", "/users/me/identities", "").Items()[0]["id"].(string)
		b.send("DELETE", "/users/me/identities/"+second, "").WantCode(t, 409, "identities.last_way_in")
		// What was unlinked is free, and its address is still the account's.
		gone := w.browser()
		gone.wantOut(gone.signIn(w.acme, "acme"), "identities.link_required")
	})
}

func TestAPasskeyOrAPasswordIsAWayIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		me := b.wantIn(b.signIn(w.acme, "acme"), "/home")
		w.factor(me.Get("email"), accounts.Passkey)
		only, _ := b.send("GET", "/users/me/identities", "").Items()[0]["id"].(string)
		b.send("DELETE", "/users/me/identities/"+only, "").Want(t, 204)
		grace := w.as(w.User("grace"))
		grace.link(w.other, "other").Want(t, 302)
		only, _ = grace.send("GET", "/users/me/identities", "").Items()[0]["id"].(string)
		grace.send("DELETE", "/users/me/identities/"+only, "").Want(t, 204)
	})
}

// factor gives an account a second factor.
func (w *world) factor(email, method string) {
	w.t.Helper()
	a, err := w.Accounts.ByEmail(w.t.Context(), email)
	if err == nil {
		err = w.DB.Platform("test").Tx(w.t.Context(), func(tx *db.Tx) error {
			return w.Accounts.In(tx).SetSecondFactor(w.t.Context(), a.ID, method, true)
		})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestASecondFactorIsStillDue(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		me := b.wantIn(b.signIn(w.acme, "acme"), "/home")
		w.factor(me.Get("email"), accounts.TOTP)
		b = w.browser()
		got := b.signIn(w.acme, "acme").Want(t, 302)
		to, err := url.Parse(got.Header.Get("Location"))
		if err != nil || to.Path != "/sign-in/second-factor" || to.RawQuery != "" {
			t.Fatalf("went to %s", got.Header.Get("Location"))
		}
		half, _ := url.ParseQuery(to.Fragment)
		if half.Get("challenge") == "" || half.Get("redirect_to") != "/home" || !strings.Contains(half.Get("methods"), "totp") {
			t.Errorf("the fragment is %s", to.Fragment)
		}
		b.send("GET", "/users/me", "").Want(t, 401)
		api := w.browser().tokens(w.acme, "acme").Want(t, 200)
		if api.Get("status") != "second_factor_required" || api.Get("access_token") != "" || api.Get("challenge_token") == "" {
			t.Errorf("a program got %s", api.Text)
		}
	})
}

func TestASuspendedAccountIsNotEntered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.wantIn(b.signIn(w.acme, "acme"), "/home")
		for _, status := range []string{"suspended", "deleting"} {
			if _, err := w.DB.Platform("test").Exec(t.Context(), `UPDATE accounts SET status = $1`, status); err != nil {
				t.Fatal(err)
			}
			b = w.browser()
			b.wantOut(b.signIn(w.acme, "acme"), "identities.account_inactive")
		}
	})
}

func TestAStateIsGoodOnceInItsBrowserForItsProvider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		begin := func() *url.URL { return w.acme.Browse(t, b.authorize("acme", "/home")) }
		with := func(u *url.URL, change func(q url.Values)) string {
			q := u.Query()
			change(q)
			return "/auth/oauth/acme/callback?" + q.Encode()
		}
		const invalid = "identities.state_invalid"

		b.wantOut(b.send("GET", with(begin(), func(q url.Values) { q.Del("state") }), ""), invalid)
		b.wantOut(b.send("GET", with(begin(), func(q url.Values) { q.Set("state", "forged") }), ""), invalid)
		b.wantOut(b.send("GET", "/auth/oauth/acme/callback", ""), invalid)

		// Another browser's, and after that nobody's.
		mine := begin()
		thief := w.browser()
		thief.authorize("acme", "/home")
		thief.wantOut(thief.send("GET", back(mine), ""), invalid)
		b.wantOut(b.send("GET", back(mine), ""), invalid)
		naked := w.browser()
		naked.wantOut(naked.send("GET", back(begin()), ""), invalid)

		// Another provider's.
		b.wantOut(b.send("GET", strings.Replace(back(begin()), "/acme/", "/other/", 1), ""), invalid)

		// One that took too long.
		late := begin()
		w.exec(`UPDATE identity_flows SET expires_at = $1 WHERE used_at IS NULL`, w.Config.Now())
		b.wantOut(b.send("GET", back(late), ""), invalid)
		b.post("acme", late.Query()).WantCode(t, 400, invalid)

		if n := len(w.acme.Exchanged()); n != 0 {
			t.Errorf("%d codes were exchanged", n)
		}
		// The right one, once.
		good := begin()
		flow := b.cookies["tenon_flow"]
		b.wantIn(b.send("GET", back(good), ""), "/home")
		again := w.browser()
		again.cookies["tenon_flow"] = flow
		again.wantOut(again.send("GET", back(good), ""), invalid)
		again.cookies["tenon_flow"] = flow
		again.post("acme", good.Query()).WantCode(t, 400, invalid)
		w.Call(nil, "GET", "/auth/oauth/unknown/authorize", "").WantCode(t, 404, "not_found")
		w.Call(nil, "GET", "/auth/oauth/unknown/callback?code=x&state=y", "").WantCode(t, 404, "not_found")
	})
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	if _, err := w.DB.Platform("test").Exec(w.t.Context(), query, args...); err != nil {
		w.t.Fatal(err)
	}
}

func TestACodeIsOnlyGoodInTheFlowThatItCameFrom(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada, eve := w.browser(), w.browser()
		hers := w.acme.Browse(t, ada.authorize("acme", "/")).Query()
		w.acme.As(idp.Person{Subject: "EVE", Email: "eve@example.com", EmailVerified: true})
		eves := w.acme.Browse(t, eve.authorize("acme", "/")).Query()
		stolen, state := hers.Get("code"), eves.Get("state")
		eve.post("acme", url.Values{"code": {stolen}, "state": {state}}).WantCode(t, 400, "identities.token_invalid")
		if w.count(`SELECT count(*) FROM accounts`) != 0 {
			t.Error("the stolen code opened something")
		}
	})
}

func TestATokenThatIsNotQuiteRightIsNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		soon := float64(time.Now().Add(time.Hour).Unix())
		for name, bend := range map[string]func(*idp.Token){
			"another nonce":               func(k *idp.Token) { k.Claims["nonce"] = "another" },
			"no nonce":                    func(k *idp.Token) { delete(k.Claims, "nonce") },
			"another audience":            func(k *idp.Token) { k.Claims["aud"] = []any{"another"} },
			"no audience":                 func(k *idp.Token) { delete(k.Claims, "aud") },
			"two audiences and no azp":    func(k *idp.Token) { k.Claims["aud"] = []any{idp.ClientID, "another"}; delete(k.Claims, "azp") },
			"made for another":            func(k *idp.Token) { k.Claims["azp"] = "another" },
			"expired":                     func(k *idp.Token) { k.Claims["exp"] = float64(time.Now().Add(-time.Minute).Unix()) },
			"no end":                      func(k *idp.Token) { delete(k.Claims, "exp") },
			"not yet":                     func(k *idp.Token) { k.Claims["nbf"] = soon },
			"another issuer":              func(k *idp.Token) { k.Claims["iss"] = "https://evil.test" },
			"the issuer with a slash":     func(k *idp.Token) { k.Claims["iss"] = w.acme.URL + "/" },
			"the issuer in capitals":      func(k *idp.Token) { k.Claims["iss"] = strings.ToUpper(w.acme.URL) },
			"no subject":                  func(k *idp.Token) { delete(k.Claims, "sub") },
			"a subject too long":          func(k *idp.Token) { k.Claims["sub"] = strings.Repeat("s", 256) },
			"a subject with a line break": func(k *idp.Token) { k.Claims["sub"] = "S1\n" },
			"alg none":                    func(k *idp.Token) { k.SignedBy = idp.ByNobody },
			"the public key as a secret":  func(k *idp.Token) { k.SignedBy = idp.ByPublicKey },
			"the client's secret":         func(k *idp.Token) { k.SignedBy = idp.BySecret },
			"another key":                 func(k *idp.Token) { k.SignedBy = idp.ByStranger },
			"another key in the header": func(k *idp.Token) {
				k.SignedBy = idp.ByStranger
				k.Header["jku"] = w.other.URL + "/keys"
				k.Header["x5u"] = w.other.URL
			},
			"a key id from a path":       func(k *idp.Token) { k.SignedBy = idp.ByStranger; k.Header["kid"] = "../../../../etc/passwd" },
			"a key id for a database":    func(k *idp.Token) { k.SignedBy = idp.ByStranger; k.Header["kid"] = "' OR 1=1 --" },
			"another access token's":     func(k *idp.Token) { k.Claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" },
			"a huge one":                 func(k *idp.Token) { k.Claims["junk"] = strings.Repeat("x", 500_000) },
			"one larger than any answer": func(k *idp.Token) { k.Raw = strings.Repeat("x", 5<<20) },
			"nothing but dots":           func(k *idp.Token) { k.Raw = strings.Repeat(".", 60_000) },
			"none":                       func(k *idp.Token) { k.Raw = "-" },
			"JSON serialization":         func(k *idp.Token) { k.Raw = `{"payload":"e30","signatures":[{"a.b.c":1}]}` },
		} {
			w.acme.Bend(bend)
			b := w.browser()
			began := time.Now()
			got := b.tokens(w.acme, "acme")
			if got.Status != 400 || got.Get("code") != "identities.token_invalid" {
				t.Errorf("%s: %d %s", name, got.Status, got.Text)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s took %v", name, took)
			}
			b.wantOut(b.signIn(w.acme, "acme"), "identities.token_invalid")
		}
		if w.count(`SELECT count(*) FROM accounts`) != 0 || w.count(`SELECT count(*) FROM sessions`) != 0 {
			t.Error("one of them opened something")
		}
		w.acme.Bend(func(k *idp.Token) { k.Claims["aud"] = []any{"another", idp.ClientID}; k.Claims["azp"] = idp.ClientID })
		b := w.browser()
		b.wantIn(b.signIn(w.acme, "acme"), "/home")
	})
}

func TestAProviderMayChangeItsKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 3 {
			b := w.browser()
			b.wantIn(b.signIn(w.acme, "acme"), "/home")
			w.acme.Rotate()
		}
	})
}

func TestKeysThatCannotBeHadAreNoFaultOfTheToken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		w.acme.KeysDown(true)
		b.wantOut(b.signIn(w.acme, "acme"), "identities.provider_unavailable")
		w.acme.KeysDown(false)
		b.wantIn(b.signIn(w.acme, "acme"), "/home")
	})
}

func TestAnAnswerOfAnotherProviderIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		u := w.acme.Browse(t, b.authorize("acme", "/home"))
		b.wantOut(b.send("GET", back(u)+"&iss="+url.QueryEscape(w.other.URL), ""), "identities.token_invalid")
		if len(w.acme.Exchanged()) != 0 {
			t.Error("the code was exchanged all the same")
		}
		u = w.acme.Browse(t, b.authorize("acme", "/home"))
		b.wantIn(b.send("GET", back(u)+"&session_state=x&scope=openid&iss="+url.QueryEscape(w.acme.URL), ""), "/home")
	})
}

func TestWhatAProviderWritesIsNotRepeated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for text, code := range map[string]string{"access_denied": "identities.cancelled", "<script>alert(1)</script>": "identities.provider_refused", "server_error": "identities.provider_refused"} {
			b := w.browser()
			u, _ := url.Parse(b.authorize("acme", "/home"))
			got := b.send("GET", "/auth/oauth/acme/callback?"+url.Values{"state": {u.Query().Get("state")}, "error": {text}, "error_description": {"<b>evil</b>"}}.Encode(), "")
			b.wantOut(got, code)
			if all := fmt.Sprint(got.Header, got.Text); strings.Contains(all, "script") || strings.Contains(all, "evil") {
				t.Errorf("the answer repeats it: %s", all)
			}
		}
	})
}

func TestOnlyPathsOfOursAreGoneBackTo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, to := range []string{"//evil.test", `/\evil.test`, "https:evil.test", "/%2f%2fevil.test", "/%5cevil.test", "https://app.test@evil.test", "javascript:alert(1)",
			"/\t/evil.test", "/../..//evil.test", "/\u2215evil.test", "/" + strings.Repeat("x", 64<<10)} {
			b := w.browser()
			b.wantIn(b.send("GET", back(w.acme.Browse(t, b.authorize("acme", to))), ""), "/")
		}
	})
}

func TestAProfileIsTakenWithCare(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.acme.OnlyUserInfo(true)
		w.acme.As(idp.Person{Subject: "S1", Email: "ada@example.com", EmailVerified: true, Name: "<img src=x> \u202eevil" + strings.Repeat("x", 100_000), Claims: map[string]any{
			"picture": "http://169.254.169.254/latest", "locale": "../../etc/passwd", "groups": []any{"admin", "admins"}, "is_admin": true, "role": "owner"}})
		b := w.browser()
		me := b.wantIn(b.signIn(w.acme, "acme"), "/home")
		name := me.Get("name")
		if len(name) > 100 || !strings.HasPrefix(name, "<img src=x> evil") || me.Get("avatar_url") != "" || me.Get("locale") != "en" || me.Body["is_admin"] != false {
			t.Errorf("the account is %s", me.Text)
		}
		if orgs := b.send("GET", "/orgs", "").Want(t, 200).Items(); len(orgs) != 0 {
			t.Errorf("became a member of %v", orgs)
		}
	})
}

func TestAProviderThatIsAwayHoldsUpNothingElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.acme.Down(true)
		w.Call(nil, "GET", "/auth/oauth/acme/authorize", "").WantCode(t, 503, "identities.provider_unavailable")
		b := w.browser()
		b.wantIn(b.signIn(w.other, "other"), "/home")
		late := w.browser()
		to := w.other.Browse(t, late.authorize("other", "/home"))
		w.other.Down(true)
		late.wantOut(late.send("GET", back(to), ""), "identities.provider_unavailable")
		w.acme.Down(false)
		// It is asked again soon.
		for deadline := time.Now().Add(10 * time.Second); w.Call(nil, "GET", "/auth/oauth/acme/authorize", "").Status != 200; time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the provider is back, and nobody asks it")
			}
		}
		b.wantIn(b.signIn(w.acme, "acme"), "/home")
	})
}

func TestLinkingNeedsAFreshProof(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.User("ada")
		w.exec(`UPDATE sessions SET authenticated_at = $1`, time.Now().Add(-time.Hour))
		w.Call(ada, "POST", "/users/me/identities/acme/authorize", "{}").WantCode(t, 401, "auth.fresh_required")
		w.Call(nil, "POST", "/users/me/identities/acme/authorize", "{}").WantCode(t, 401, "auth.required")
	})
}

func TestOverTLSTheCookieIsTheHostsAndTheCallbackThePublicURLs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.Request("GET", "/auth/oauth/acme/authorize", "")
		q.Host = "evil.test"
		q.Header.Set("X-Forwarded-Host", "evil.test")
		got := w.Send(q).Want(t, 200)
		c := (&http.Response{Header: got.Header}).Cookies()[0]
		if c.Name != "__Host-tenon_flow" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
			t.Errorf("the cookie is %v", c)
		}
		to, _ := url.Parse(got.Get("authorization_url"))
		if to.Query().Get("redirect_uri") != "https://app.example.com/base/api/v1/auth/oauth/acme/callback" {
			t.Errorf("comes back to %s", to.Query().Get("redirect_uri"))
		}
		b := w.browser()
		if at := b.send("GET", "/auth/oauth/acme/callback?code=x&state=y", "").Want(t, 302).Header.Get("Location"); at != "/base/sign-in?error=identities.state_invalid" {
			t.Errorf("went to %s", at)
		}
	}, tenontest.Configure(func(c *tenon.Config) { c.Web.PublicURL = "https://app.example.com/base" }))
}

func TestOfManyIdentitiesTwentyAreEnough(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.as(w.User("grace"))
		for i := range 20 {
			w.acme.As(idp.Person{Subject: fmt.Sprint("N", i)})
			if to := b.link(w.acme, "acme").Want(t, 302).Header.Get("Location"); to != "/settings" {
				t.Fatalf("went to %s", to)
			}
		}
		w.acme.As(idp.Person{Subject: "one more"})
		if to := b.link(w.acme, "acme").Want(t, 302).Header.Get("Location"); to != "/settings?error=identities.too_many" {
			t.Errorf("went to %s", to)
		}
		first := b.send("GET", "/users/me/identities?limit=15", "").Want(t, 200)
		rest := b.send("GET", "/users/me/identities?limit=15&cursor="+first.Get("next_cursor"), "").Want(t, 200)
		if len(first.Items()) != 15 || len(rest.Items()) != 5 || rest.Body["next_cursor"] != nil {
			t.Errorf("%d and %d are listed", len(first.Items()), len(rest.Items()))
		}
	})
}

func TestOldFlowsAreRemoved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().authorize("acme", "/")
		w.exec(`UPDATE identity_flows SET expires_at = $1`, w.Config.Now().Add(-2*time.Hour))
		w.browser().authorize("acme", "/")
		if err := w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return w.Jobs.Enqueue(t.Context(), tx, identities.Sweep{}) }); err != nil {
			t.Fatal(err)
		}
		w.Settle()
		if n := w.count(`SELECT count(*) FROM identity_flows`); n != 1 {
			t.Errorf("%d flows are left, want the one that may still come back", n)
		}
	})
}

func TestWhoMayNotSignUpMayNotWithAProviderEither(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.as(w.User("ada"))
		ada.link(w.other, "other").Want(t, 302)
		b := w.browser()
		w.acme.As(idp.Person{Subject: "S9", Email: "new@elsewhere.example", EmailVerified: true})
		b.wantOut(b.signIn(w.acme, "acme"), "accounts.sign_up_closed")
		b.tokens(w.acme, "acme").WantCode(t, 403, "accounts.sign_up_closed")
		if w.count(`SELECT count(*) FROM accounts`) != 1 || w.count(`SELECT count(*) FROM identity_subjects`) != 1 {
			t.Error("something was made")
		}
		b.wantIn(b.signIn(w.other, "other"), "/home") // who has an account already
	}, tenontest.Configure(func(c *tenon.Config) { c.Accounts.SignUp = accounts.SignUpInvitation }))
}

func TestAPolicyOfSignUpSeesThatAProviderVouches(t *testing.T) {
	refused := errs.New(errs.Forbidden, "test.refused", "Not you.")
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.wantOut(b.signIn(w.acme, "acme"), "test.refused")
		b.wantIn(b.signIn(w.other, "other"), "/home")
	}, tenontest.Configure(func(c *tenon.Config) {
		c.Accounts.BeforeSignUp = func(_ context.Context, u accounts.SignUp) error {
			if u.Via != accounts.ViaProvider || u.Email == "ada@example.com" {
				return refused
			}
			return nil
		}
	}))
}

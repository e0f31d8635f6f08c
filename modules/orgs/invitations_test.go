package orgs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

func uncached(c *tenon.Config) { c.Cache = "off" }

// within fails the test unless something becomes true in a second.
func within(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a second")
		}
	}
}

func TestTheInvitedPersonJoins(t *testing.T) {
	each(t, func(w *world) {
		team := w.call(w.owner, "POST", "/teams", `{"name":"Design","slug":"design"}`).Want(w.t, 201).Get("id")
		w.call(w.admin, "POST", "/invitations", `{"email":"Outside@Example.com","role":"member","team_ids":["`+team+`"]}`).Want(w.t, 201)
		letter := w.Mail("outside@example.com")[0]
		token := w.MailedToken("outside@example.com")
		if !strings.Contains(letter.Text, "/accept-invitation?token="+token) || !strings.Contains(letter.Subject, "admin") || !strings.Contains(letter.Subject, "The acme") {
			t.Errorf("letter: %s\n%s", letter.Subject, letter.Text)
		}
		list := w.call(w.admin, "GET", "/invitations", "").Want(w.t, 200)
		if len(list.Items()) != 1 || strings.Contains(list.Text, "tn_inv_") || strings.Contains(list.Text, "token") {
			t.Errorf("list: %s", list.Text)
		}
		offer := w.Call(nil, "POST", "/invitations/preview", `{"token":"`+token+`"}`).Want(w.t, 200)
		if org := offer.Body["org"].(map[string]any); org["name"] != "The acme" || offer.Get("email") != "outside@example.com" || offer.Get("role") != "member" {
			t.Errorf("offer: %s", offer.Text)
		}
		joined := w.accept(w.outside, token).Want(w.t, 200)
		if joined.Get("org_id") != w.org.String() || joined.Get("role") != "member" || len(joined.Body) != 2 {
			t.Errorf("joined: %s", joined.Text)
		}
		if mates := field(w.call(w.outside, "GET", "/teams/"+team+"/members", "").Want(w.t, 200).Items(), "email"); len(mates) != 1 || mates[0] != "outside@example.com" {
			t.Errorf("in the team: %v", mates)
		}
		w.accept(w.outside, token).WantCode(w.t, 404, "orgs.invitation_invalid")
		if n := len(w.call(w.admin, "GET", "/invitations", "").Items()); n != 0 {
			t.Errorf("%d invitations are open", n)
		}
	})
}

func TestWhoHasNoAccountGetsOneByTheLetter(t *testing.T) {
	each(t, func(w *world) {
		token, _ := w.invite(w.owner, "new@example.com", "member")
		accept := func(rest string) *tenontest.Answer {
			return w.Call(nil, "POST", "/invitations/accept", `{"token":"`+token+`"`+rest+`}`)
		}
		accept("").WantCode(w.t, 422, "orgs.password_required")
		accept(`,"name":"New","password":"12345678"`).WantCode(w.t, 422, "accounts.password_common")
		got := accept(`,"name":"New","password":"a phrase only I know"`).Want(w.t, 201)
		if got.Get("access_token") == "" || got.Get("token_type") != "Bearer" || got.Body["org_id"] != nil {
			t.Errorf("tokens: %s", got.Text)
		}
		fresh := &tenontest.User{}
		fresh.Tokens.AccessToken = got.Get("access_token")
		me := w.Call(fresh, "GET", "/users/me", "").Want(w.t, 200)
		if me.Body["email_verified"] != true || me.Get("email") != "new@example.com" || me.Get("default_org_id") != w.org.String() {
			t.Errorf("me: %s", me.Text)
		}
		w.call(fresh, "GET", "", "").Want(w.t, 200)

		// Who has proven the address has a password already; the letter does not replace it.
		token, _ = w.invite(w.owner, "outside@example.com", "member")
		accept(`,"name":"Thief","password":"a phrase only I know"`).WantCode(w.t, 409, "orgs.sign_in_to_accept")
		w.accept(w.outside, token).Want(w.t, 200)
	})
}

// An address that someone signed up with and never proved belongs to whoever gets its letters.
func TestTheLetterOutranksAnUnprovenSignUp(t *testing.T) {
	each(t, func(w *world) {
		w.Call(nil, "POST", "/auth/register", `{"email":"victim@example.com","password":"the squatter's phrase","name":"Squatter"}`).Want(w.t, 202)
		w.Settle()
		token, _ := w.invite(w.owner, "victim@example.com", "member")
		w.Call(nil, "POST", "/invitations/accept", `{"token":"`+token+`","name":"Victim","password":"the owner's own phrase"}`).Want(w.t, 201)
		w.Call(nil, "POST", "/auth/login", `{"email":"victim@example.com","password":"the squatter's phrase"}`).Want(w.t, 401)
		w.Call(nil, "POST", "/auth/login", `{"email":"victim@example.com","password":"the owner's own phrase"}`).Want(w.t, 200)
	})
}

// Only the owner of the invited address can accept (E08).
func TestNobodyElseCanAccept(t *testing.T) {
	each(t, func(w *world) {
		token, _ := w.invite(w.owner, "a@example.com", "admin")
		w.accept(w.outside, token).WantCode(w.t, 403, "orgs.email_mismatch")
		w.Call(w.outside, "POST", "/users/me/email", `{"new_email":"a@example.com"}`).Want(w.t, 202)
		w.accept(w.outside, token).WantCode(w.t, 403, "orgs.email_mismatch")
		w.Call(nil, "POST", "/invitations/accept", `{"token":"`+token+`","name":"B","password":"a phrase only I know","email":"b@example.com"}`).Want(w.t, 422)
		if w.roleOf(w.outside) != "" {
			t.Error("they joined")
		}
		w.Call(nil, "POST", "/invitations/preview", `{"token":"`+token+`"}`).Want(w.t, 200) // still open

		unproven := w.User("unproven")
		if _, err := w.DB.Platform("test").Exec(t.Context(), `UPDATE accounts SET email_verified_at = NULL WHERE id = $1`, unproven.ID); err != nil {
			t.Fatal(err)
		}
		token, _ = w.invite(w.owner, "unproven@example.com", "admin")
		w.accept(unproven, token).WantCode(w.t, 403, "orgs.email_unverified")
		if w.roleOf(unproven) != "" {
			t.Error("they joined")
		}
	})
}

// A token is good once, unchanged, until it is revoked or replaced (E09).
func TestATokenIsGoodAsLongAsItsInvitationIs(t *testing.T) {
	const invalid = "orgs.invitation_invalid"
	each(t, func(w *world) {
		first, inv := w.invite(w.owner, "outside@example.com", "member")
		for _, bad := range []string{"", "x", first + "0", first[:len(first)-1], strings.ToUpper(first), strings.Replace(first, "tn_inv_", "tn_ses_", 1), inv} {
			w.accept(w.outside, bad).WantCode(w.t, 404, invalid)
			w.Call(nil, "POST", "/invitations/preview", fmt.Sprintf(`{"token":%q}`, bad)).WantCode(w.t, 404, invalid)
		}
		stored, err := db.All(t.Context(), w.DB.Platform("test"), db.Scalar[[]byte], `SELECT token_hash FROM org_invitations`)
		if err != nil || len(stored) != 1 || len(stored[0]) != 32 {
			t.Fatalf("stored: %x, %v", stored, err)
		}
		w.call(w.owner, "POST", "/invitations", `{"email":"OUTSIDE@example.com","role":"viewer"}`).WantCode(w.t, 409, "orgs.already_invited")
		w.call(w.owner, "POST", "/invitations", `{"email":"member@example.com","role":"viewer"}`).WantCode(w.t, 409, "orgs.already_member")
		w.call(w.owner, "POST", "/invitations", `{"email":"x@example.com","role":"emperor"}`).WantCode(w.t, 422, "orgs.role_unknown")
		w.call(w.owner, "POST", "/invitations", `{"email":"a@b.example, c@d.example","role":"viewer"}`).WantCode(w.t, 422, "accounts.email_invalid")

		w.call(w.owner, "POST", "/invitations/"+inv+"/resend", "").Want(w.t, 202)
		second := w.MailedToken("outside@example.com")
		w.accept(w.outside, first).WantCode(w.t, 404, invalid)
		w.call(w.owner, "DELETE", "/invitations/"+inv, "").Want(w.t, 204)
		w.accept(w.outside, second).WantCode(w.t, 404, invalid)
		w.call(w.owner, "POST", "/invitations/"+inv+"/resend", "").WantCode(w.t, 404, "orgs.invitation_not_found")
		w.call(w.owner, "DELETE", "/invitations/"+inv, "").WantCode(w.t, 404, "orgs.invitation_not_found")
		if w.roleOf(w.outside) != "" {
			t.Error("they joined")
		}
	})
}

// An invitation stands on its inviter's rights, as they are when it is accepted (E09).
func TestAnInvitationIsVoidWithoutItsInvitersRights(t *testing.T) {
	const void = "orgs.invitation_void"
	each(t, func(w *world) {
		second := w.User("second")
		w.join(w.org, second, authz.Owner)
		token, inv := w.invite(second, "outside@example.com", "owner")
		w.call(w.owner, "PATCH", "/members/"+second.ID.String(), `{"role":"admin"}`).Want(w.t, 200)
		w.accept(w.outside, token).WantCode(w.t, 409, void) // an admin grants no ownership
		w.call(w.owner, "PATCH", "/members/"+second.ID.String(), `{"role":"member"}`).Want(w.t, 200)
		w.accept(w.outside, token).WantCode(w.t, 409, void) // a member invites nobody
		w.call(w.owner, "DELETE", "/members/"+second.ID.String(), "").Want(w.t, 204)
		w.accept(w.outside, token).WantCode(w.t, 409, void)
		if w.roleOf(w.outside) != "" {
			t.Error("they joined")
		}
		w.call(w.owner, "POST", "/invitations/"+inv+"/resend", "").Want(w.t, 202) // the owner vouches for it
		w.accept(w.outside, w.MailedToken("outside@example.com")).Want(w.t, 200)
		if got := w.roleOf(w.outside); got != "owner" {
			t.Errorf("they are %q", got)
		}
	})
}

func TestAnInvitationExpiresToTheSecond(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			now := clock.NewManual(time.Now())
			w := newWorld(t, tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now = now.Now })))
			token, inv := w.invite(w.owner, "outside@example.com", "viewer")
			now.Advance(7*24*time.Hour - time.Second)
			w.Call(nil, "POST", "/invitations/preview", `{"token":"`+token+`"}`).Want(t, 200)
			now.Advance(time.Second)
			w.outside.Tokens, w.owner.Tokens = w.SignIn(w.outside), w.SignIn(w.owner)
			w.accept(w.outside, token).WantCode(t, 404, "orgs.invitation_invalid")
			w.call(w.owner, "POST", "/invitations/"+inv+"/resend", "").Want(t, 202)
			w.accept(w.outside, w.MailedToken("outside@example.com")).Want(t, 200)
		})
	}
}

func TestAnOrganizationCannotSendLettersWithoutEnd(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ctx := app.As(app.User("ada"))
		org, err := app.Orgs.Create(ctx, orgs.NewOrg{Name: "Acme", Slug: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 101 {
			_, err = app.Orgs.Invite(ctx, org.ID, orgs.NewInvitation{Email: fmt.Sprintf("x%d@example.com", i), Role: authz.Viewer})
			if i < 100 && err != nil {
				t.Fatal(err)
			}
		}
		if got := fmt.Sprint(err); got != "orgs.too_many_invitations" {
			t.Errorf("letter 101: %v", got)
		}
	}, tenontest.Configure(func(c *tenon.Config) { c.RateLimit = "on" }))
}

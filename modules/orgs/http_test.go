package orgs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest"
)

// world is an organization with one member of each built-in role, and a stranger.
type world struct {
	*tenontest.App
	t                                     *testing.T
	owner, admin, member, viewer, outside *tenontest.User
	org                                   id.Org
	at                                    string // path of the organization
}

func each(t *testing.T, fn func(w *world), options ...tenontest.Option) {
	t.Helper()
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) { fn(newWorld(t, app)) }, options...)
}

func newWorld(t *testing.T, app *tenontest.App) *world {
	t.Helper()
	w := &world{App: app, t: t, owner: app.User("owner"), admin: app.User("admin"), member: app.User("member"), viewer: app.User("viewer"), outside: app.User("outside")}
	w.org = w.newOrg(w.owner, "acme")
	w.at = "/orgs/" + w.org.String()
	w.join(w.org, w.admin, authz.Admin)
	w.join(w.org, w.member, authz.Member)
	w.join(w.org, w.viewer, authz.Viewer)
	return w
}

func (w *world) newOrg(owner *tenontest.User, slug string) id.Org {
	w.t.Helper()
	made := w.Call(owner, "POST", "/orgs", fmt.Sprintf(`{"name":"The %s","slug":%q}`, slug, slug)).Want(w.t, 201)
	org, err := id.Parse[id.OrgKind](made.Get("id"))
	if err != nil {
		w.t.Fatal(err)
	}
	return org
}

func (w *world) join(org id.Org, u *tenontest.User, role authz.Role) {
	w.t.Helper()
	system := authz.With(w.t.Context(), &authz.Principal{Kind: authz.ActorSystem})
	if _, err := w.Orgs.Join(system, org, u.ID, role); err != nil {
		w.t.Fatal(err)
	}
}

// call sends a request below the organization.
func (w *world) call(u *tenontest.User, method, path, body string) *tenontest.Answer {
	w.t.Helper()
	return w.Call(u, method, w.at+path, body)
}

// invite returns the token that was mailed, and the id of the invitation.
func (w *world) invite(by *tenontest.User, email, role string) (token, invitation string) {
	w.t.Helper()
	made := w.call(by, "POST", "/invitations", fmt.Sprintf(`{"email":%q,"role":%q}`, email, role)).Want(w.t, 201)
	return w.MailedToken(email), made.Get("id")
}

func (w *world) accept(u *tenontest.User, token string) *tenontest.Answer {
	w.t.Helper()
	return w.Call(u, "POST", "/invitations/accept", `{"token":"`+token+`"}`)
}

func (w *world) roleOf(u *tenontest.User) string {
	w.t.Helper()
	for _, m := range w.call(w.owner, "GET", "/members?limit=100", "").Want(w.t, 200).Items() {
		if m["account_id"] == u.ID.String() {
			return m["role"].(string)
		}
	}
	return ""
}

// eventTypes lists what the organization's log tells, newest first.
func (w *world) eventTypes() (types []string) {
	w.t.Helper()
	for _, e := range w.call(w.owner, "GET", "/events?limit=100", "").Want(w.t, 200).Items() {
		types = append(types, e["type"].(string))
	}
	return types
}

func field(values []map[string]any, name string) (list []string) {
	for _, v := range values {
		list = append(list, fmt.Sprint(v[name]))
	}
	return list
}

func TestAnOrganizationIsMadeShownAndChanged(t *testing.T) {
	each(t, func(w *world) {
		got := w.call(w.owner, "GET", "", "").Want(w.t, 200)
		if got.Get("role") != "owner" || got.Get("slug") != "acme" || got.Get("status") != "active" || got.Get("name") != "The acme" {
			t.Errorf("got %s", got.Text)
		}
		if role := w.call(w.viewer, "GET", "", "").Want(w.t, 200).Get("role"); role != "viewer" {
			t.Errorf("the viewer's role is %s", role)
		}
		changed := w.call(w.admin, "PATCH", "", `{"name":"Acme","slug":"acme-2","description":"We\nmake","settings":{"locale":"de-at","time_zone":"Europe/Vienna"}}`).Want(w.t, 200)
		want := map[string]any{"locale": "de-AT", "time_zone": "Europe/Vienna", "require_second_factor": false}
		if diff := cmp.Diff(want, changed.Body["settings"]); diff != "" || changed.Get("slug") != "acme-2" || changed.Get("role") != "admin" {
			t.Errorf("changed to %s %s", changed.Text, diff)
		}
		if same := w.call(w.owner, "PATCH", "", `{"settings":{"locale":"en"}}`).Want(w.t, 200); same.Body["settings"].(map[string]any)["time_zone"] != "Europe/Vienna" {
			t.Errorf("an absent setting changed: %s", same.Text)
		}
		w.newOrg(w.outside, "acme") // the name that was given up
		w.call(w.owner, "PATCH", "", `{"slug":"acme"}`).WantCode(w.t, 409, "orgs.slug_taken")
		w.Call(w.owner, "POST", "/orgs", `{"name":"X","slug":"acme"}`).WantCode(w.t, 409, "orgs.slug_taken")
		bad := w.Call(w.owner, "POST", "/orgs", `{"name":"X","slug":"-"}`).WantCode(w.t, 422, "orgs.slug_invalid")
		if bad.Get("field") != "body.slug" {
			t.Errorf("it blames %q", bad.Get("field"))
		}
		if me := w.Call(w.owner, "GET", "/users/me", "").Want(w.t, 200); me.Get("default_org_id") != w.org.String() {
			t.Errorf("the default organization is %q", me.Get("default_org_id"))
		}
	})
}

func TestMineAreListedInPages(t *testing.T) {
	each(t, func(w *world) {
		for i := range 4 {
			w.newOrg(w.member, fmt.Sprintf("mine-%d", i))
		}
		var got []string
		cursor := ""
		for {
			page := w.Call(w.member, "GET", "/orgs?limit=2"+cursor, "").Want(w.t, 200)
			got = append(got, field(page.Items(), "slug")...)
			if page.Get("next_cursor") == "" {
				break
			}
			cursor = "&cursor=" + page.Get("next_cursor")
		}
		if diff := cmp.Diff([]string{"acme", "mine-0", "mine-1", "mine-2", "mine-3"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Who may do what: the same request as each role, in the order owner, admin, member,
// viewer, stranger, nobody.
func TestEachRoleMayDoWhatItsPermissionsSay(t *testing.T) {
	each(t, func(w *world) {
		team := w.call(w.owner, "POST", "/teams", `{"name":"Design","slug":"design"}`).Want(w.t, 201).Get("id")
		w.call(w.owner, "POST", "/roles", `{"key":"support","name":"Support","permissions":["orgs.read"]}`).Want(w.t, 201)
		_, inv := w.invite(w.owner, "guest@example.com", "viewer")
		extra := w.User("extra")
		w.join(w.org, extra, authz.Viewer)
		who := []*tenontest.User{w.viewer, w.member, w.admin, w.owner, w.outside, nil}
		for _, tt := range []struct {
			method, path, body string
			want               string // viewer, member, admin, owner, outside, nobody
		}{
			{"GET", "", "", "200 200 200 200 404 401"},
			{"PATCH", "", `{"name":"New"}`, "403 403 200 200 404 401"},
			{"GET", "/members", "", "200 200 200 200 404 401"},
			{"PATCH", "/members/" + extra.ID.String(), `{"role":"member"}`, "403 403 200 200 404 401"},
			{"GET", "/roles", "", "200 200 200 200 404 401"},
			{"POST", "/roles", `{"key":"owner","name":"X","permissions":[]}`, "403 403 409 409 404 401"},
			{"PATCH", "/roles/support", `{"name":"Helpers"}`, "403 403 200 200 404 401"},
			{"DELETE", "/roles/viewer", "", "403 403 409 409 404 401"},
			{"GET", "/teams", "", "200 200 200 200 404 401"},
			{"POST", "/teams", `{"name":"X","slug":"-"}`, "403 403 422 422 404 401"},
			{"GET", "/teams/" + team, "", "200 200 200 200 404 401"},
			{"PATCH", "/teams/" + team, `{"name":"Look"}`, "403 403 200 200 404 401"},
			{"GET", "/teams/" + team + "/members", "", "200 200 200 200 404 401"},
			{"PUT", "/teams/" + team + "/members/" + extra.ID.String(), "", "403 403 204 204 404 401"},
			{"DELETE", "/teams/" + team + "/members/" + w.owner.ID.String(), "", "403 403 404 404 404 401"},
			{"GET", "/invitations", "", "403 403 200 200 404 401"},
			{"POST", "/invitations", `{"email":"owner@example.com","role":"viewer"}`, "403 403 409 409 404 401"},
			{"POST", "/invitations/" + inv + "/resend", "", "403 403 202 202 404 401"},
			{"POST", "/restore", "", "403 403 403 409 404 401"},
			{"POST", "/transfer", `{"account_id":"` + w.owner.ID.String() + `"}`, "403 403 403 422 404 401"},
		} {
			var got []string
			for _, u := range who {
				got = append(got, fmt.Sprint(w.call(u, tt.method, tt.path, tt.body).Status))
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%s %s: %s, want %s", tt.method, tt.path, s, tt.want)
			}
		}
	})
}

// What belongs to another organization is as unknown as what does not exist (E01).
func TestIDsOfAnotherOrganizationAreUnknown(t *testing.T) {
	each(t, func(w *world) {
		other := "/orgs/" + w.newOrg(w.outside, "other").String()
		team := w.Call(w.outside, "POST", other+"/teams", `{"name":"T","slug":"t"}`).Want(w.t, 201).Get("id")
		role := w.Call(w.outside, "POST", other+"/roles", `{"key":"secret","name":"S","permissions":[]}`).Want(w.t, 201).Get("id")
		inv := w.Call(w.outside, "POST", other+"/invitations", `{"email":"x@example.com","role":"viewer"}`).Want(w.t, 201).Get("id")
		for _, u := range []*tenontest.User{w.owner, w.viewer} {
			for _, r := range [][3]string{
				{"GET", "/teams/" + team, ""}, {"PATCH", "/teams/" + team, `{"name":"x"}`}, {"DELETE", "/teams/" + team, ""},
				{"GET", "/teams/" + team + "/members", ""}, {"PUT", "/teams/" + team + "/members/" + w.owner.ID.String(), ""},
				{"PATCH", "/roles/" + role, `{"name":"x"}`}, {"DELETE", "/roles/" + role, ""}, {"DELETE", "/roles/secret", ""},
				{"DELETE", "/invitations/" + inv, ""}, {"POST", "/invitations/" + inv + "/resend", ""},
				{"PATCH", "/members/" + w.outside.ID.String(), `{"role":"viewer"}`}, {"DELETE", "/members/" + w.outside.ID.String(), ""},
				{"DELETE", "/members/nonsense", ""}, {"DELETE", "/members/" + w.org.String(), ""},
			} {
				if got := w.call(u, r[0], r[1], r[2]); got.Status != 404 {
					t.Errorf("%s %s as %s: %s", r[0], r[1], u.Name, got.Text)
				}
			}
		}
		w.call(w.owner, "POST", "/invitations", `{"email":"y@example.com","role":"viewer","team_ids":["`+team+`"]}`).WantCode(w.t, 422, "orgs.team_unknown")
		w.call(w.owner, "POST", "/transfer", `{"account_id":"`+w.outside.ID.String()+`"}`).WantCode(w.t, 404, "orgs.member_not_found")
		w.Call(w.outside, "GET", other+"/teams/"+team, "").Want(w.t, 200)
	})
}

// Nothing but what an operation declares can be written (E04).
func TestUnknownFieldsChangeNothing(t *testing.T) {
	each(t, func(w *world) {
		before := w.call(w.owner, "GET", "", "").Text
		for _, r := range [][3]string{
			{"POST", "/orgs", `{"name":"X","slug":"xxx","owner_id":"acc_x"}`}, {"POST", "/orgs", `{"name":"X","slug":"xxx","status":"active"}`},
			{"POST", "/orgs", `{"name":"X","Slug":"xxx"}`}, {"POST", "/orgs", `{"name":"X","slug":"xxx","slug":"yyy"}`},
			{"PATCH", w.at, `{"id":"org_x"}`}, {"PATCH", w.at, `{"status":"suspended"}`}, {"PATCH", w.at, `{"created_at":"2020-01-01T00:00:00Z"}`},
			{"PATCH", w.at, `{"plan":"gold"}`}, {"PATCH", w.at, `{"Name":"X"}`}, {"PATCH", w.at, `{"settings":{"sso_enforced":false}}`}, {"PATCH", w.at, `{"__proto__":{}}`},
			{"PATCH", w.at + "/members/" + w.member.ID.String(), `{"role":"viewer","permissions":["orgs.delete"]}`},
			{"PATCH", w.at + "/members/" + w.member.ID.String(), `{"Role":"viewer"}`},
			{"POST", w.at + "/roles", `{"key":"kk","name":"K","permissions":[],"built_in":true}`},
			{"POST", w.at + "/invitations", `{"email":"x@example.com","role":"viewer","org_id":"org_x"}`},
			{"POST", "/invitations/accept", `{"token":"x","role":"owner"}`}, {"POST", "/invitations/accept", `{"token":"x","email":"a@example.com"}`},
		} {
			if got := w.Call(w.owner, r[0], r[1], r[2]); got.Status != 400 && got.Status != 422 {
				t.Errorf("%s %s %s: %s", r[0], r[1], r[2], got.Text)
			}
		}
		if after := w.call(w.owner, "GET", "", "").Text; after != before {
			t.Errorf("changed to %s", after)
		}
		if role := w.roleOf(w.member); role != "member" {
			t.Errorf("the member is %s now", role)
		}
	})
}

// Nobody grants, edits or takes away more than they have (E05).
func TestNobodyGoesBeyondTheirOwnRights(t *testing.T) {
	const beyond = "orgs.beyond_own_rights"
	each(t, func(w *world) {
		member := func(u *tenontest.User) string { return "/members/" + u.ID.String() }
		w.call(w.admin, "PATCH", member(w.admin), `{"role":"owner"}`).WantCode(w.t, 403, beyond)
		w.call(w.admin, "PATCH", member(w.member), `{"role":"owner"}`).WantCode(w.t, 403, beyond)
		w.call(w.admin, "PATCH", member(w.owner), `{"role":"member"}`).WantCode(w.t, 403, beyond)
		w.call(w.admin, "DELETE", member(w.owner), "").WantCode(w.t, 403, beyond)
		w.call(w.admin, "POST", "/invitations", `{"email":"x@example.com","role":"owner"}`).WantCode(w.t, 403, beyond)
		w.call(w.admin, "POST", "/roles", `{"key":"root","name":"R","permissions":["orgs.delete"]}`).WantCode(w.t, 403, beyond)

		w.call(w.owner, "POST", "/roles", `{"key":"heir","name":"Heir","permissions":["orgs.delete","orgs.read"]}`).Want(w.t, 201)
		w.call(w.admin, "PATCH", "/roles/heir", `{"name":"X"}`).WantCode(w.t, 403, beyond)
		w.call(w.admin, "DELETE", "/roles/heir", "").WantCode(w.t, 403, beyond)
		w.call(w.admin, "PATCH", member(w.admin), `{"role":"heir"}`).WantCode(w.t, 403, beyond)
		_, inv := w.invite(w.owner, "heir@example.com", "heir")
		w.call(w.admin, "DELETE", "/invitations/"+inv, "").WantCode(w.t, 403, beyond)
		w.call(w.admin, "POST", "/invitations/"+inv+"/resend", "").WantCode(w.t, 403, beyond)

		// Whoever may manage roles may not lift the one that they have themselves.
		w.call(w.owner, "POST", "/roles", `{"key":"clerk","name":"Clerk","permissions":["orgs.read","orgs.manage_roles"]}`).Want(w.t, 201)
		w.call(w.owner, "PATCH", member(w.member), `{"role":"clerk"}`).Want(w.t, 200)
		w.call(w.member, "PATCH", "/roles/clerk", `{"permissions":["orgs.read","orgs.manage_roles","orgs.manage_members"]}`).WantCode(w.t, 403, beyond)
		w.call(w.member, "PATCH", "/roles/clerk", `{"permissions":["orgs.read","orgs.rule"]}`).WantCode(w.t, 422, "orgs.permission_unknown")
		w.call(w.member, "PATCH", member(w.member), `{"role":"admin"}`).WantCode(w.t, 403, "auth.denied")
		if w.roleOf(w.owner) != "owner" || w.roleOf(w.admin) != "admin" || w.roleOf(w.member) != "clerk" {
			t.Error("someone's role changed")
		}
	})
}

func TestAnOrganizationsOwnRolesAreLivedByAtOnce(t *testing.T) {
	each(t, func(w *world) {
		made := w.call(w.owner, "POST", "/roles", `{"key":"support","name":"Support","permissions":["orgs.read","orgs.invite"]}`).Want(w.t, 201)
		w.call(w.owner, "POST", "/roles", `{"key":"support","name":"Again","permissions":[]}`).WantCode(w.t, 409, "orgs.role_taken")
		w.call(w.owner, "PATCH", "/members/"+w.member.ID.String(), `{"role":"support"}`).Want(w.t, 200)
		w.call(w.member, "GET", "/invitations", "").Want(w.t, 200)
		w.call(w.member, "GET", "/members", "").WantCode(w.t, 403, "auth.denied")
		w.call(w.owner, "PATCH", "/roles/"+made.Get("id"), `{"permissions":["orgs.list_members","orgs.read"]}`).Want(w.t, 200)
		w.call(w.member, "GET", "/invitations", "").WantCode(w.t, 403, "auth.denied")
		w.call(w.member, "GET", "/members", "").Want(w.t, 200)
		w.call(w.owner, "DELETE", "/roles/support", "").WantCode(w.t, 409, "orgs.role_in_use")
		w.call(w.owner, "PATCH", "/members/"+w.member.ID.String(), `{"role":"member"}`).Want(w.t, 200)
		_, inv := w.invite(w.owner, "x@example.com", "support")
		w.call(w.owner, "DELETE", "/roles/support", "").WantCode(w.t, 409, "orgs.role_in_use")
		w.call(w.owner, "DELETE", "/invitations/"+inv, "").Want(w.t, 204)
		w.call(w.owner, "DELETE", "/roles/support", "").Want(w.t, 204)
		w.call(w.owner, "DELETE", "/roles/support", "").WantCode(w.t, 404, "orgs.role_not_found")
		w.call(w.owner, "PATCH", "/members/"+w.member.ID.String(), `{"role":"support"}`).WantCode(w.t, 422, "orgs.role_unknown")
		w.call(w.owner, "PATCH", "/roles/admin", `{"name":"X"}`).WantCode(w.t, 409, "orgs.role_built_in")
	})
}

func TestRolesArePagedAcrossBuiltInAndOwn(t *testing.T) {
	each(t, func(w *world) {
		for _, key := range []string{"bb", "aa"} {
			w.call(w.owner, "POST", "/roles", `{"key":"`+key+`","name":"X","permissions":[]}`).Want(w.t, 201)
		}
		for _, size := range []string{"1", "2", "3", "4", "100"} {
			var got []string
			for cursor := ""; ; {
				page := w.call(w.owner, "GET", "/roles?limit="+size+cursor, "").Want(w.t, 200)
				got = append(got, field(page.Items(), "key")...)
				if page.Get("next_cursor") == "" {
					break
				}
				cursor = "&cursor=" + page.Get("next_cursor")
			}
			if diff := cmp.Diff([]string{"owner", "admin", "member", "viewer", "aa", "bb"}, got); diff != "" {
				t.Errorf("by %s: %s", size, diff)
			}
		}
		perms := w.Call(w.outside, "GET", "/permissions?limit=100", "").Want(w.t, 200).Items()
		if len(perms) < 10 || perms[0]["description"] == "" || len(perms[0]["roles"].([]any)) == 0 {
			t.Errorf("permissions: %v", perms)
		}
	})
}

func TestTheLastOwnerStays(t *testing.T) {
	each(t, func(w *world) {
		me := "/members/" + w.owner.ID.String()
		w.call(w.owner, "POST", "/leave", "").WantCode(w.t, 409, "orgs.last_owner")
		w.call(w.owner, "DELETE", me, "").WantCode(w.t, 409, "orgs.last_owner")
		w.call(w.owner, "PATCH", me, `{"role":"admin"}`).WantCode(w.t, 409, "orgs.last_owner")
		got := w.call(w.owner, "POST", "/transfer", `{"account_id":"`+w.member.ID.String()+`"}`).Want(w.t, 200)
		if got.Get("role") != "admin" || w.roleOf(w.member) != "owner" || w.roleOf(w.owner) != "admin" {
			t.Errorf("after the transfer: %s", got.Text)
		}
		w.call(w.owner, "POST", "/transfer", `{"account_id":"`+w.owner.ID.String()+`"}`).WantCode(w.t, 403, "auth.denied")
		w.call(w.owner, "POST", "/leave", "").Want(w.t, 204)
		w.call(w.owner, "GET", "", "").WantCode(w.t, 404, "not_found")
	})
}

func TestTeamsHaveMembersOfTheOrganizationOnly(t *testing.T) {
	each(t, func(w *world) {
		team := w.call(w.admin, "POST", "/teams", `{"name":"Design","slug":"design"}`).Want(w.t, 201).Get("id")
		w.call(w.admin, "POST", "/teams", `{"name":"Again","slug":"design"}`).WantCode(w.t, 409, "orgs.team_slug_taken")
		other := w.call(w.admin, "POST", "/teams", `{"name":"Build","slug":"build"}`).Want(w.t, 201).Get("id")
		w.call(w.admin, "PATCH", "/teams/"+other, `{"slug":"design"}`).WantCode(w.t, 409, "orgs.team_slug_taken")
		if slugs := field(w.call(w.viewer, "GET", "/teams", "").Items(), "slug"); !cmp.Equal(slugs, []string{"build", "design"}) {
			t.Errorf("teams: %v", slugs)
		}
		at := "/teams/" + team + "/members"
		w.call(w.admin, "PUT", at+"/"+w.member.ID.String(), "").Want(w.t, 204)
		w.call(w.admin, "PUT", at+"/"+w.viewer.ID.String(), `{"role":"lead"}`).Want(w.t, 204)
		w.call(w.admin, "PUT", at+"/"+w.viewer.ID.String(), `{"role":"king"}`).Want(w.t, 422)
		w.call(w.admin, "PUT", at+"/"+w.outside.ID.String(), "").WantCode(w.t, 404, "orgs.member_not_found")
		if roles := field(w.call(w.viewer, "GET", at, "").Want(w.t, 200).Items(), "role"); !cmp.Equal(roles, []string{"member", "lead"}) {
			t.Errorf("roles in the team: %v", roles)
		}
		w.call(w.owner, "DELETE", "/members/"+w.member.ID.String(), "").Want(w.t, 204)
		if left := field(w.call(w.viewer, "GET", at, "").Items(), "email"); !cmp.Equal(left, []string{"viewer@example.com"}) {
			t.Errorf("left in the team: %v", left)
		}
		w.call(w.admin, "DELETE", at+"/"+w.viewer.ID.String(), "").Want(w.t, 204)
		w.call(w.admin, "DELETE", "/teams/"+team, "").Want(w.t, 204)
		w.call(w.admin, "GET", "/teams/"+team, "").WantCode(w.t, 404, "orgs.team_not_found")
	})
}

// Every change leaves its event, with the person who made it and no address in its data.
func TestChangesAreInTheLog(t *testing.T) {
	each(t, func(w *world) {
		_, inv := w.invite(w.admin, "x@example.com", "viewer")
		w.call(w.admin, "DELETE", "/invitations/"+inv, "").Want(w.t, 204)
		w.call(w.owner, "PATCH", "/members/"+w.member.ID.String(), `{"role":"viewer"}`).Want(w.t, 200)
		w.call(w.owner, "PATCH", "/members/"+w.member.ID.String(), `{"role":"viewer"}`).Want(w.t, 200) // no change, no event
		w.call(w.owner, "DELETE", "/members/"+w.member.ID.String(), "").Want(w.t, 204)
		want := []string{"orgs.member_removed", "orgs.member_role_changed", "orgs.invitation_revoked", "orgs.invitation_created",
			"orgs.member_joined", "orgs.member_joined", "orgs.member_joined", "orgs.created"}
		if diff := cmp.Diff(want, w.eventTypes()); diff != "" {
			t.Error(diff)
		}
		for _, e := range w.call(w.owner, "GET", "/events?type=orgs.invitation_created", "").Items() {
			if strings.Contains(fmt.Sprint(e["data"]), "@") || e["actor"].(map[string]any)["id"] != w.admin.ID.String() {
				t.Errorf("event: %v", e)
			}
		}
	})
}

func TestADeletedOrganizationAnswersItsOwnersOnly(t *testing.T) {
	each(t, func(w *world) {
		token, _ := w.invite(w.owner, "guest@example.com", "viewer")
		gone := w.call(w.owner, "DELETE", "", "").Want(w.t, 202)
		if gone.Get("status") != "deleting" || gone.Get("purge_at") == "" {
			t.Errorf("answer: %s", gone.Text)
		}
		w.call(w.admin, "GET", "", "").WantCode(w.t, 404, "not_found")
		if got := w.call(w.owner, "GET", "", "").Want(w.t, 200); got.Get("status") != "deleting" || got.Get("purge_at") == "" {
			t.Errorf("shown as %s", got.Text)
		}
		for _, r := range [][3]string{{"DELETE", "", ""}, {"PATCH", "", `{"name":"X"}`}, {"GET", "/members", ""}, {"GET", "/events", ""}, {"POST", "/leave", ""},
			{"POST", "/invitations", `{"email":"x@example.com","role":"viewer"}`}} {
			w.call(w.owner, r[0], r[1], r[2]).WantCode(w.t, 409, "orgs.deleting")
		}
		w.Call(nil, "POST", "/invitations/preview", `{"token":"`+token+`"}`).WantCode(w.t, 404, "orgs.invitation_invalid")
		if n := len(w.Call(w.admin, "GET", "/orgs", "").Items()); n != 0 {
			t.Errorf("the admin still sees %d organizations", n)
		}
		w.Call(w.outside, "POST", "/orgs", `{"name":"X","slug":"acme"}`).WantCode(w.t, 409, "orgs.slug_taken")
		if got := w.call(w.owner, "POST", "/restore", "").Want(w.t, 200); got.Get("status") != "active" || got.Body["purge_at"] != nil {
			t.Errorf("restored: %s", got.Text)
		}
		w.call(w.admin, "GET", "/members", "").Want(w.t, 200)
		w.call(w.owner, "POST", "/restore", "").WantCode(w.t, 409, "orgs.not_deleting")
	})
}

func TestASuspendedOrganizationCanOnlyBeSeen(t *testing.T) {
	each(t, func(w *world) {
		if _, err := w.DB.Platform("test").Exec(t.Context(), `UPDATE orgs SET status = 'suspended' WHERE id = $1`, w.org); err != nil {
			t.Fatal(err)
		}
		w.call(w.member, "GET", "", "").Want(w.t, 200)
		w.call(w.owner, "PATCH", "", `{"name":"X"}`).WantCode(w.t, 409, "orgs.suspended")
		w.call(w.owner, "DELETE", "", "").WantCode(w.t, 409, "orgs.suspended")
		w.call(w.member, "POST", "/leave", "").WantCode(w.t, 409, "orgs.suspended")
	}, tenontest.Configure(uncached))
}

// Once removed, someone is out: at once, and with all that they were remembered by (E11).
func TestRemovalIsFeltAtOnce(t *testing.T) {
	each(t, func(w *world) {
		token, _ := w.invite(w.owner, "outside@example.com", "admin")
		w.accept(w.outside, token).Want(w.t, 200)
		w.call(w.outside, "GET", "/members", "").Want(w.t, 200)
		w.call(w.owner, "DELETE", "/members/"+w.outside.ID.String(), "").Want(w.t, 204)
		w.call(w.outside, "GET", "/members", "").WantCode(w.t, 404, "not_found")
		w.call(w.outside, "GET", "", "").WantCode(w.t, 404, "not_found")
		w.accept(w.outside, token).WantCode(w.t, 404, "orgs.invitation_invalid")
		if n := len(w.Call(w.outside, "GET", "/orgs", "").Items()); n != 0 {
			t.Errorf("they still see %d organizations", n)
		}
	})
}

func TestRemovalIsFeltOnOtherNodesWithinASecond(t *testing.T) {
	url := tenontest.Database(t, db.Postgres)
	here := newWorld(t, tenontest.Node(t, url))
	there := tenontest.Node(t, url)
	there.Call(here.member, "GET", here.at, "").Want(t, 200)
	here.call(here.owner, "DELETE", "/members/"+here.member.ID.String(), "").Want(t, 204)
	within(t, func() bool { return there.Call(here.member, "GET", here.at, "").Status == 404 })
}

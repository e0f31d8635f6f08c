package orgs_test

import (
	"testing"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

func TestAnOrganizationMayRequireASecondFactor(t *testing.T) {
	for _, cache := range []string{"", "off"} {
		each(t, func(w *world) {
			const on, off = `{"settings":{"require_second_factor":true}}`, `{"settings":{"require_second_factor":false}}`
			if got := w.call(w.owner, "GET", "", "").Want(w.t, 200); got.Body["settings"].(map[string]any)["require_second_factor"] != false {
				w.t.Errorf("at first: %s", got.Text)
			}
			for _, u := range []*tenontest.User{w.admin, w.member} {
				w.call(u, "GET", "/members", "").Want(w.t, 200) // and now it is in memory
			}
			w.call(w.member, "PATCH", "", on).WantCode(w.t, 403, "auth.denied")
			// Nobody locks themselves out.
			w.call(w.owner, "PATCH", "", on).WantCode(w.t, 409, "orgs.second_factor_needed")
			w.call(w.owner, "PATCH", "", `{"name":"Changed","settings":{"require_second_factor":true}}`).WantCode(w.t, 409, "orgs.second_factor_needed")
			w.call(w.owner, "PATCH", "", off).Want(w.t, 200)
			if got := w.call(w.owner, "GET", "", "").Get("name"); got != "The acme" {
				w.t.Errorf("half of it was done: %s", got)
			}
			w.TOTP(w.owner)
			if got := w.call(w.owner, "PATCH", "", on).Want(w.t, 200); got.Body["settings"].(map[string]any)["require_second_factor"] != true {
				w.t.Errorf("turned on: %s", got.Text)
			}
			w.call(w.owner, "PATCH", "", `{"settings":{"time_zone":"Europe/Vienna"}}`).Want(w.t, 200) // other settings stay

			// Whoever has none may nothing, and is told why; the list shows where.
			for _, u := range []*tenontest.User{w.admin, w.member, w.viewer} {
				w.call(u, "GET", "", "").WantCode(w.t, 403, "orgs.second_factor_required")
				w.call(u, "GET", "/members", "").WantCode(w.t, 403, "orgs.second_factor_required")
				w.call(u, "PATCH", "", `{"name":"Mine"}`).WantCode(w.t, 403, "orgs.second_factor_required")
				if n := len(w.Call(u, "GET", "/orgs", "").Want(w.t, 200).Items()); n != 1 {
					w.t.Errorf("a member without a second factor sees %d organizations", n)
				}
			}
			w.call(w.admin, "DELETE", "/teams/team_00000000000000000000000001", "").WantCode(w.t, 404, "not_found")
			w.call(w.outside, "GET", "", "").WantCode(w.t, 404, "not_found")
			w.call(w.owner, "GET", "/members", "").Want(w.t, 200)
			other := w.newOrg(w.member, "other") // it is this organization's rule alone
			w.Call(w.member, "GET", "/orgs/"+other.String(), "").Want(w.t, 200)

			// It is undone, and done again, with the factor.
			w.TOTP(w.admin)
			w.call(w.admin, "GET", "/members", "").Want(w.t, 200)
			w.call(w.admin, "PATCH", "", `{"name":"Ours"}`).Want(w.t, 200)
			w.call(w.member, "GET", "", "").WantCode(w.t, 403, "orgs.second_factor_required")
			w.Call(w.admin, "POST", "/totp/disable", "").Want(w.t, 204)
			w.call(w.admin, "GET", "/members", "").WantCode(w.t, 403, "orgs.second_factor_required")

			w.call(w.owner, "PATCH", "", off).Want(w.t, 200)
			w.call(w.member, "GET", "", "").Want(w.t, 200)
			changes := 0
			for _, e := range w.call(w.owner, "GET", "/events?type=orgs.updated", "").Want(w.t, 200).Items() {
				if c, _ := e["changes"].(map[string]any); c["settings.require_second_factor"] != nil {
					changes++
				}
			}
			if changes != 2 {
				w.t.Errorf("the log tells of %d changes", changes)
			}
		}, tenontest.Configure(func(c *tenon.Config) { c.Cache = cache }))
	}
}

// What is remembered of a member's factor on one node follows what happens on another.
func TestAFactorGivesItsRightsOnEveryNode(t *testing.T) {
	url := tenontest.Database(t, db.Postgres)
	here, there := tenontest.Node(t, url), tenontest.Node(t, url)
	owner := here.User("owner")
	org := here.Org(owner, "acme")
	member, at := here.Member(org, "member", authz.Member), "/orgs/"+org.String()
	there.Call(member, "GET", at, "").Want(t, 200)
	here.TOTP(owner)
	here.Call(owner, "PATCH", at, `{"settings":{"require_second_factor":true}}`).Want(t, 200)
	within(t, func() bool { return there.Call(member, "GET", at, "").Status == 403 })
	here.TOTP(member)
	within(t, func() bool { return there.Call(member, "GET", at, "").Status == 200 })
	here.Call(member, "POST", "/totp/disable", "").Want(t, 204)
	within(t, func() bool { return there.Call(member, "GET", at, "").Status == 403 })
}

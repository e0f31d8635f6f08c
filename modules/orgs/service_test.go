package orgs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

func TestWhatIsRolledBackNeverWas(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, stop := app.User("ada"), errors.New("stop")
		ctx := app.As(ada)
		err := app.DB.Platform("test").Tx(ctx, func(tx *db.Tx) error {
			org, err := app.Orgs.In(tx).Create(ctx, orgs.NewOrg{Slug: "acme", Name: "Acme"})
			if err != nil {
				return err
			}
			if _, err := app.Orgs.In(tx).Invite(ctx, org.ID, orgs.NewInvitation{Email: "bob@example.com", Role: authz.Member}); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if n := len(app.Call(ada, "GET", "/orgs", "").Want(t, 200).Items()); n != 0 {
			t.Errorf("%d organizations survived", n)
		}
		if n := len(app.Mail("bob@example.com")); n != 0 {
			t.Errorf("%d letters were sent", n)
		}
		if _, err := app.Orgs.Create(ctx, orgs.NewOrg{Slug: "acme", Name: "Acme"}); err != nil {
			t.Errorf("the short name is not free: %v", err)
		}
	})
}

func TestAPersonsNewNameAndAddressReachEveryList(t *testing.T) {
	each(t, func(w *world) {
		other := w.newOrg(w.outside, "other")
		w.join(other, w.member, authz.Member)
		w.Call(w.member, "PATCH", "/users/me", `{"name":"Grace Hopper"}`).Want(w.t, 200)
		w.Call(w.member, "POST", "/users/me/email", `{"new_email":"grace@example.com"}`).Want(w.t, 202)
		w.Call(nil, "POST", "/auth/confirm-email", `{"token":"`+w.MailedToken("grace@example.com")+`"}`).Want(w.t, 200)
		w.Settle()
		for _, list := range []*tenontest.Answer{w.call(w.owner, "GET", "/members", ""), w.Call(w.outside, "GET", "/orgs/"+other.String()+"/members", "")} {
			found := false
			for _, m := range list.Want(w.t, 200).Items() {
				found = found || m["name"] == "Grace Hopper" && m["email"] == "grace@example.com"
			}
			if !found {
				t.Errorf("list: %s", list.Text)
			}
		}
	})
}

func TestADeletedOrganizationIsPurgedAfterItsGrace(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			now := clock.NewManual(time.Now())
			w := newWorld(t, tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now = now.Now })))
			team := w.call(w.owner, "POST", "/teams", `{"name":"Design","slug":"design"}`).Want(t, 201).Get("id")
			w.call(w.owner, "PUT", "/teams/"+team+"/members/"+w.member.ID.String(), "").Want(t, 204)
			w.call(w.owner, "POST", "/roles", `{"key":"support","name":"S","permissions":[]}`).Want(t, 201)
			w.invite(w.owner, "guest@example.com", "support")
			kept := w.newOrg(w.outside, "kept")
			w.call(w.owner, "DELETE", "", "").Want(t, 202)

			now.Advance(30*24*time.Hour - time.Second)
			w.sweep()
			if _, err := w.Orgs.Get(w.As(w.owner), w.org); err != nil {
				t.Fatalf("purged too early: %v", err)
			}
			now.Advance(time.Second)
			w.sweep()
			if _, err := w.Orgs.Get(w.As(w.owner), w.org); !errors.Is(err, orgs.ErrNotFound) {
				t.Errorf("after its grace: %v", err)
			}
			if _, err := w.Orgs.Restore(w.As(w.owner), w.org); !errors.Is(err, orgs.ErrNotFound) {
				t.Errorf("restored after its grace: %v", err)
			}
			left, err := db.All(t.Context(), w.DB.Platform("test"), db.Scalar[int], `
				SELECT count(*) FROM orgs UNION ALL SELECT count(*) FROM org_slugs UNION ALL SELECT count(*) FROM org_members
				UNION ALL SELECT count(*) FROM org_roles UNION ALL SELECT count(*) FROM teams UNION ALL SELECT count(*) FROM team_members
				UNION ALL SELECT count(*) FROM org_invitations`)
			if diff := cmp.Diff([]int{1, 1, 1, 0, 0, 0, 0}, left); diff != "" || err != nil {
				t.Errorf("rows left: %s %v", diff, err)
			}
			if _, err := w.Orgs.Get(w.As(w.outside), kept); err != nil {
				t.Errorf("the other organization: %v", err)
			}
			w.outside.Tokens = w.SignIn(w.outside)
			w.newOrg(w.outside, "acme")
		})
	}
}

// sweep runs the module's sweep, as it runs every hour.
func (w *world) sweep() {
	w.t.Helper()
	err := w.DB.Platform("test").Tx(w.t.Context(), func(tx *db.Tx) error { return w.Jobs.Enqueue(w.t.Context(), tx, orgs.Sweep{}) })
	if err != nil {
		w.t.Fatal(err)
	}
	w.Settle()
}

func TestAPurgedOrganizationWaitsForThoseWhoStillReferToIt(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			now := clock.NewManual(time.Now())
			w := newWorld(t, tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now = now.Now })))
			c, ctx := w.DB.Platform("test"), t.Context()
			kind := map[db.Dialect]string{db.SQLite: "BLOB", db.Postgres: "uuid"}[dialect]
			for _, statement := range []string{`CREATE TABLE things (org_id ` + kind + ` NOT NULL REFERENCES orgs (id))`, `INSERT INTO things SELECT id FROM orgs`} {
				if _, err := c.Exec(ctx, statement); err != nil {
					t.Fatal(err)
				}
			}
			count := func() int {
				n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM orgs`)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			w.call(w.owner, "DELETE", "", "").Want(t, 202)
			now.Advance(31 * 24 * time.Hour)
			w.sweep()
			if n := count(); n != 1 {
				t.Errorf("%d organizations while a row refers to one", n)
			}
			if _, err := c.Exec(ctx, `DELETE FROM things`); err != nil {
				t.Fatal(err)
			}
			w.sweep()
			if n := count(); n != 0 {
				t.Errorf("%d organizations are left", n)
			}
		})
	}
}

// A caller whose request may do less than they themselves stays within the less.
func TestANarrowerRequestStaysNarrow(t *testing.T) {
	each(t, func(w *world) {
		narrow := authz.WithMembership(w.As(w.owner), &authz.Membership{Org: w.org, Role: authz.Owner,
			Perms: authz.Permissions{orgs.PermRead: true, orgs.PermInvite: true}})
		if _, err := w.Orgs.Invite(narrow, w.org, orgs.NewInvitation{Email: "x@example.com", Role: authz.Owner}); !errors.Is(err, orgs.ErrBeyondRights) {
			t.Errorf("invite an owner: %v", err)
		}
		if err := w.Orgs.Remove(narrow, w.org, w.viewer.ID); !errors.Is(err, authz.ErrDenied) {
			t.Errorf("remove a member: %v", err)
		}
		if _, err := w.Orgs.CreateRole(narrow, w.org, orgs.NewRole{Key: "any", Name: "Any", Permissions: []authz.Permission{orgs.PermDelete}}); !errors.Is(err, authz.ErrDenied) {
			t.Errorf("make a role: %v", err)
		}
	})
}

// Row-level security is the second wall: inside one organization's connection no
// other's rows can be seen, whatever a query asks for (TE-5).
func TestOneOrganizationsConnectionSeesNoOther(t *testing.T) {
	w := newWorld(t, tenontest.Start(t, db.Postgres))
	other := w.newOrg(w.outside, "other")
	w.Call(w.outside, "POST", "/orgs/"+other.String()+"/teams", `{"name":"T","slug":"t"}`).Want(t, 201)
	c := w.DB.Org(w.org)
	for table, want := range map[string]int{"orgs": 1, "org_members": 4, "teams": 0, "org_roles": 0, "org_invitations": 0, "team_members": 0} {
		n, err := db.One(t.Context(), c, db.Scalar[int], `SELECT count(*) FROM `+table)
		if err != nil || n != want {
			t.Errorf("%s: %d rows, %v; want %d", table, n, err, want)
		}
	}
	if _, err := db.One(t.Context(), c, db.Scalar[int], `SELECT count(*) FROM org_slugs`); err == nil {
		t.Error("a tenant reads the list of short names")
	}
	if n, err := c.Exec(t.Context(), `UPDATE org_members SET role = 'owner' WHERE org_id = $1`, other); err != nil || n != 0 {
		t.Errorf("%d members of another organization changed, %v", n, err)
	}
	if _, err := c.Exec(t.Context(), `INSERT INTO org_members (org_id, account_id, role, name, email, joined_at) VALUES ($1, $2, 'owner', '', '', $3)`,
		other, w.owner.ID, time.Now()); err == nil {
		t.Error("someone joined another organization")
	}
	mine, err := db.One(t.Context(), w.DB.Account(w.owner.ID), db.Scalar[int], `SELECT count(*) FROM org_members`)
	if err != nil || mine != 1 {
		t.Errorf("a person sees %d memberships, %v", mine, err)
	}
}

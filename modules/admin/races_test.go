package admin_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/admin"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

// atOnce starts every fn at the same moment and returns what each returned.
func atOnce(fns ...func() error) []error {
	got := make([]error, len(fns))
	start, all := make(chan struct{}), sync.WaitGroup{}
	for i, fn := range fns {
		all.Go(func() {
			<-start
			got[i] = fn()
		})
	}
	close(start)
	all.Wait()
	return got
}

func why() admin.Stop { return admin.Stop{Reason: "a race"} }

// However administrators stop each other at once, one stays.
func TestAnInstallationAlwaysKeepsAnAdministrator(t *testing.T) {
	const rounds = 60
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		system := authz.With(t.Context(), &authz.Principal{Kind: authz.ActorSystem, Name: "test"})
		people := []*tenontest.User{app.Administrator("ada"), app.User("bob"), app.User("eve")}
		suspend := func(ctx context.Context, u *tenontest.User) error {
			_, err := app.Admin.Suspend(ctx, u.ID, why())
			return err
		}
		revoke := func(ctx context.Context, u *tenontest.User) error {
			_, err := app.Admin.RevokeAdministrator(ctx, u.ID)
			return err
		}
		remove := func(ctx context.Context, u *tenontest.User) error {
			_, err := app.Admin.Delete(ctx, u.ID, why())
			return err
		}
		ways := []func(context.Context, *tenontest.User) error{suspend, revoke, remove}
		for round := range rounds {
			for _, u := range people {
				must(t, ignore(failed(app.Admin.Restore(system, u.ID)), accounts.ErrNotDeleting))
				must(t, ignore(failed(app.Admin.Reinstate(system, u.ID)), accounts.ErrNotSuspended))
				must(t, failed(app.Admin.GrantAdministrator(system, u.ID)))
				u.IsAdmin = true
			}
			var tries []func() error
			for i, u := range people { // in a circle: each stops the next
				tries = append(tries, func() error { return ways[(round+i)%len(ways)](app.As(u), people[(i+1)%len(people)]) })
			}
			outcomes := atOnce(tries...)
			left, err := db.One(t.Context(), app.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM accounts WHERE is_admin AND status = 'active'`)
			if err != nil || left < 1 {
				t.Fatalf("round %d: %d administrators, %v; outcomes %v", round, left, err, outcomes)
			}
			done := 0
			for _, err := range outcomes {
				if err == nil {
					done++
				} else if !errors.Is(err, authz.ErrDenied) && !errors.Is(err, accounts.ErrLastAdministrator) {
					t.Errorf("round %d: %v", round, err)
				}
			}
			if done == 0 {
				t.Errorf("round %d: nothing happened: %v", round, outcomes)
			}
		}
	})
}

// However owners go and are stopped at once, one who can sign in stays.
func TestAnOrganizationKeepsAnOwnerWhoCanSignIn(t *testing.T) {
	const rounds = 60
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		system := authz.With(t.Context(), &authz.Principal{Kind: authz.ActorSystem, Name: "test"})
		root, ada, bob := app.Administrator("root"), app.User("ada"), app.User("bob")
		asRoot, asAda := app.As(root), app.As(ada)
		for round := range rounds {
			o, err := app.Orgs.Create(asAda, orgs.NewOrg{Name: "X", Slug: fmt.Sprintf("round-%d", round)})
			must(t, err)
			must(t, failed(app.Orgs.Join(asAda, o.ID, bob.ID, authz.Owner)))
			other := map[int]func() error{
				0: func() error { return app.Orgs.Leave(asAda, o.ID) },
				1: func() error { _, err := app.Admin.Suspend(asRoot, ada.ID, why()); return err },
				2: func() error { _, err := app.Orgs.SetRole(asAda, o.ID, ada.ID, authz.Viewer); return err },
				3: func() error { _, err := app.Orgs.Transfer(asAda, o.ID, bob.ID); return err },
			}[round%4]
			outcomes := atOnce(func() error { _, err := app.Admin.Suspend(asRoot, bob.ID, why()); return err }, other)
			owners, err := db.One(t.Context(), app.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM org_members m JOIN accounts a ON a.id = m.account_id
				WHERE m.org_id = $1 AND m.role = 'owner' AND a.status = 'active'`, o.ID)
			if err != nil || owners != 1 {
				t.Fatalf("round %d: %d owners who can sign in, %v; outcomes %v", round, owners, err, outcomes)
			}
			for _, err := range outcomes {
				if err != nil && !errors.Is(err, orgs.ErrLastOwner) && !errors.Is(err, orgs.ErrMemberStopped) {
					t.Errorf("round %d: %v", round, err)
				}
			}
			for _, u := range []*tenontest.User{ada, bob} {
				must(t, ignore(failed(app.Admin.Reinstate(system, u.ID)), accounts.ErrNotSuspended))
			}
			must(t, app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
				for _, query := range []string{`DELETE FROM org_members`, `DELETE FROM org_slugs`, `DELETE FROM orgs`} {
					if _, err := tx.Exec(t.Context(), query); err != nil {
						return err
					}
				}
				return nil
			}))
		}
	})
}

// A node that did not suspend somebody refuses them too, within a second, whatever they hold.
func TestASuspensionIsSeenByOtherNodesWithinASecond(t *testing.T) {
	url := tenontest.Database(t, db.Postgres)
	here, there := tenontest.Node(t, url), tenontest.Node(t, url)
	root, ada := here.Administrator("root"), here.User("ada")
	org := here.Org(root, "acme")
	must(t, failed(here.Orgs.Join(authz.With(t.Context(), &authz.Principal{Kind: authz.ActorSystem, Name: "test"}), org, ada.ID, authz.Member)))
	acting := here.Call(root, "POST", at(ada)+"/impersonate", because).Want(t, 200)
	impersonator := &tenontest.User{Account: ada.Account}
	impersonator.Tokens.AccessToken = acting.Get("access_token")
	for _, u := range []*tenontest.User{ada, impersonator} {
		there.Call(u, "GET", "/users/me", "").Want(t, 200)
		there.Call(u, "GET", "/orgs/"+org.String(), "").Want(t, 200)
	}
	here.Call(root, "POST", at(ada)+"/suspend", because).Want(t, 200)
	suspended := time.Now()
	there.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+ada.Tokens.RefreshToken+`"}`).Want(t, 401) // is never cached
	for _, u := range []*tenontest.User{ada, impersonator} {
		for there.Call(u, "GET", "/users/me", "").Status != 401 || there.Call(u, "GET", "/orgs/"+org.String(), "").Status != 401 {
			if time.Since(suspended) > time.Second {
				t.Fatal("the other node still serves a suspended account")
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// failed is the error of a call that returns something else too.
func failed[T any](_ T, err error) error { return err }

func ignore(err, outcome error) error {
	if errors.Is(err, outcome) {
		return nil
	}
	return err
}

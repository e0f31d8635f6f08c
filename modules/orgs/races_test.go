package orgs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

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

// However two owners try to go at once, one stays (E07).
func TestAnOrganizationAlwaysKeepsAnOwner(t *testing.T) {
	const rounds = 200
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, bob := app.User("ada"), app.User("bob")
		asAda, asBob := app.As(ada), app.As(bob)
		ways := []func(o orgs.Org) []func() error{
			func(o orgs.Org) []func() error {
				return []func() error{func() error { return app.Orgs.Leave(asAda, o.ID) }, func() error { return app.Orgs.Leave(asBob, o.ID) }}
			},
			func(o orgs.Org) []func() error {
				return []func() error{func() error { return app.Orgs.Remove(asAda, o.ID, bob.ID) }, func() error { return app.Orgs.Remove(asBob, o.ID, ada.ID) }}
			},
			func(o orgs.Org) []func() error {
				demote := func(ctx context.Context, u *tenontest.User) error {
					_, err := app.Orgs.SetRole(ctx, o.ID, u.ID, authz.Member)
					return err
				}
				return []func() error{func() error { return demote(asAda, ada) }, func() error { return demote(asBob, bob) }}
			},
			func(o orgs.Org) []func() error {
				return []func() error{func() error { return app.Orgs.Leave(asAda, o.ID) }, func() error {
					_, err := app.Orgs.SetRole(asAda, o.ID, bob.ID, authz.Admin)
					return err
				}}
			},
		}
		for round := range rounds {
			o, err := app.Orgs.Create(asAda, orgs.NewOrg{Name: "X", Slug: fmt.Sprintf("round-%d", round)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := app.Orgs.Join(asAda, o.ID, bob.ID, authz.Owner); err != nil {
				t.Fatal(err)
			}
			outcomes := atOnce(ways[round%len(ways)](o)...)
			owners, err := db.One(t.Context(), app.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM org_members WHERE org_id = $1 AND role = 'owner'`, o.ID)
			if err != nil || owners != 1 {
				t.Fatalf("round %d: %d owners, %v; outcomes %v", round, owners, err, outcomes)
			}
			for _, err := range outcomes {
				if err != nil && !errors.Is(err, orgs.ErrLastOwner) && !errors.Is(err, orgs.ErrNotFound) && !errors.Is(err, authz.ErrDenied) && !errors.Is(err, orgs.ErrBeyondRights) {
					t.Errorf("round %d: %v", round, err)
				}
			}
		}
	})
}

// One token makes one member, however often it is used at once (E09).
func TestOfManyAcceptsOneWins(t *testing.T) {
	each(t, func(w *world) {
		token, _ := w.invite(w.owner, "outside@example.com", "member")
		ctx := w.As(w.outside)
		var tries []func() error
		for range 20 {
			tries = append(tries, func() error { _, err := w.Orgs.Accept(ctx, token); return err })
		}
		won := 0
		for _, err := range atOnce(tries...) {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, orgs.ErrInvitationInvalid):
				t.Errorf("a loser got %v", err)
			}
		}
		joined := 0
		for _, kind := range w.eventTypes() {
			if kind == "orgs.invitation_accepted" {
				joined++
			}
		}
		if won != 1 || joined != 1 || w.roleOf(w.outside) != "member" {
			t.Errorf("%d won, %d joined as %q", won, joined, w.roleOf(w.outside))
		}
	})
}

// Of many who make an account by one letter at once, one gets it.
func TestOfManyNewAccountsByOneLetterOneIsMade(t *testing.T) {
	each(t, func(w *world) {
		token, _ := w.invite(w.owner, "new@example.com", "member")
		var tries []func() error
		for i := range 5 {
			tries = append(tries, func() error {
				_, err := w.Orgs.AcceptAsNew(t.Context(), token, "New", fmt.Sprintf("a phrase only %d knows", i), false)
				return err
			})
		}
		won := 0
		for _, err := range atOnce(tries...) {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, orgs.ErrInvitationInvalid) && !errors.Is(err, orgs.ErrSignInToAccept):
				t.Errorf("a loser got %v", err)
			}
		}
		accounts, err := db.One(t.Context(), w.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM accounts WHERE email = 'new@example.com'`)
		if won != 1 || accounts != 1 || err != nil {
			t.Errorf("%d won, %d accounts, %v", won, accounts, err)
		}
	})
}

func TestOfManyWhoWantASlugOneGetsIt(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ctx := app.As(app.User("ada"))
		for round := range 20 {
			slug := fmt.Sprintf("wanted-%d", round)
			mine, err := app.Orgs.Create(ctx, orgs.NewOrg{Name: "Mine", Slug: fmt.Sprintf("mine-%d", round)})
			if err != nil {
				t.Fatal(err)
			}
			tries := []func() error{func() error { _, err := app.Orgs.Update(ctx, mine.ID, orgs.Update{Slug: &slug}); return err }}
			for range 5 {
				tries = append(tries, func() error { _, err := app.Orgs.Create(ctx, orgs.NewOrg{Name: "X", Slug: slug}); return err })
			}
			won := 0
			for _, err := range atOnce(tries...) {
				switch {
				case err == nil:
					won++
				case !errors.Is(err, orgs.ErrSlugTaken):
					t.Errorf("a loser got %v", err)
				}
			}
			if won != 1 {
				t.Fatalf("round %d: %d got it", round, won)
			}
		}
	})
}

// Whoever is removed while they act cannot pass on what they just lost.
func TestTheRemovedPassNothingOn(t *testing.T) {
	each(t, func(w *world) {
		for range 30 {
			second := w.admin
			ctx, by := w.As(second), w.As(w.owner)
			outcomes := atOnce(
				func() error { return w.Orgs.Remove(by, w.org, second.ID) },
				func() error { _, err := w.Orgs.SetRole(ctx, w.org, w.viewer.ID, authz.Admin); return err },
			)
			if outcomes[0] != nil {
				t.Fatal(outcomes[0])
			}
			if err := outcomes[1]; err != nil && !errors.Is(err, orgs.ErrNotFound) {
				t.Fatal(err)
			}
			if _, err := w.Orgs.SetRole(by, w.org, w.viewer.ID, authz.Viewer); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Orgs.SetRole(ctx, w.org, w.viewer.ID, authz.Admin); !errors.Is(err, orgs.ErrNotFound) {
				t.Fatalf("a removed admin: %v", err)
			}
			w.join(w.org, second, authz.Admin)
		}
	})
}

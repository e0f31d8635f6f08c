package apikeys_test

import (
	"errors"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenonhq/tenon/modules/apikeys"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/tenontest"
)

// sweep runs the job that tidies up.
func (w *world) sweep() {
	w.t.Helper()
	w.enqueue(apikeys.Sweep{})
}

func (w *world) enqueue(job jobs.Args) {
	w.t.Helper()
	if err := w.DB.Platform("test").Tx(w.t.Context(), func(tx *db.Tx) error { return w.Jobs.Enqueue(w.t.Context(), tx, job) }); err != nil {
		w.t.Fatal(err)
	}
	w.Settle()
}

// atOnce runs fn n times at the same moment.
func atOnce(n int, fn func(i int)) {
	start, all := make(chan struct{}), sync.WaitGroup{}
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

func TestOfManyRotationsAtOnceOneWins(t *testing.T) {
	const rounds, n = 20, 6
	each(t, func(t *testing.T, w *world) {
		ctx := w.As(w.owner)
		for range rounds {
			key, first, err := w.APIKeys.Create(ctx, w.org, apikeys.NewKey{Name: "X", Scopes: []authz.Permission{orgs.PermListTeams}})
			if err != nil {
				t.Fatal(err)
			}
			values, refused := make([]string, n), atomic.Int64{}
			atOnce(n, func(i int) {
				_, value, err := w.APIKeys.Rotate(ctx, w.org, key.ID, apikeys.Rotation{})
				switch {
				case err == nil:
					values[i] = value
				case errors.Is(err, apikeys.ErrRotationRunning):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
			if refused.Load() != n-1 {
				t.Errorf("%d of %d were refused", refused.Load(), n)
			}
			working := 0
			for _, value := range append(values, first) {
				if value != "" && w.by(value, "GET", "/teams", "").Status == 200 {
					working++
				}
			}
			if working != 2 {
				t.Errorf("%d values work, want the first and the winner's", working)
			}
		}
	})
}

// Two who have both seen the same value: if both won, the first would be handed a value
// that is dead already.
func TestOfTwoRotationsWithoutOverlapOneIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, none := w.As(w.owner), time.Duration(0)
		key, _, err := w.APIKeys.Create(ctx, w.org, apikeys.NewKey{Name: "X", Scopes: []authz.Permission{orgs.PermListTeams}})
		if err != nil {
			t.Fatal(err)
		}
		values, outcomes := make([]string, 2), make([]error, 2)
		var all sync.WaitGroup
		if err := w.DB.Org(w.org).Tx(ctx, func(tx *db.Tx) error {
			if _, err := w.Orgs.Hold(ctx, tx, w.org, apikeys.PermManage, nil); err != nil {
				return err
			}
			for i := range 2 {
				all.Go(func() {
					_, values[i], outcomes[i] = w.APIKeys.Rotate(ctx, w.org, key.ID, apikeys.Rotation{Overlap: &none})
				})
			}
			time.Sleep(300 * time.Millisecond) // until both have looked, and wait for us
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		won := 0
		for i, err := range outcomes {
			switch {
			case err == nil:
				won++
				w.by(values[i], "GET", "/teams", "").Want(t, 200)
			case !errors.Is(err, apikeys.ErrRotationRunning):
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d won", won)
		}
	})
}

func TestNoRequestGetsThroughAfterTheRevocation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 10 {
			keyID, value := w.made(w.owner, "")
			var revoked atomic.Bool
			var late, served atomic.Int64
			atOnce(5, func(i int) {
				if i == 0 {
					w.call(w.owner, "DELETE", "/api-keys/"+keyID, "").Want(t, 204)
					revoked.Store(true)
					return
				}
				for range 50 {
					after := revoked.Load()
					if w.by(value, "GET", "/teams", "").Status != 200 {
						continue
					}
					if served.Add(1); after {
						late.Add(1)
					}
				}
			})
			if late.Load() > 0 {
				t.Fatalf("%d of %d requests got through after the revocation", late.Load(), served.Load())
			}
			w.by(value, "GET", "/teams", "").Want(t, 401)
		}
	})
}

// A key made while its owner is removed either was not made, or is revoked.
func TestNoKeySurvivesTheRemovalOfItsOwner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 20 {
			atOnce(2, func(i int) {
				if i == 0 {
					if err := w.Orgs.Remove(w.As(w.owner), w.org, w.admin.ID); err != nil {
						t.Error(err)
					}
					return
				}
				_, _, err := w.APIKeys.Create(w.As(w.admin), w.org, apikeys.NewKey{Name: "X"})
				if err != nil && !errors.Is(err, orgs.ErrNotFound) {
					t.Error(err)
				}
			})
			w.Settle()
			keys, err := w.APIKeys.List(t.Context(), w.org, nil, 10)
			if err != nil || len(keys) > 0 {
				t.Fatalf("%d keys are left, %v", len(keys), err)
			}
			system := authz.With(t.Context(), &authz.Principal{Kind: authz.ActorSystem, Name: "test"})
			if _, err := w.Orgs.Join(system, w.org, w.admin.ID, authz.Admin); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The job that revokes runs twice, and late, without harm: a key of a new membership stays.
func TestAKeyOfANewMembershipStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, old := w.made(w.admin, "")
		w.now.Advance(time.Second)
		w.call(w.owner, "DELETE", "/members/"+w.admin.ID.String(), "").Want(t, 204)
		w.by(old, "GET", "/teams", "").Want(t, 404)
		w.Settle()
		w.by(old, "GET", "/teams", "").Want(t, 401)
		system := authz.With(t.Context(), &authz.Principal{Kind: authz.ActorSystem, Name: "test"})
		w.now.Advance(time.Second)
		if _, err := w.Orgs.Join(system, w.org, w.admin.ID, authz.Admin); err != nil {
			t.Fatal(err)
		}
		_, young := w.made(w.admin, "")
		if err := w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
			return w.Jobs.Publish(t.Context(), tx, orgs.MemberRemoved{About: orgs.About{OrgID: w.org}, AccountID: w.admin.ID})
		}); err != nil {
			t.Fatal(err)
		}
		w.Settle()
		w.by(old, "GET", "/teams", "").Want(t, 401)
		w.by(young, "GET", "/teams", "").Want(t, 200)
	})
}

func TestKeysGoWithTheirOrganization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, value := w.made(w.owner, "")
		_, admins := w.made(w.admin, "")
		w.call(w.owner, "DELETE", "", "").Want(t, 202)
		w.by(value, "GET", "/teams", "").WantCode(t, 409, "orgs.deleting")
		w.by(admins, "GET", "/teams", "").Want(t, 404)
		w.call(w.owner, "POST", "/restore", "").Want(t, 200)
		w.by(value, "GET", "/teams", "").Want(t, 200)
		w.call(w.owner, "DELETE", "", "").Want(t, 202)
		w.now.Advance(31 * 24 * time.Hour)
		for range 2 { // buries, then removes
			w.enqueue(orgs.Sweep{})
		}
		w.by(value, "GET", "/teams", "").Want(t, 401)
		for _, table := range []string{"api_keys", "orgs"} {
			if n, err := db.One(t.Context(), w.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM `+table); err != nil || n != 0 {
				t.Errorf("%d rows are left in %s, %v", n, table, err)
			}
		}
	})
}

func TestWhatOneNodeRevokesAnotherRefusesWithinASecond(t *testing.T) {
	url := tenontest.Database(t, db.Postgres)
	here, there := newWorld(t, tenontest.Node(t, url), nil), tenontest.Node(t, url)
	for name, end := range map[string]func(keyID string){
		"revoking": func(keyID string) { here.call(here.owner, "DELETE", "/api-keys/"+keyID, "").Want(t, 204) },
		"rotating": func(keyID string) {
			here.call(here.owner, "POST", "/api-keys/"+keyID+"/rotate", `{"overlap_seconds":0}`).Want(t, 201)
		},
	} {
		keyID, value := here.made(here.owner, "")
		use := func(app *tenontest.App) int { return app.CallBy(value, "GET", here.at+"/teams", "").Status }
		for range 3 {
			if use(here.App) != 200 || use(there) != 200 {
				t.Fatal("the key does not work")
			}
		}
		end(keyID)
		if got := use(here.App); got != 401 {
			t.Errorf("%s: this node still answers %d", name, got)
		}
		began := time.Now()
		for use(there) == 200 {
			if time.Since(began) > time.Second {
				t.Fatalf("%s: the other node still lets it in", name)
			}
			time.Sleep(2 * time.Millisecond)
		}
		t.Logf("%s: seen after %v", name, time.Since(began).Round(time.Millisecond))
	}
}

// The last use is written down when the node stops, if not before.
func TestTheLastUseIsRemembered(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			url := tenontest.Database(t, dialect)
			var keyID string
			var owner *tenontest.User
			var at string
			t.Run("use", func(t *testing.T) {
				w := newWorld(t, tenontest.Node(t, url), nil)
				var value string
				keyID, value = w.made(w.owner, "")
				owner, at = w.owner, w.at
				fewest := int64(100)
				for range 5 { // other things go on meanwhile
					before := w.DB.Stats().Statements.Load()
					for range 20 {
						q := w.Request("GET", w.at+"/members", "")
						q.Header.Set("Authorization", "Bearer "+value)
						q.RemoteAddr = "203.0.113.7:1234"
						w.Send(q).WantCode(t, 403, "auth.denied")
					}
					fewest = min(fewest, w.DB.Stats().Statements.Load()-before)
				}
				if fewest > 4 {
					t.Errorf("%d statements for 20 uses", fewest)
				}
				if got := w.call(w.owner, "GET", "/api-keys/"+keyID, "").Want(t, 200); got.Body["last_used_at"] != nil {
					t.Errorf("a request was written down at once: %s", got.Text)
				}
			})
			got := tenontest.Node(t, url).Call(owner, "GET", at+"/api-keys/"+keyID, "").Want(t, 200)
			used, err := time.Parse(time.RFC3339Nano, got.Get("last_used_at"))
			if err != nil || time.Since(used) > time.Minute || got.Get("last_used_ip") != "203.0.113.7" {
				t.Errorf("%v: %s", err, got.Text)
			}
		})
	}
}

func TestARequestByKeyCostsWhatItAsksFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, value := w.made(w.owner, "")
		w.by(value, "GET", "/teams", "").Want(t, 200)
		fewest := int64(100)
		for range 5 { // other things go on meanwhile
			before := w.DB.Stats().Statements.Load()
			w.by(value, "GET", "/teams", "").Want(t, 200)
			fewest = min(fewest, w.DB.Stats().Statements.Load()-before)
		}
		if fewest != 1 {
			t.Errorf("%d statements, want that of the list alone", fewest)
		}
	})
}

// BenchmarkKey is a list by a program, from the router to the answer, without a network.
func BenchmarkKey(b *testing.B) {
	app := tenontest.Start(b, db.SQLite)
	ada := app.User("ada")
	org := app.Org(ada, "acme")
	key := app.Key(ada, org, orgs.PermRead, orgs.PermListTeams, orgs.PermListMembers)
	for name, token := range map[string]string{"key": key, "session": ada.Tokens.AccessToken} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				q := httptest.NewRequest("GET", "/api/v1/orgs/"+org.String()+"/teams", nil)
				q.Header.Set("Authorization", "Bearer "+token)
				w := httptest.NewRecorder()
				app.Handler().ServeHTTP(w, q)
				if w.Code != 200 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

package audit_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/tenontest"
)

// painted is an event of an organization.
type painted struct {
	Org    id.Org `json:"org_id"`
	Colour string `json:"colour"`
}

func (painted) Kind() string        { return "test.painted" }
func (p painted) Scope() jobs.Scope { return jobs.InOrg(p.Org) }

var errStop = errors.New("stop")

func record(t *testing.T, app *tenontest.App, by *tenontest.User, e painted, then error) error {
	t.Helper()
	return app.DB.Org(e.Org).Tx(t.Context(), func(tx *db.Tx) error {
		entry := audit.Entry{Event: e, Target: audit.Target{Kind: "wall", ID: "wall_1", Name: "The wall"}, Changes: map[string]audit.Change{"colour": {To: e.Colour}}}
		return errors.Join(app.Audit.In(tx).Record(app.As(by), entry), then)
	})
}

func TestAnEventExistsExactlyIfItsChangeDoes(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		org := app.Org(ada, "acme")
		events := "/orgs/" + org.String() + "/events?type=test.painted"
		if err := record(t, app, ada, painted{org, "red"}, errStop); !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		if err := app.Audit.Record(app.As(ada), audit.Entry{Event: painted{org, "blue"}}); err == nil {
			t.Error("an event was recorded outside of a transaction")
		}
		if err := record(t, app, ada, painted{org, "green"}, nil); err != nil {
			t.Fatal(err)
		}
		items := app.Call(ada, "GET", events, "").Want(t, 200).Items()
		if len(items) != 1 {
			t.Fatalf("%d events", len(items))
		}
		e := items[0]
		want := map[string]any{"type": "test.painted", "org_id": org.String(), "data": map[string]any{"org_id": org.String(), "colour": "green"},
			"actor":   map[string]any{"kind": "account", "id": ada.ID.String(), "name": "ada", "on_behalf_of": nil},
			"target":  map[string]any{"kind": "wall", "id": "wall_1", "name": "The wall"},
			"changes": map[string]any{"colour": map[string]any{"from": nil, "to": "green"}}}
		for key, value := range want {
			if diff := cmp.Diff(value, e[key]); diff != "" {
				t.Errorf("%s: %s", key, diff)
			}
		}
		// An event of one organization cannot be written on the connection of another.
		other := painted{app.Org(ada, "other"), "black"}
		if err := app.DB.Org(org).Tx(t.Context(), func(tx *db.Tx) error {
			return app.Audit.In(tx).Record(app.As(ada), audit.Entry{Event: other})
		}); app.DB.Dialect() == db.Postgres && err == nil {
			t.Error("an event was written into another organization's log")
		}
	})
}

// Positions are given by one node at a time, to committed events only: none is missing and none is twice.
func TestPositionsHaveNeitherGapsNorTwins(t *testing.T) {
	url := tenontest.Database(t, db.Postgres)
	nodes := []*tenontest.App{tenontest.Node(t, url), tenontest.Node(t, url)}
	ada := nodes[0].User("ada")
	org := nodes[0].Org(ada, "acme")
	var all, counting sync.WaitGroup
	done := make(chan struct{})
	for w := range 6 {
		counting.Go(func() { // far more eager than nodes are by themselves
			for {
				select {
				case <-done:
					return
				default:
					if err := nodes[w%2].Audit.Sequence(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
		all.Go(func() {
			for i := range 20 {
				var then error
				if i%5 == 4 {
					then = errStop
				}
				if err := record(t, nodes[w%2], ada, painted{org, fmt.Sprint(w, i)}, then); err != nil && !errors.Is(err, errStop) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(done)
	counting.Wait()
	c := nodes[0].DB.Platform("test")
	deadline := time.Now().Add(10 * time.Second)
	for {
		if waiting, err := db.One(t.Context(), c, db.Scalar[int], `SELECT count(*) FROM events WHERE position IS NULL`); err != nil || time.Now().After(deadline) {
			t.Fatalf("%d events have no position, %v", waiting, err)
		} else if waiting == 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	positions, err := db.All(t.Context(), c, db.Scalar[int], `SELECT position FROM events ORDER BY position`)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range positions {
		if p != i+1 {
			t.Fatalf("after %d comes %d", i, p)
		}
	}
	painted, err := db.One(t.Context(), c, db.Scalar[int], `SELECT count(*) FROM events WHERE type = 'test.painted'`)
	if err != nil || painted != 96 {
		t.Errorf("%d of 96 events, %v", painted, err)
	}
}

func TestEventsAreListedInPagesAndNarrowed(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		org := app.Org(ada, "acme")
		bob := app.Member(org, "bob", authz.Admin)
		before := app.Config.Now()
		for i := range 7 {
			by := ada
			if i%2 == 1 {
				by = bob
			}
			if err := record(t, app, by, painted{org, fmt.Sprint(i)}, nil); err != nil {
				t.Fatal(err)
			}
		}
		base := "/orgs/" + org.String() + "/events?type=test.painted"
		if diff := cmp.Diff([][]string{{"6", "5", "4"}, {"3", "2", "1"}, {"0"}}, colours(t, app, ada, base+"&limit=3")); diff != "" {
			t.Error(diff)
		}
		for query, want := range map[string]int{"&actor=" + bob.ID.String(): 3, "&target=wall_1": 7, "&target=wall_2": 0, "&from=" + before.Format(time.RFC3339Nano): 7,
			"&to=" + before.Format(time.RFC3339Nano): 0, "&actor=' OR ''='": 0} {
			if n := len(app.Call(ada, "GET", base+strings.ReplaceAll(query, " ", "%20"), "").Want(t, 200).Items()); n != want {
				t.Errorf("%s: %d events, want %d", query, n, want)
			}
		}
		app.Call(ada, "GET", base+"&from=yesterday", "").Want(t, 422)
	})
}

// colours are what was painted on each page of a list, page by page.
func colours(t *testing.T, app *tenontest.App, by *tenontest.User, path string) (pages [][]string) {
	t.Helper()
	for cursor := ""; ; {
		page := app.Call(by, "GET", path+cursor, "").Want(t, 200)
		var found []string
		for _, e := range page.Items() {
			found = append(found, e["data"].(map[string]any)["colour"].(string))
		}
		pages = append(pages, found)
		if page.Get("next_cursor") == "" {
			return pages
		}
		cursor = "&cursor=" + page.Get("next_cursor")
	}
}

func TestAdministratorsSeeWhatHappenedInEveryLog(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root, ada, bob := app.Administrator("root"), app.User("ada"), app.User("bob")
		acme, other := app.Org(ada, "acme"), app.Org(bob, "other")
		before := app.Config.Now()
		for i, by := range []*tenontest.User{ada, bob, bob, ada, bob} {
			org := map[*tenontest.User]id.Org{ada: acme, bob: other}[by]
			if err := record(t, app, by, painted{org, fmt.Sprint(i)}, nil); err != nil {
				t.Fatal(err)
			}
		}
		const all = "/admin/events?type=test.painted"
		if diff := cmp.Diff([][]string{{"4", "3"}, {"2", "1"}, {"0"}}, colours(t, app, root, all+"&limit=2")); diff != "" {
			t.Error(diff)
		}
		for query, want := range map[string][]string{
			"&org=" + acme.String():                                {"3", "0"},
			"&org=" + other.String():                               {"4", "2", "1"},
			"&org=" + other.String() + "&actor=" + ada.ID.String(): nil,
			"&org=" + id.New[id.OrgKind]().String():                nil,
			"&actor=" + ada.ID.String():                            {"3", "0"},
			"&target=wall_1":                                       {"4", "3", "2", "1", "0"},
			"&target=wall_2":                                       nil,
			"&account=" + ada.ID.String():                          nil, // her own log has none of an organization
			"&from=" + before.Format(time.RFC3339Nano):             {"4", "3", "2", "1", "0"},
			"&to=" + before.Format(time.RFC3339Nano):               nil,
		} {
			if diff := cmp.Diff([][]string{want}, colours(t, app, root, all+query)); diff != "" {
				t.Errorf("%s: %s", query, diff)
			}
		}

		// Accounts have logs of their own.
		for _, e := range app.Call(root, "GET", "/admin/events?account="+ada.ID.String(), "").Want(t, 200).Items() {
			if e["org_id"] != nil || e["target"].(map[string]any)["id"] == bob.ID.String() {
				t.Errorf("in ada's log: %v", e)
			}
		}
		kinds := map[bool]int{}
		for _, e := range app.Call(root, "GET", "/admin/events?limit=100", "").Want(t, 200).Items() {
			kinds[e["org_id"] != nil]++
		}
		if kinds[true] == 0 || kinds[false] == 0 {
			t.Errorf("%v: want events of organizations and of accounts", kinds)
		}

		// A cursor is good for its own list only.
		next := app.Call(root, "GET", all+"&limit=2", "").Get("next_cursor")
		app.Call(root, "GET", all+"&limit=2&org="+acme.String()+"&cursor="+next, "").WantCode(t, 422, "request.cursor")
		for _, query := range []string{"&org=acme", "&org=" + ada.ID.String(), "&account=" + acme.String(), "&from=yesterday"} {
			app.Call(root, "GET", all+query, "").Want(t, 422)
		}
		app.Call(nil, "GET", all, "").Want(t, 401)
		app.Call(ada, "GET", all+"&org="+acme.String(), "").WantCode(t, 403, "auth.denied")
		if got := app.CallBy(app.Key(ada, acme, audit.PermRead), "GET", all, ""); got.Status != 403 {
			t.Errorf("an API key got %d", got.Status)
		}
	})
}

// An end of time is before what happened at it, and a page goes on behind what it ended
// with, though everything happened at one moment.
func TestEventsOfOneMomentAreEachListedOnce(t *testing.T) {
	now := clock.NewManual(time.Now().Truncate(time.Microsecond))
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			app := tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now = now.Now }))
			root, ada := app.Administrator("root"), app.User("ada")
			org := app.Org(ada, "acme")
			for i := range 5 {
				if err := record(t, app, ada, painted{org, fmt.Sprint(i)}, nil); err != nil {
					t.Fatal(err)
				}
			}
			for list, by := range map[string]*tenontest.User{"/admin/events": root, "/orgs/" + org.String() + "/events": ada} {
				found := slices.Concat(colours(t, app, by, list+"?type=test.painted&limit=2")...)
				slices.Sort(found)
				if diff := cmp.Diff([]string{"0", "1", "2", "3", "4"}, found); diff != "" {
					t.Errorf("%s: %s", list, diff)
				}
			}
			at := "/admin/events?type=test.painted&to=" + now.Now().Format(time.RFC3339Nano)
			if n := len(app.Call(root, "GET", at, "").Want(t, 200).Items()); n != 0 {
				t.Errorf("%d events before they happened", n)
			}
		})
	}
}

// G11: what people wrote is text, in a spreadsheet too.
func TestAnExportIsCompleteAndHarmless(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		org := app.Org(ada, "acme")
		formulas := []string{`=HYPERLINK("http://e.test")`, "+1", "-1", "@SUM(A1)", "\tx", "a,b\"c\nd", "plain"}
		for _, f := range formulas {
			ada.Name = f
			if err := app.DB.Org(org).Tx(t.Context(), func(tx *db.Tx) error {
				return app.Audit.In(tx).Record(app.As(ada), audit.Entry{Event: painted{org, f}, Target: audit.Target{Kind: "wall", ID: "wall_1", Name: f}})
			}); err != nil {
				t.Fatal(err)
			}
		}
		got := app.Call(ada, "GET", "/orgs/"+org.String()+"/events/export?type=test.painted", "").Want(t, 200)
		if got.Header.Get("Content-Disposition") != "attachment; filename=events.csv" || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/csv") {
			t.Errorf("headers %v", got.Header)
		}
		rows, err := csv.NewReader(strings.NewReader(got.Text)).ReadAll()
		if err != nil || len(rows) != len(formulas)+1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, row := range rows[1:] {
			want := formulas[len(formulas)-1-i]
			if strings.ContainsRune("=+-@\t", rune(want[0])) {
				want = "'" + want
			}
			name := row[slices.Index(rows[0], "target_name")]
			if name != want {
				t.Errorf("the name is %q, want %q", name, want)
			}
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Errorf("a cell is a formula: %q", cell)
				}
			}
		}
		lines := strings.Split(strings.TrimSpace(app.Call(ada, "GET", "/orgs/"+org.String()+"/events/export?format=jsonl&type=test.painted", "").Want(t, 200).Text), "\n")
		for i, line := range lines {
			var e audit.Event
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.Target.Name != formulas[len(formulas)-1-i] {
				t.Errorf("line %d: %v, %q", i, err, e.Target.Name)
			}
		}
		if len(lines) != len(formulas) {
			t.Errorf("%d lines", len(lines))
		}
	})
}

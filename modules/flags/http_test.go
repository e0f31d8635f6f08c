package flags_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/flags"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest"
)

// world has an administrator, and two people of one organization.
type world struct {
	*tenontest.App
	t              *testing.T
	now            *clock.Manual
	root, ada, bob *tenontest.User
	org            id.Org
}

// each runs fn on both databases, with a clock that moves only when told to.
func each(t *testing.T, fn func(t *testing.T, w *world), options ...tenontest.Option) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, now: clock.NewManual(time.Now())}
			atMine := tenontest.Configure(func(c *tenon.Config) { c.Now = w.now.Now })
			w.App = tenontest.Start(t, dialect, append(slices.Clone(options), atMine)...)
			w.root, w.ada = w.Administrator("root"), w.User("ada")
			w.org = w.Org(w.ada, "acme")
			w.bob = w.Member(w.org, "bob", authz.Member)
			fn(t, w)
		})
	}
}

// flag makes a boolean flag for clients that is on, with more of its definition.
func (w *world) flag(key, more string) *tenontest.Answer {
	w.t.Helper()
	body := map[string]any{"key": key, "type": "boolean", "client": true, "enabled": true, "reason": "for the test"}
	if err := json.Unmarshal([]byte("{"+more+"}"), &body); err != nil { // which keeps what more does not name
		w.t.Fatal(err)
	}
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.Call(w.root, "POST", "/admin/flags", string(text)).Want(w.t, 201)
}

func (w *world) patch(key, fields string) *tenontest.Answer {
	w.t.Helper()
	return w.Call(w.root, "PATCH", "/admin/flags/"+key, `{"reason":"because",`+fields+`}`)
}

// served is what u gets of a flag by way of the API, for instance "on TARGETING_MATCH".
func (w *world) served(u *tenontest.User, key string) string {
	w.t.Helper()
	got := w.Call(u, "POST", "/flags/evaluate", fmt.Sprintf(`{"keys":[%q],"org_id":%q}`, key, w.org)).Want(w.t, 200)
	one, _ := got.Body["flags"].(map[string]any)[key].(map[string]any)
	return fmt.Sprint(one["variant"], " ", one["reason"])
}

func (w *world) keys(query string) []string {
	w.t.Helper()
	keys := []string{}
	for _, f := range w.Call(w.root, "GET", "/admin/flags"+query, "").Want(w.t, 200).Items() {
		keys = append(keys, f["key"].(string))
	}
	return keys
}

func TestAFlagIsMadeChangedArchivedRestoredAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made := w.flag("new-dashboard", `"owner":" Growth ","tags":["Beta","ui","beta"]`)
		if diff := cmp.Diff([]any{"beta", "ui"}, made.Body["tags"]); diff != "" || made.Get("owner") != "Growth" || made.Get("off_variant") != "off" {
			t.Errorf("tags %s, owner %q: %s", diff, made.Get("owner"), made.Text)
		}
		w.Call(w.root, "POST", "/admin/flags", `{"key":"new-dashboard","type":"string","variants":[{"name":"a","value":"a"}],"reason":"twice"}`).WantCode(t, 409, "flags.key_taken")
		if got := w.served(w.ada, "new-dashboard"); got != "on STATIC" {
			t.Errorf("made, it serves %s", got)
		}

		w.now.Advance(time.Minute)
		changed := w.patch("new-dashboard", `"enabled":false`).Want(t, 200)
		if got := w.served(w.ada, "new-dashboard"); got != "off DISABLED" || changed.Body["updated_by"].(map[string]any)["name"] != "root" {
			t.Errorf("killed, it serves %s: %s", got, changed.Text)
		}
		stale := w.Request("PATCH", "/admin/flags/new-dashboard", `{"enabled":true,"reason":"not knowing"}`)
		stale.Header.Set("If-Match", made.Header.Get("ETag"))
		stale.Header.Set("Authorization", "Bearer "+w.root.Tokens.AccessToken)
		w.Send(stale).WantCode(t, 412, "request.changed_meanwhile")
		w.patch("new-dashboard", `"type":"string"`).Want(t, 422)
		w.Call(w.root, "PATCH", "/admin/flags/new-dashboard", `{"enabled":true}`).Want(t, 422)
		w.Call(w.root, "PATCH", "/admin/flags/new-dashboard", `{"enabled":true,"reason":"x"}`).WantCode(t, 422, "flags.reason_invalid")

		at := "/admin/flags/new-dashboard"
		w.Call(w.root, "DELETE", at, `{"reason":"too early"}`).WantCode(t, 409, "flags.not_archived")
		w.now.Advance(time.Minute)
		w.Call(w.root, "POST", at+"/archive", `{"reason":"out of the code"}`).Want(t, 200)
		w.Call(w.root, "POST", at+"/archive", `{"reason":"again, no"}`).WantCode(t, 409, "flags.archived")
		w.patch("new-dashboard", `"enabled":true`).WantCode(t, 409, "flags.archived")
		w.Call(w.root, "POST", at+"/test", `{"context":{}}`).WantCode(t, 409, "flags.archived")
		if got := w.served(w.ada, "new-dashboard"); got != "<nil> <nil>" {
			t.Errorf("archived, it serves %s", got)
		}
		w.now.Advance(time.Minute)
		w.Call(w.root, "POST", at+"/restore", `{"reason":"still needed"}`).Want(t, 200)
		w.Call(w.root, "POST", at+"/restore", `{"reason":"again, no"}`).WantCode(t, 409, "flags.not_archived")

		history := w.Call(w.root, "GET", at+"/changes", "").Want(t, 200).Items()
		told := []string{}
		for _, h := range history {
			told = append(told, fmt.Sprint(h["verb"], ": ", h["reason"], ", by ", h["changed_by"].(map[string]any)["name"]))
		}
		if diff := cmp.Diff([]string{"restored: still needed, by root", "archived: out of the code, by root", "updated: because, by root", "created: for the test, by root"}, told); diff != "" {
			t.Errorf("the history (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]any{"enabled": map[string]any{"from": true, "to": false}}, history[2]["changes"]); diff != "" {
			t.Errorf("the change (-want +got):\n%s", diff)
		}
		w.patch("new-dashboard", `"enabled":false`).Want(t, 200) // as it is: no change
		if got := len(w.Call(w.root, "GET", at+"/changes", "").Items()); got != 4 {
			t.Errorf("a change that changes nothing is in the history: %d", got)
		}

		w.Call(w.root, "POST", at+"/archive", `{"reason":"at last"}`).Want(t, 200)
		w.Call(w.root, "DELETE", at, `{"reason":"at last"}`).Want(t, 204)
		w.Call(w.root, "GET", at, "").Want(t, 404)
		kinds, err := db.All(t.Context(), w.DB.Platform("test"), db.Scalar[string], `SELECT type FROM events WHERE type LIKE 'flags.%' ORDER BY occurred_at, id`)
		if diff := cmp.Diff([]string{"flags.created", "flags.updated", "flags.archived", "flags.restored", "flags.archived", "flags.deleted"}, kinds); err != nil || diff != "" {
			t.Errorf("events (-want +got):\n%s %v", diff, err)
		}
	})
}

func TestTargetingInGoAndOverHTTPAgree(t *testing.T) {
	pro := tenontest.Configure(func(c *tenon.Config) { c.Plan = func(id.Org) string { return "pro" } })
	each(t, func(t *testing.T, w *world) {
		for key, rule := range map[string]string{
			"by-user":   `{"attribute":"user_id","operator":"one_of","values":["` + w.ada.ID.String() + `"]}`,
			"by-org":    `{"attribute":"org_id","operator":"one_of","values":["` + w.org.String() + `"]}`,
			"by-domain": `{"attribute":"email_domain","operator":"one_of","values":["example.com"]}`,
			"by-role":   `{"attribute":"role","operator":"one_of","values":["owner"]}`,
			"by-plan":   `{"attribute":"plan","operator":"one_of","values":["pro"]}`,
			"by-admin":  `{"attribute":"administrator","operator":"one_of","values":[true]}`,
		} {
			w.flag(key, `"default":{"variant":"off"},"rules":[{"conditions":[`+rule+`],"serve":{"variant":"on"}}]`)
		}
		w.flag("half", `"default":{"split":{"by":"user","weights":[{"variant":"on","percent":50},{"variant":"off","percent":50}]}}`)
		wants := map[string][2]bool{"by-user": {true, false}, "by-org": {true, true}, "by-domain": {true, true}, "by-role": {true, false}, "by-plan": {true, true}, "by-admin": {false, false}}
		for i, u := range []*tenontest.User{w.ada, w.bob} {
			p, err := w.Sessions.Principal(t.Context(), credential(u))
			if err != nil {
				t.Fatal(err)
			}
			ctx := authz.With(w.Flags.With(t.Context()), p)
			m, err := w.Orgs.Membership(ctx, w.org)
			if err != nil {
				t.Fatal(err)
			}
			ctx = authz.WithMembership(ctx, m)
			for key, want := range wants {
				if got := flags.Bool(ctx, key, !want[i]); got != want[i] {
					t.Errorf("%s: %s gets %v in Go", key, u.Name, got)
				}
			}
			for _, key := range []string{"by-user", "by-org", "by-domain", "by-role", "by-plan", "by-admin", "half"} {
				over := strings.HasPrefix(w.served(u, key), "on ")
				if in := flags.Bool(ctx, key, false); in != over {
					t.Errorf("%s: %s gets %v in Go and %v over HTTP", key, u.Name, in, over)
				}
			}
		}
	}, pro)
}

func TestEveryTypeHasItsValue(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for key, variants := range map[string]string{"string": `"Guten Tag"`, "number": `2.5`, "json": `{"limit":3,"names":["a"]}`} {
			w.Call(w.root, "POST", "/admin/flags", fmt.Sprintf(`{"key":%q,"type":%q,"enabled":true,"variants":[{"name":"v","value":%s}],"reason":"for the test"}`, key, key, variants)).Want(t, 201)
		}
		w.flag("boolean", "")
		ctx := w.As(w.ada)
		type limits struct {
			Limit int
			Names []string
		}
		if s, n, j := flags.String(ctx, "string", ""), flags.Number(ctx, "number", 0), flags.JSON(ctx, "json", limits{}); s != "Guten Tag" || n != 2.5 || j.Limit != 3 || !slices.Equal(j.Names, []string{"a"}) {
			t.Errorf("%q %v %+v", s, n, j)
		}
		// What is not there, of another type, or does not fit is the fallback.
		if flags.Bool(ctx, "nothing", true) != true || flags.String(ctx, "boolean", "x") != "x" || flags.Number(ctx, "json", 7) != 7 || flags.Bool(ctx, "number", true) != true ||
			flags.JSON(ctx, "json", "x") != "x" || flags.Bool(t.Context(), "boolean", false) != false {
			t.Error("not the fallback")
		}
	})
}

func TestASplitOfTheAPIGrowsWithoutLettingAnybodyGo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.flag("half", `"default":{"split":{"weights":[{"variant":"on","percent":20},{"variant":"off","percent":80}]}}`)
		on := func() (people []string) {
			for i := range 2000 {
				r, err := w.Flags.Evaluate("half", flags.Subject{Key: fmt.Sprint(i)})
				if err != nil {
					t.Fatal(err)
				}
				if r.Variant == "on" {
					people = append(people, r.Key+fmt.Sprint(i))
				}
			}
			return people
		}
		before := on()
		// The order in which the weights are written does not matter.
		w.patch("half", `"default":{"split":{"weights":[{"variant":"off","percent":60},{"variant":"on","percent":40}]}}`).Want(t, 200)
		after := on()
		for _, p := range before {
			if !slices.Contains(after, p) {
				t.Fatalf("%s was let go", p)
			}
		}
		if len(after) < 700 || len(after) > 900 {
			t.Errorf("%d of 2,000 are on, want 40 %%", len(after))
		}
	})
}

func TestPrerequisitesAreMetInOrderAndWithoutCircles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.flag("a", "")
		needs := func(other string) string { return `"prerequisites":[{"flag":"` + other + `","variants":["on"]}]` }
		w.flag("b", needs("a"))
		w.flag("c", needs("b"))
		if got := w.served(w.ada, "c"); got != "on TARGETING_MATCH" {
			t.Errorf("c serves %s", got)
		}
		w.patch("a", `"enabled":false`).Want(t, 200)
		if got := w.served(w.ada, "c"); got != "off DISABLED" {
			t.Errorf("without a, c serves %s", got)
		}
		tested := w.Call(w.root, "POST", "/admin/flags/c/test", `{"context":{}}`).Want(t, 200)
		if tested.Get("prerequisite") != "b" || tested.Get("reason") != "DISABLED" || tested.Get("rule") != "" {
			t.Errorf("the test says %s", tested.Text)
		}
		w.patch("a", needs("c")).WantCode(t, 409, "flags.prerequisite_cycle")
		w.patch("a", needs("a")).WantCode(t, 409, "flags.prerequisite_cycle")
		w.patch("a", needs("nothing")).WantCode(t, 422, "flags.prerequisites_invalid")
		w.patch("a", `"prerequisites":[{"flag":"b","variants":["maybe"]}]`).WantCode(t, 422, "flags.prerequisites_invalid")
		w.patch("a", `"variants":[{"name":"off","value":false}],"default":{"variant":"off"}`).WantCode(t, 409, "flags.required")
		w.Call(w.root, "POST", "/admin/flags/a/archive", `{"reason":"not yet"}`).WantCode(t, 409, "flags.required")
		w.flag("d", needs("c"))
		w.flag("e", needs("d"))
		w.flag("f", needs("e"))
		if got := w.Call(w.root, "POST", "/admin/flags", `{"key":"g","type":"boolean","reason":"too deep",`+needs("f")+`}`); got.Get("code") != "flags.prerequisite_depth" {
			t.Errorf("six deep: %s", got.Text)
		}
		w.patch("a", `"enabled":true`).Want(t, 200)
		if got := w.served(w.ada, "f"); got != "on TARGETING_MATCH" { // five deep
			t.Errorf("f serves %s", got)
		}
	})
}

// Two changes at once, each fine by itself, do not close a circle.
func TestNoCircleIsClosedByTwoAtOnce(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		w := &world{App: app, t: t, root: app.Administrator("root")}
		for round := range 5 {
			a, b := fmt.Sprint("a", round), fmt.Sprint("b", round)
			w.flag(a, "")
			w.flag(b, "")
			var all sync.WaitGroup
			begin := make(chan bool)
			codes := make([]int, 2)
			for i, pair := range [][2]string{{a, b}, {b, a}} {
				all.Go(func() {
					<-begin
					codes[i] = w.patch(pair[0], `"prerequisites":[{"flag":"`+pair[1]+`","variants":["on"]}]`).Status
				})
			}
			close(begin)
			all.Wait()
			if slices.Sort(codes); !slices.Equal(codes, []int{200, 409}) {
				t.Fatalf("the two got %v", codes)
			}
		}
	})
}

func TestScheduledAndRollingOutByTheClockAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := func(d time.Duration) string { return w.now.Now().Add(d).Format(time.RFC3339Nano) }
		w.flag("launch", `"default":{"variant":"on"}`)
		w.patch("launch", fmt.Sprintf(`"enabled":false,"schedule":[{"at":%q,"enabled":true},{"at":%q,"enabled":false}]`, at(time.Hour), at(3*time.Hour))).Want(t, 200)
		w.flag("slow", fmt.Sprintf(`"default":{"rollout":{"variant":"on","otherwise":"off","from_percent":0,"to_percent":100,"starts_at":%q,"ends_at":%q}}`, at(time.Hour), at(2*time.Hour)))
		want := func(launch, slow string) {
			t.Helper()
			if l, s := w.served(w.ada, "launch"), w.served(w.ada, "slow"); l != launch || s != slow {
				t.Errorf("launch: %s, slow: %s; want %s, %s", l, s, launch, slow)
			}
		}
		want("off DISABLED", "off SPLIT")
		w.now.Advance(2 * time.Hour)
		w.ada.Tokens, w.root.Tokens = w.SignIn(w.ada), w.SignIn(w.root)
		want("on STATIC", "on SPLIT")
		if diff := cmp.Diff([]string{"launch", "slow"}, w.keys("?state=on")); diff != "" {
			t.Errorf("on (-want +got):\n%s", diff)
		}
		// The kill switch is stronger than what was scheduled before; what is to come stays.
		killed := w.patch("launch", `"enabled":false`).Want(t, 200)
		want("off DISABLED", "on SPLIT")
		if got := len(killed.Body["schedule"].([]any)); got != 1 {
			t.Errorf("%d instants are to come, want 1", got)
		}
		w.patch("launch", fmt.Sprintf(`"schedule":[{"at":%q,"enabled":true}]`, at(-time.Hour))).WantCode(t, 422, "flags.schedule_invalid")
	})
}

func TestAdministratorsFindFlags(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.flag("alpha", `"tags":["ui"],"owner":"Growth"`)
		w.flag("beta", `"tags":["ui","api"],"description":"The New Thing"`)
		w.flag("gamma", `"enabled":false`)
		w.flag("delta", "")
		w.Call(w.root, "POST", "/admin/flags/delta/archive", `{"reason":"is over"}`).Want(t, 200)
		for query, want := range map[string][]string{"": {"alpha", "beta", "gamma"}, "?state=on": {"alpha", "beta"}, "?state=off": {"gamma"}, "?state=archived": {"delta"}, "?tag=ui": {"alpha", "beta"},
			"?tag=api": {"beta"}, "?q=growth": {"alpha"}, "?q=NEW%20thing": {"beta"}, "?q=mm": {"gamma"}, "?stale=true": {}, "?tag=ui&state=off": {}} {
			if diff := cmp.Diff(want, w.keys(query)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
		page := w.Call(w.root, "GET", "/admin/flags?limit=2", "").Want(t, 200)
		next := w.Call(w.root, "GET", "/admin/flags?limit=2&cursor="+page.Get("next_cursor"), "").Want(t, 200)
		if len(page.Items()) != 2 || len(next.Items()) != 1 || next.Items()[0]["key"] != "gamma" {
			t.Errorf("pages: %s %s", page.Text, next.Text)
		}
		w.Call(w.root, "GET", "/admin/flags?state=nonsense", "").Want(t, 422)
	})
}

func TestEvaluationsAreCountedAndWrittenOnceAMinute(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, key := range []string{"used", "unused", "same"} {
			w.flag(key, "")
		}
		w.now.Advance(31 * 24 * time.Hour)
		w.ada.Tokens, w.root.Tokens = w.SignIn(w.ada), w.SignIn(w.root)
		w.patch("used", `"default":{"split":{"weights":[{"variant":"on","percent":50},{"variant":"off","percent":50}]}}`).Want(t, 200)
		w.served(w.ada, "used") // the caller is remembered now
		ctx := w.Flags.With(t.Context())
		fewest := int64(1000)
		for round := range 10 { // what the app does beside it counts too, now and then
			before := w.DB.Stats().Statements.Load()
			for i := range 100 {
				ctx := authz.With(ctx, &authz.Principal{Account: id.New[id.AccountKind]()})
				flags.Bool(ctx, "used", false)
				flags.Bool(ctx, "same", round+i == 0)
			}
			fewest = min(fewest, w.DB.Stats().Statements.Load()-before)
		}
		if fewest != 0 {
			t.Errorf("200 evaluations made %d statements at the fewest", fewest)
		}
		for range 2 { // a second time there is nothing to write
			if err := w.Flags.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{"same", "unused"}, w.keys("?stale=true")); diff != "" {
			t.Errorf("stale (-want +got):\n%s", diff)
		}
		for key, want := range map[string]string{"used": "", "unused": "not_evaluated", "same": "one_variant"} {
			got := w.Call(w.root, "GET", "/admin/flags/"+key, "").Want(t, 200)
			if got.Get("stale") != want || (got.Body["last_evaluated_at"] == nil) != (key == "unused") {
				t.Errorf("%s is %s, last evaluated %v", key, got.Get("stale"), got.Body["last_evaluated_at"])
			}
		}
		usage := w.Call(w.root, "GET", "/admin/flags/same/usage", "").Want(t, 200).Items()
		if len(usage) != 1 || usage[0]["count"] != 1000.0 || usage[0]["variant"] != "on" || usage[0]["day"] != w.now.Now().Format(time.DateOnly) {
			t.Errorf("usage: %v", usage)
		}
		w.now.Advance(91 * 24 * time.Hour)
		if err := w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return w.Jobs.Enqueue(t.Context(), tx, flags.Sweep{}) }); err != nil {
			t.Fatal(err)
		}
		w.Settle()
		if n, err := db.One(t.Context(), w.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM flag_counts`); err != nil || n != 0 {
			t.Errorf("%d counts are older than 90 days, %v", n, err)
		}
	})
}

func TestOneTestsWhatSomebodyGets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.flag("beta", `"default":{"variant":"off"},"rules":[{"id":"staff","conditions":[{"attribute":"email_domain","operator":"one_of","values":["example.com"]},{"attribute":"role","operator":"one_of","values":["owner"]}],"serve":{"variant":"on"}}]`)
		try := func(context string) *tenontest.Answer {
			t.Helper()
			return w.Call(w.root, "POST", "/admin/flags/beta/test", `{"context":`+context+`}`).Want(t, 200)
		}
		org := `"org_id":"` + w.org.String() + `"`
		got := try(`{"user_id":"` + w.ada.ID.String() + `",` + org + `}`)
		want := map[string]any{"variant": "on", "value": true, "reason": "TARGETING_MATCH", "rule": "staff", "prerequisite": "", "context": map[string]any{
			"user_id": w.ada.ID.String(), "org_id": w.org.String(), "email_domain": "example.com", "role": "owner", "plan": "", "administrator": false}}
		if diff := cmp.Diff(want, got.Body); diff != "" {
			t.Errorf("Ada (-want +got):\n%s", diff)
		}
		for context, rule := range map[string]string{
			`{"user_id":"` + w.ada.ID.String() + `"}`:                                    "default", // in no organization
			`{"user_id":"` + w.bob.ID.String() + `",` + org + `}`:                        "default",
			`{"user_id":"` + w.bob.ID.String() + `",` + org + `,"role":"owner"}`:         "staff", // what if
			`{"user_id":"` + w.ada.ID.String() + `",` + org + `,"email_domain":"x.org"}`: "default",
			`{"user_id":"visitor-7","email_domain":"example.com","role":"owner"}`:        "staff",
			`{}`: "default",
		} {
			if got := try(context); got.Get("rule") != rule {
				t.Errorf("%s: %s", context, got.Text)
			}
		}
		if err := w.Flags.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.Call(w.root, "GET", "/admin/flags/beta", ""); got.Body["last_evaluated_at"] != nil {
			t.Error("a test counts as an evaluation")
		}
	})
}

func TestAJobEvaluatesFlagsToo(t *testing.T) {
	got := make(chan bool, 1)
	app := tenontest.Start(t, db.SQLite, tenontest.With(func(app *tenon.App) { app.Use(asking(got)) }))
	w := &world{App: app, t: t, root: app.Administrator("root")}
	w.flag("new-dashboard", "")
	if err := app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return app.Jobs.Enqueue(t.Context(), tx, ask{}) }); err != nil {
		t.Fatal(err)
	}
	select {
	case on := <-got:
		if !on {
			t.Error("the job got the fallback")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the job did not run")
	}
}

func TestWhatIsWrongIsLoggedOnceForEachFlag(t *testing.T) {
	log := &lines{}
	app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) { c.Logger = log.logger() }))
	ctx := app.Flags.With(context.Background())
	for range 100 {
		flags.Bool(ctx, "no-such-flag", false)
		flags.Bool(ctx, "nor-this", false)
	}
	if n := log.count("flag has its fallback"); n != 2 {
		t.Errorf("%d lines, want one for each flag", n)
	}
}

func TestJSONOfTheAPIHasNoSaltAndNoBuckets(t *testing.T) {
	f := flags.Flag{}
	text, err := json.Marshal(f)
	if err != nil || strings.Contains(string(text), "salt") || strings.Contains(string(text), "buckets") {
		t.Errorf("%s %v", text, err)
	}
}

package notifications_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/modules/notifications"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/tenontest"
)

// world is two people, at a time of their own.
type world struct {
	*tenontest.App
	t          *testing.T
	now        *clock.Manual
	ada, grace *tenontest.User
}

const poked = "demo.poked"

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, now: clock.NewManual(time.Now())}
			w.App = tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now = w.now.Now }))
			w.Notifications.Add(module.Notice{Kind: poked, Title: "Pokes", Doc: "Somebody pokes you.", Email: "daily"},
				module.Notice{Kind: "demo.vital", Title: "Vital", Required: true})
			w.ada, w.grace = w.User("ada"), w.User("grace")
			fn(t, w)
		})
	}
}

// poke sends a message to people, and waits until they have it.
func (w *world) poke(title string, to ...*tenontest.User) {
	w.t.Helper()
	w.send(notifications.Message{Kind: poked, Title: title}, to...)
	w.Settle()
}

func (w *world) send(m notifications.Message, to ...*tenontest.User) {
	w.t.Helper()
	for _, u := range to {
		m.To = append(m.To, u.ID)
	}
	err := w.DB.Platform("test").Tx(w.t.Context(), func(tx *db.Tx) error { return w.Notifications.In(tx).Send(w.t.Context(), m) })
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) titles(u *tenontest.User, query string) []string {
	w.t.Helper()
	var all []string
	for _, n := range w.Call(u, "GET", "/notifications?"+query, "").Want(w.t, 200).Items() {
		all = append(all, n["title"].(string))
	}
	return all
}

func (w *world) unread(u *tenontest.User) float64 {
	w.t.Helper()
	return w.Call(u, "GET", "/notifications/summary", "").Want(w.t, 200).Body["unread"].(float64)
}

func (w *world) prefer(u *tenontest.User, kind, body string) *tenontest.Answer {
	w.t.Helper()
	return w.Call(u, "PUT", "/notifications/preferences/"+kind, body)
}

func TestAMessageIsReadMarkedAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org := w.Org(w.ada, "acme")
		w.send(notifications.Message{Org: org, Kind: poked, Level: notifications.Warning, Title: " Look ", Message: "Twice.",
			Action: &notifications.Action{Label: "Show", URL: "/o/acme"}}, w.ada)
		w.Settle()
		got := w.Call(w.ada, "GET", "/notifications", "").Want(t, 200).Items()[0]
		n := got["id"].(string)
		delete(got, "id")
		delete(got, "created_at")
		want := map[string]any{"org_id": org.String(), "kind": poked, "level": "warning", "title": "Look", "message": "Twice.",
			"action": map[string]any{"label": "Show", "url": "/o/acme"}, "read_at": nil}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if w.unread(w.ada) != 1 {
			t.Errorf("unread: %v", w.unread(w.ada))
		}
		first := w.Call(w.ada, "POST", "/notifications/"+n+"/read", "").Want(t, 200).Get("read_at")
		w.now.Advance(time.Minute)
		if again := w.Call(w.ada, "POST", "/notifications/"+n+"/read", "").Want(t, 200).Get("read_at"); again != first || first == "" {
			t.Errorf("read at %s, then at %s", first, again)
		}
		if w.unread(w.ada) != 0 || len(w.titles(w.ada, "unread=true")) != 0 || len(w.titles(w.ada, "kind=demo.vital")) != 0 {
			t.Error("it is still unread, or of another kind")
		}
		w.Call(w.ada, "POST", "/notifications/"+n+"/unread", "").Want(t, 200)
		if got := w.titles(w.ada, "unread=true&kind="+poked); len(got) != 1 {
			t.Errorf("unread: %v", got)
		}
		w.Call(w.ada, "DELETE", "/notifications/"+n, "").Want(t, 204)
		w.Call(w.ada, "DELETE", "/notifications/"+n, "").WantCode(t, 404, "notifications.not_found")
		w.Call(w.ada, "POST", "/notifications/"+n+"/read", "").WantCode(t, 404, "notifications.not_found")
	})
}

func TestOthersInboxesAreUnknown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.poke("for Ada", w.ada)
		n := w.Call(w.ada, "GET", "/notifications", "").Items()[0]["id"].(string)
		for _, verb := range []string{"read", "unread"} {
			w.Call(w.grace, "POST", "/notifications/"+n+"/"+verb, "").WantCode(t, 404, "notifications.not_found")
			w.Call(nil, "POST", "/notifications/"+n+"/"+verb, "").WantCode(t, 401, "auth.required")
		}
		w.Call(w.grace, "DELETE", "/notifications/"+n, "").WantCode(t, 404, "notifications.not_found")
		w.Call(w.grace, "POST", "/notifications/read-all", `{}`).Want(t, 200)
		if w.unread(w.ada) != 1 || w.unread(w.grace) != 0 {
			t.Errorf("unread: %v, %v", w.unread(w.ada), w.unread(w.grace))
		}
		key := w.Key(w.ada, w.Org(w.ada, "acme"), "orgs.read")
		w.CallBy(key, "GET", "/notifications", "").Want(t, 403) // a program has no inbox
	})
}

func TestPagesHoldWhileMoreArrives(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 5 {
			w.poke(fmt.Sprint(i), w.ada)
			w.now.Advance(time.Millisecond)
		}
		page := w.Call(w.ada, "GET", "/notifications?limit=2", "").Want(t, 200)
		w.poke("newer", w.ada)
		var seen []string
		for {
			for _, n := range page.Items() {
				seen = append(seen, n["title"].(string))
			}
			if page.Body["next_cursor"] == nil {
				break
			}
			page = w.Call(w.ada, "GET", "/notifications?limit=2&cursor="+page.Get("next_cursor"), "").Want(t, 200)
		}
		if diff := cmp.Diff([]string{"4", "3", "2", "1", "0"}, seen); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestNothingIsSentThatWasRolledBackUnknownOrUnfit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, to := t.Context(), []id.Account{w.ada.ID}
		for _, c := range []db.Conn{w.DB.Org(w.Org(w.grace, "acme")), w.DB.Account(w.grace.ID)} { // whoever sends it
			if err := c.Tx(ctx, func(tx *db.Tx) error {
				return w.Notifications.In(tx).Send(ctx, notifications.Message{To: []id.Account{w.grace.ID}, Kind: poked, Title: "from everywhere"})
			}); err != nil {
				t.Error(err)
			}
		}
		_ = w.DB.Platform("test").Tx(ctx, func(tx *db.Tx) error {
			if err := w.Notifications.In(tx).Send(ctx, notifications.Message{To: to, Kind: poked, Title: "never"}); err != nil {
				t.Error(err)
			}
			return http.ErrAbortHandler
		})
		long := strings.Repeat("é", 101)
		for name, m := range map[string]notifications.Message{
			"kind":         {Kind: "demo.unknown", Title: "x"},
			"no title":     {Kind: poked, Title: "  "},
			"long title":   {Kind: poked, Title: long},
			"header":       {Kind: poked, Title: "x\r\nBcc: all@example.com"},
			"control":      {Kind: poked, Title: "x", Message: "a\x1b[2J"},
			"long message": {Kind: poked, Title: "x", Message: strings.Repeat("é", 1001)},
			"label":        {Kind: poked, Title: "x", Action: &notifications.Action{URL: "/"}},
			"script":       {Kind: poked, Title: "x", Action: &notifications.Action{Label: "x", URL: "javascript:alert(1)"}},
		} {
			m.To = to
			if err := w.Notifications.Send(ctx, m); err == nil {
				t.Errorf("%s: it is sent", name)
			}
		}
		w.Settle()
		if got := w.titles(w.ada, ""); len(got) != 0 || w.unread(w.grace) != 2 {
			t.Errorf("arrived: %v, and %v at Grace", got, w.unread(w.grace))
		}
	})
}

func TestOneKeyIsOneMessageHoweverManySendIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		start, all := make(chan struct{}), sync.WaitGroup{}
		for range 20 {
			all.Go(func() {
				<-start
				if err := w.Notifications.Send(t.Context(), notifications.Message{To: []id.Account{w.ada.ID, w.grace.ID}, Kind: poked, Title: "once", Key: "the same"}); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		w.Settle()
		if w.unread(w.ada) != 1 || w.unread(w.grace) != 1 {
			t.Errorf("unread: %v, %v", w.unread(w.ada), w.unread(w.grace))
		}
	})
}

// Whoever marks all as read has seen some of it; what arrives meanwhile stays unread.
func TestMarkingAllLeavesWhatArrivesMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.poke("seen", w.ada)
		until := w.Call(w.ada, "GET", "/notifications", "").Items()[0]["created_at"].(string)
		w.now.Advance(time.Millisecond)
		start, all := make(chan struct{}), sync.WaitGroup{}
		for i := range 20 {
			all.Go(func() {
				<-start
				w.send(notifications.Message{Kind: poked, Title: fmt.Sprint(i)}, w.ada)
			})
			all.Go(func() {
				<-start
				w.Call(w.ada, "POST", "/notifications/read-all", fmt.Sprintf(`{"until":%q}`, until)).Want(t, 200)
			})
		}
		close(start)
		all.Wait()
		w.Settle()
		if got := w.unread(w.ada); got != 20 {
			t.Errorf("%v of 20 are unread", got)
		}
		if got := w.Call(w.ada, "POST", "/notifications/read-all", `{}`).Want(t, 200).Body["read"]; got != float64(20) {
			t.Errorf("%v were read", got)
		}
	})
}

func TestEveryPreferenceIsHonoured(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			inApp  bool
			email  string
			inbox  int
			atOnce int
			daily  int
		}{
			{true, "off", 1, 0, 0}, {true, "now", 1, 1, 0}, {true, "daily", 1, 0, 1},
			{false, "off", 0, 0, 0}, {false, "now", 0, 1, 0}, {false, "daily", 0, 0, 1},
		} {
			u := w.User(fmt.Sprintf("user-%t-%s", c.inApp, c.email))
			w.prefer(u, poked, fmt.Sprintf(`{"in_app":%t,"email":%q}`, c.inApp, c.email)).Want(t, 200)
			before := len(w.Mail(u.Email))
			w.poke("a poke", u)
			atOnce := len(w.Mail(u.Email)) - before
			w.digest()
			w.digest() // finds nothing left to tell
			daily := len(w.Mail(u.Email)) - before - atOnce
			if got := len(w.titles(u, "")); got != c.inbox || atOnce != c.atOnce || daily != c.daily {
				t.Errorf("in app %t, e-mail %s: %d in the inbox, %d letters at once, %d gathered", c.inApp, c.email, got, atOnce, daily)
			}
		}
	})
}

func (w *world) digest() {
	w.t.Helper()
	if err := w.DB.Platform("test").Tx(w.t.Context(), func(tx *db.Tx) error { return w.Jobs.Enqueue(w.t.Context(), tx, notifications.Digest{}) }); err != nil {
		w.t.Fatal(err)
	}
	w.Settle()
}

func TestWhatIsPreferredIsChecked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.prefer(w.ada, "demo.vital", `{"in_app":false,"email":"now"}`).WantCode(t, 422, "notifications.required")
		w.prefer(w.ada, "demo.vital", `{"in_app":true,"email":"now"}`).Want(t, 200)
		w.prefer(w.ada, poked, `{"in_app":true,"email":"hourly"}`).Want(t, 422)
		w.prefer(w.ada, poked, `{"in_app":true}`).Want(t, 422)
		w.prefer(w.ada, "demo.unknown", `{"in_app":true,"email":"now"}`).Want(t, 404)
		w.prefer(nil, poked, `{"in_app":true,"email":"now"}`).WantCode(t, 401, "auth.required")
		found := map[string]map[string]any{}
		for _, p := range w.Call(w.ada, "GET", "/notifications/preferences", "").Want(t, 200).Items() {
			found[p["kind"].(string)] = p
		}
		want := map[string]any{"kind": "demo.vital", "title": "Vital", "description": "", "in_app": true, "email": "now", "required": true}
		if diff := cmp.Diff(want, found["demo.vital"]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if found[poked]["email"] != "daily" || found["orgs.role_changed"] == nil {
			t.Errorf("found %v", found)
		}
	})
}

// A daily letter is written once for each message, whoever asks for it, and only for what is unread.
func TestTheDailyLetterTellsWhatIsUnreadOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 12 {
			w.now.Advance(time.Millisecond)
			w.poke(fmt.Sprintf("Poke %d <b>", i), w.ada)
		}
		n := w.Call(w.ada, "GET", "/notifications", "").Items()[0]["id"].(string) // Poke 11
		w.Call(w.ada, "POST", "/notifications/"+n+"/read", "").Want(t, 200)
		before := len(w.Mail(w.ada.Email))
		start, all := make(chan struct{}), sync.WaitGroup{}
		for range 10 {
			all.Go(func() {
				<-start
				err := w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
					return w.Jobs.EnqueueAll(t.Context(), tx, []jobs.Args{notifications.Digest{}, notifications.DigestOf{AccountID: w.ada.ID}})
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		letters := w.Mail(w.ada.Email)
		if len(letters)-before != 1 {
			t.Fatalf("%d letters", len(letters)-before)
		}
		l := letters[0]
		if l.Subject != "11 unread messages" || !strings.Contains(l.Text, "Poke 10 <b>") || strings.Contains(l.Text, "Poke 11") ||
			!strings.Contains(l.Text, "And 1 more") || strings.Contains(l.HTML, "Poke 10 <b>") {
			t.Errorf("%s\n%s", l.Subject, l.Text)
		}
		w.digest()
		if got := len(w.Mail(w.ada.Email)) - before; got != 1 {
			t.Errorf("%d letters on the next day, without anything new", got)
		}
	})
}

func TestLettersGoToProvenAddressesOfActivePeople(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.prefer(w.ada, poked, `{"in_app":true,"email":"now"}`).Want(t, 200)
		before, root := len(w.Mail(w.ada.Email)), w.Administrator("root")
		if err := w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
			return w.Accounts.In(tx).Suspend(w.As(root), w.ada.Account, "why not")
		}); err != nil {
			t.Fatal(err)
		}
		w.poke("to nobody", w.ada)
		if got := len(w.Mail(w.ada.Email)); got != before {
			t.Errorf("%d letters", got-before)
		}
	})
}

// Whoever has a letter can turn such letters off with its link (RFC 8058), and do nothing else.
func TestALetterCanBeTurnedOffWhereItIsRead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.prefer(w.ada, poked, `{"in_app":true,"email":"now"}`).Want(t, 200)
		w.prefer(w.grace, poked, `{"in_app":true,"email":"now"}`).Want(t, 200)
		w.poke("a poke", w.ada)
		link := w.Mail(w.ada.Email)[0].Unsubscribe
		path, ok := strings.CutPrefix(link, w.Config.Web.PublicURL+"/api/v1")
		if !ok {
			t.Fatalf("the link is %q", link)
		}
		if got := w.Call(nil, "GET", path, "").Want(t, 303).Header.Get("Location"); got != w.Config.Web.PublicURL+"/account/notifications" {
			t.Errorf("it leads to %s", got)
		}
		email := func(u *tenontest.User) (found string) {
			for _, p := range w.Call(u, "GET", "/notifications/preferences", "").Items() {
				if p["kind"] == poked {
					found = p["email"].(string)
				}
			}
			return found
		}
		if email(w.ada) != "now" {
			t.Error("a GET has changed something")
		}
		for range 2 {
			q := w.Request("POST", path, "List-Unsubscribe=One-Click")
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w.Send(q).Want(t, 204)
		}
		if email(w.ada) != "off" || email(w.grace) != "now" {
			t.Errorf("Ada's letters: %s, Grace's: %s", email(w.ada), email(w.grace))
		}
		spoiled := path[:len(path)-1] + "A"
		if spoiled == path {
			spoiled = path[:len(path)-1] + "Q"
		}
		for _, bad := range []string{spoiled, "/unsubscribe/AAAA", "/unsubscribe/" + strings.Repeat("A", 48)} {
			w.Call(nil, "POST", bad, "").Want(t, 404)
		}
	})
}

func TestAnnouncementsAreShownInTheirTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.Administrator("root")
		now := w.now.Now().UTC()
		at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339Nano) }
		made := w.Call(root, "POST", "/admin/announcements", fmt.Sprintf(`{"level":"warning","title":"Maintenance","starts_at":%q,"ends_at":%q}`, at(time.Minute), at(2*time.Minute))).Want(t, 201)
		a, etag := made.Get("id"), made.Header.Get("ETag")
		shown := func(u *tenontest.User) int {
			t.Helper()
			return len(w.Call(u, "GET", "/announcements", "").Want(t, 200).Items())
		}
		w.Call(w.ada, "POST", "/announcements/"+a+"/dismiss", "").WantCode(t, 404, "notifications.announcement_not_found") // not yet
		if shown(w.ada) != 0 {
			t.Error("it is shown before its time")
		}
		w.now.Advance(time.Minute)
		if shown(w.ada) != 1 || shown(w.grace) != 1 {
			t.Error("it is not shown in its time")
		}
		for range 2 {
			w.Call(w.ada, "POST", "/announcements/"+a+"/dismiss", "").Want(t, 204)
		}
		put := w.Request("PUT", "/admin/announcements/"+a, `{"title":"Maintenance, longer","dismissible":false}`)
		put.Header.Set("Authorization", "Bearer "+root.Tokens.AccessToken)
		put.Header.Set("If-Match", etag)
		changed := w.Send(put).Want(t, 200)
		if changed.Body["ends_at"] != nil || changed.Get("starts_at") == "" || changed.Get("level") != "info" {
			t.Errorf("changed to %s", changed.Text)
		}
		again := w.Request("PUT", "/admin/announcements/"+a, `{"title":"Nothing of the kind"}`)
		again.Header.Set("Authorization", "Bearer "+root.Tokens.AccessToken)
		again.Header.Set("If-Match", etag)
		w.Send(again).Want(t, 412)
		w.Call(w.grace, "POST", "/announcements/"+a+"/dismiss", "").WantCode(t, 409, "notifications.not_dismissible")
		if shown(w.ada) != 1 || shown(w.grace) != 1 { // it cannot be put away any more
			t.Errorf("shown: %d, %d", shown(w.ada), shown(w.grace))
		}
		w.Call(root, "PUT", "/admin/announcements/"+a, `{"title":"Maintenance"}`).Want(t, 200)
		if shown(w.ada) != 0 || shown(w.grace) != 1 {
			t.Errorf("shown: %d, %d", shown(w.ada), shown(w.grace))
		}
		w.Call(root, "DELETE", "/admin/announcements/"+a, "").Want(t, 204)
		w.Call(root, "DELETE", "/admin/announcements/"+a, "").WantCode(t, 404, "notifications.announcement_not_found")
		if shown(w.grace) != 0 {
			t.Error("it is shown after it was deleted")
		}
		var types []string
		for _, e := range w.Call(root, "GET", "/admin/events?target="+a, "").Want(t, 200).Items() {
			types = append(types, e["type"].(string))
		}
		want := []string{"notifications.announcement_deleted", "notifications.announcement_changed", "notifications.announcement_changed", "notifications.announced"}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhatIsAnnouncedIsChecked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.Administrator("root")
		for body, code := range map[string]string{
			`{"title":" "}`: "notifications.title_invalid",
			`{"title":"a","message":"` + strings.Repeat("x", 1001) + `"}`:                       "notifications.message_invalid",
			`{"title":"a","action":{"label":"","url":"/"}}`:                                     "notifications.action_label_invalid",
			`{"title":"a","action":{"label":"Go","url":"//evil.example"}}`:                      "notifications.action_url_invalid",
			`{"title":"a","starts_at":"2026-01-02T00:00:00Z","ends_at":"2026-01-02T00:00:00Z"}`: "notifications.window_invalid",
		} {
			w.Call(root, "POST", "/admin/announcements", body).WantCode(t, 422, code)
		}
		w.Call(root, "POST", "/admin/announcements", `{"title":"a","level":"loud"}`).Want(t, 422)
		w.Call(w.ada, "POST", "/admin/announcements", `{"title":"a"}`).Want(t, 403)
		w.Call(nil, "GET", "/announcements", "").WantCode(t, 401, "auth.required")
	})
}

func TestWhatHappensIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org := w.Org(w.ada, "acme")
		member := w.Member(org, "linus", authz.Member)
		w.Call(member, "PATCH", "/users/me", `{"locale":"de"}`).Want(t, 200)
		w.Call(w.ada, "POST", fmt.Sprintf("/orgs/%s/roles", org), `{"key":"support","name":"First Aid","permissions":[]}`).Want(t, 201)
		for _, role := range []string{"viewer", "support"} {
			w.Call(w.ada, "PATCH", fmt.Sprintf("/orgs/%s/members/%s", org, member.ID), fmt.Sprintf(`{"role":%q}`, role)).Want(t, 200)
			w.Settle()
			w.now.Advance(time.Millisecond)
		}
		w.Call(w.ada, "POST", fmt.Sprintf("/orgs/%s/invitations", org), `{"email":"grace@example.com","role":"viewer"}`).Want(t, 201)
		token := w.MailedToken("grace@example.com")
		w.Call(w.grace, "POST", "/invitations/accept", fmt.Sprintf(`{"token":%q}`, token)).Want(t, 200)
		w.Call(w.ada, "DELETE", fmt.Sprintf("/orgs/%s/members/%s", org, w.grace.ID), "").Want(t, 204)
		w.Settle()
		name := "acme"
		for _, o := range w.Call(w.ada, "GET", "/orgs", "").Items() {
			name = o["name"].(string)
		}
		if diff := cmp.Diff([]string{"Deine Rolle in " + name + " ist jetzt First Aid", "Deine Rolle in " + name + " ist jetzt Leser"}, w.titles(member, "")); diff != "" {
			t.Errorf("the member (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"grace has joined " + name}, w.titles(w.ada, "kind=orgs.invitation_accepted")); diff != "" {
			t.Errorf("who invited (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"You were removed from " + name}, w.titles(w.grace, "")); diff != "" {
			t.Errorf("who was removed (-want +got):\n%s", diff)
		}
		if l := w.Mail("grace@example.com")[0]; l.Subject != "You were removed from "+name || l.Unsubscribe == "" {
			t.Errorf("the letter: %+v", l)
		}
	})
}

func TestAPurgedOrganizationLeavesNoMessages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org := w.Org(w.ada, "acme")
		w.send(notifications.Message{Org: org, Kind: poked, Title: "of the organization"}, w.grace)
		w.poke("of nobody", w.grace)
		w.Call(w.ada, "DELETE", "/orgs/"+org.String(), "").Want(t, 202)
		w.now.Advance(31 * 24 * time.Hour)
		w.sweep("orgs.sweep")
		w.grace.Tokens = w.SignIn(w.grace)
		if diff := cmp.Diff([]string{"of nobody"}, w.titles(w.grace, "")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// sweep runs a schedule by hand.
func (w *world) sweep(schedule string) {
	w.t.Helper()
	err := w.DB.Platform("test").Tx(w.t.Context(), func(tx *db.Tx) error {
		_, err := w.Jobs.RunNow(w.t.Context(), tx, schedule)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Settle()
}

func TestOldMessagesGo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.poke("read", w.ada)
		w.Call(w.ada, "POST", "/notifications/read-all", `{}`).Want(t, 200)
		w.poke("unread", w.ada)
		left := func() []string {
			t.Helper()
			w.sweep("notifications.sweep")
			w.ada.Tokens = w.SignIn(w.ada)
			return w.titles(w.ada, "")
		}
		w.now.Advance(89 * 24 * time.Hour)
		if got := left(); len(got) != 2 {
			t.Errorf("after 89 days: %v", got)
		}
		w.now.Advance(2 * 24 * time.Hour)
		if diff := cmp.Diff([]string{"unread"}, left()); diff != "" {
			t.Errorf("after 91 days (-want +got):\n%s", diff)
		}
		w.now.Advance(91 * 24 * time.Hour)
		if got := left(); len(got) != 0 {
			t.Errorf("after half a year: %v", got)
		}
	})
}

func TestTheJobsOfAMessageShowNobodyItsText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.Administrator("root")
		w.poke("a secret affair", w.ada)
		for _, j := range w.Call(root, "GET", "/admin/jobs?kind=notifications.deliver", "").Want(t, 200).Items() {
			detail := w.Call(root, "GET", fmt.Sprintf("/admin/jobs/%v?args=true", j["id"]), "").Want(t, 200)
			if b, _ := json.Marshal(detail.Body); strings.Contains(string(b), "affair") {
				t.Errorf("shown: %s", b)
			}
		}
	})
}

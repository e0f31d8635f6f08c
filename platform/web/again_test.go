package web_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/web"
)

func key(k string) string { return "Idempotency-Key: " + k }

func TestARepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		first := a.send("POST", "/things", `{"name":"x"}`, "ada", key("k1"))
		first.want(t, "the first", 201, "")
		again := a.send("POST", "/things", `{"name":"x"}`, "ada", key("k1"))
		again.want(t, "the same again", 201, "")
		// It made nothing, says so, and does not show again what is shown once.
		if a.count() != 1 || again.Header().Get("Idempotent-Replayed") != "true" || first.Header().Get("Idempotent-Replayed") != "" {
			t.Errorf("made %d, replayed: %s", a.count(), again.Header().Get("Idempotent-Replayed"))
		}
		if diff := cmp.Diff(map[string]any{"n": 1.0}, again.body); diff != "" || first.body["secret"] != "shown once" || again.Header().Get("Content-Type") != "application/json" {
			t.Error(diff, first.body, again.Header())
		}
		for name, c := range map[string]struct{ path, body string }{"another body": {"/things", `{"name":"y"}`}, "the same in other words": {"/things", `{"name": "x"}`},
			"another operation": {"/panic", ``}} {
			var body any = c.body
			if c.body == "" {
				body = nil
			}
			a.send("POST", c.path, body, "ada", key("k1")).want(t, name, 422, "request.idempotency_mismatch")
		}
		a.send("POST", "/things", `{"name":"x"}`, "bob", key("k1")).want(t, "somebody else's key", 201, "")
		a.send("POST", "/things", `{"name":"x"}`, "ada", key("k2")).want(t, "another key", 201, "")
		a.send("POST", "/things", `{"name":"x"}`, "ada").want(t, "no key", 201, "")
		if a.count() != 4 {
			t.Errorf("made %d, want 4", a.count())
		}
		// Who may not (any more) gets no answer by repeating.
		a.send("POST", "/things", `{"name":"x"}`, "nobody", key("k1")).want(t, "a stranger", 401, "")
	})
}

func TestARefusalIsRepeatedAndAFaultIsNot(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		for range 2 {
			a.send("POST", "/things", `{"name":"taken"}`, "ada", key("conflict")).want(t, "a conflict", 409, "test.taken")
		}
		if a.count() != 1 {
			t.Errorf("it was tried %d times", a.count())
		}
		faults := map[string]error{"a fault": errors.New("broken"), "unavailable": errs.New(errs.Unavailable, "test.away", "Away."), "too many": errs.New(errs.TooMany, "test.many", "Many.")}
		for name, fault := range faults {
			a.make = func(context.Context, int) error { return fault }
			if got := a.send("POST", "/things", `{"name":"x"}`, "ada", key(name)); got.Code < 429 {
				t.Errorf("%s: %d", name, got.Code)
			}
			a.make = func(context.Context, int) error { return nil }
			a.send("POST", "/things", `{"name":"x"}`, "ada", key(name)).want(t, name+", once it is over", 201, "")
		}
		for range 2 {
			a.send("POST", "/panic", nil, "ada", key("panic")).want(t, "a panic", 500, "internal")
		}
	})
}

func TestTheSameRequestAtTheSameTimeIsToWait(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		running, finish := make(chan struct{}), make(chan struct{})
		a.make = func(context.Context, int) error { close(running); <-finish; return nil }
		var all sync.WaitGroup
		all.Go(func() { a.send("POST", "/things", `{"name":"x"}`, "ada", key("k")).want(t, "the first", 201, "") })
		<-running
		var waiting sync.WaitGroup
		for range 5 {
			waiting.Go(func() {
				got := a.send("POST", "/things", `{"name":"x"}`, "ada", key("k"))
				got.want(t, "while it runs", 409, "request.idempotency_running")
				if got.Header().Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				a.send("POST", "/things", `{"name":"other"}`, "ada", key("k")).want(t, "another while it runs", 422, "request.idempotency_mismatch")
			})
		}
		waiting.Wait()
		close(finish)
		all.Wait()
		if a.count() != 1 {
			t.Errorf("made %d", a.count())
		}
	})
}

func TestOfManyEqualRequestsOneTakesEffect(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if got := a.send("POST", "/things", `{"name":"x"}`, "ada", key("k")); got.Code != 201 && got.code() != "request.idempotency_running" {
					t.Errorf("%d %s", got.Code, got.Body)
				}
			})
		}
		all.Wait()
		if a.count() != 1 {
			t.Errorf("made %d", a.count())
		}
	})
}

func TestAKeyIsKeptForADay(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		make := func() {
			a.send("POST", "/things", `{"name":"x"}`, "ada", key("k")).want(t, "at "+a.now.Now().String(), 201, "")
		}
		make()
		a.now.Advance(24*time.Hour - time.Second)
		make()
		if a.count() != 1 {
			t.Errorf("within the day: made %d", a.count())
		}
		a.now.Advance(2 * time.Second)
		make()
		if a.count() != 2 {
			t.Errorf("after the day: made %d", a.count())
		}
		make()
		a.now.Advance(25 * time.Hour)
		n, err := web.Sweep(t.Context(), a.db.Platform("test"), a.now.Now())
		if err != nil || n != 1 || a.count() != 2 {
			t.Errorf("swept %d, %v; made %d", n, err, a.count())
		}
	})
}

// A first request whose process died blocks its key for two minutes, no longer.
func TestAnAbandonedRequestMayBeMadeAgain(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		died, resume := make(chan struct{}), make(chan struct{})
		a.make = func(_ context.Context, n int) error {
			if n == 1 {
				close(died)
				<-resume
			}
			return nil
		}
		var first sync.WaitGroup
		first.Go(func() { a.send("POST", "/things", `{"name":"x"}`, "ada", key("k")) })
		<-died
		a.now.Advance(2*time.Minute - time.Second)
		a.send("POST", "/things", `{"name":"x"}`, "ada", key("k")).want(t, "soon", 409, "request.idempotency_running")
		a.now.Advance(2 * time.Second)
		a.send("POST", "/things", `{"name":"x"}`, "ada", key("k")).want(t, "later", 201, "")
		close(resume)
		first.Wait()
	})
}

func TestKeysArePlainText(t *testing.T) {
	a := lite(t)
	for _, k := range []string{strings.Repeat("k", 256), "ü", "a\x7f", "a\tb"} {
		a.send("POST", "/things", `{"name":"x"}`, "ada", key(k)).want(t, k, 400, "request.idempotency_key")
	}
	a.send("POST", "/things", `{"name":"x"}`, "ada", key("a"), key("b")).want(t, "two keys", 400, "request.idempotency_key")
	a.send("POST", "/things", `{"name":"x"}`, "ada", key(strings.Repeat("k", 255))).want(t, "255", 201, "")
}

// J01: a cursor is good for its list, its filters, its tenant and its owner.
func TestACursorBelongsToOneList(t *testing.T) {
	each(t, func(t *testing.T, a *api) {
		var all []any
		var cursors []string
		for cursor := ""; ; {
			got := a.send("GET", "/numbers?q=x&limit=3"+cursor, nil, "ada")
			got.want(t, "a page", 200, "")
			all = append(all, got.body["items"].([]any)...)
			next, _ := got.body["next_cursor"].(string)
			if next == "" {
				break
			}
			cursors = append(cursors, next)
			cursor = "&cursor=" + next
		}
		if diff := cmp.Diff([]any{1., 2., 3., 4., 5., 6., 7., 8., 9., 10.}, all); diff != "" || len(cursors) != 3 {
			t.Error(diff, cursors)
		}
		c := cursors[1]
		// Another size of page, and the order of the parameters, do not matter.
		if got := a.send("GET", "/numbers?cursor="+c+"&limit=2&q=x", nil, "ada"); !cmp.Equal(got.body["items"], any([]any{7., 8.})) {
			t.Errorf("%s", got.Body)
		}
		raw, err := base64.RawURLEncoding.DecodeString(c)
		must(t, err)
		forged := append(append([]byte{}, raw[:20]...), "9"...)
		for name, q := range map[string]struct{ who, path string }{
			"another's":           {"bob", "/numbers?q=x&cursor=" + c},
			"another list's":      {"ada", "/other-numbers?q=x&cursor=" + c},
			"an organization's":   {"ada", "/orgs/" + a.org.String() + "/numbers?q=x&cursor=" + c},
			"another filter's":    {"ada", "/numbers?q=y&cursor=" + c},
			"no filter's":         {"ada", "/numbers?cursor=" + c},
			"a forged position's": {"ada", "/numbers?q=x&cursor=" + base64.RawURLEncoding.EncodeToString(forged)},
			"a plain position's":  {"ada", "/numbers?q=x&cursor=" + base64.RawURLEncoding.EncodeToString([]byte("5"))},
			"half a one's":        {"ada", "/numbers?q=x&cursor=" + c[:len(c)/2]},
			"nonsense's":          {"ada", "/numbers?q=x&cursor='%3B--"},
			"padding's":           {"ada", "/numbers?q=x&cursor=" + c + "%3D"},
		} {
			a.send("GET", q.path, nil, q.who).want(t, name, 422, "request.cursor")
		}
		a.send("GET", "/numbers?q=x&cursor="+strings.Repeat("A", 1025), nil, "ada").want(t, "a long one", 422, "request.invalid")
	})
}

func TestRegistrationMistakesAreFoundAtStart(t *testing.T) {
	for want, op := range map[string]web.Op{
		"does not declare its Access": {ID: "test.x", Method: "GET", Path: "/x"},
		"is not named module.verb":    {ID: "x", Method: "GET", Path: "/x", Access: authz.Public()},
		"declared twice":              {ID: "test.make", Method: "GET", Path: "/x", Access: authz.Public()},
		"that nobody declared":        {ID: "test.x", Method: "GET", Path: "/x/{unknown}", Access: authz.Public()},
		"go together":                 {ID: "test.x", Method: "GET", Path: "/orgs/{org}/x", Access: authz.SignedIn()},
		"in the path go together":     {ID: "test.x", Method: "GET", Path: "/x", Access: authz.InOrg("test.look")},
	} {
		a := lite(t)
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, want) {
					t.Errorf("got %s, want %s", p, want)
				}
			}()
			web.Handle(a.Router, op, func(context.Context, *web.Empty) (*web.Empty, error) { return nil, nil })
		}()
	}
	for _, url := range []string{"", "app.test", "ftp://app.test", "https://", "https://u:p@app.test", "https://app.test?x=1", "https://app.test#x", "javascript:alert(1)"} {
		c := web.Config{PublicURL: url}
		if c.Check(false) == nil {
			t.Errorf("%q is accepted as the public address", url)
		}
	}
	plain := web.Config{PublicURL: "http://app.test"}
	if plain.Check(true) == nil {
		t.Error("production without TLS is accepted")
	}
}

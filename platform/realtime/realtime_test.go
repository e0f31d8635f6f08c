package realtime

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest/servers"
)

const soon = 20 * time.Second

func hub(t *testing.T) *Hub {
	t.Helper()
	c := Config{}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	h := New(Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(h.Close)
	return h
}

func TestAChannelHasOneSpelling(t *testing.T) {
	org := id.New[id.OrgKind]()
	for _, c := range []Channel{Org(org), OrgWith(org, "tasks.read"), Administrators()} {
		if got, ok := parse(c.Name()); !ok || got != c {
			t.Errorf("%s is read as %+v", c.Name(), got)
		}
	}
	for _, name := range []string{"", "org", "org:", "org:x", "user:" + id.New[id.AccountKind]().String(), User(id.New[id.AccountKind]()).Name(),
		Org(org).Name() + ":", strings.ToUpper(Org(org).Name()), " " + Org(org).Name(), "admin:", "Admin", "org:" + id.New[id.AccountKind]().String()} {
		if c, ok := parse(name); ok {
			t.Errorf("%q is read as %+v", name, c)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("org:org_01jd8x0q3cfetb3p3ccw2s5r2a:a.b")
	f.Fuzz(func(t *testing.T, name string) {
		if c, ok := parse(name); ok && c.Name() != name {
			t.Errorf("%q is read as %q", name, c.Name())
		}
	})
}

func TestNothingIsDoneForNobody(t *testing.T) {
	h := hub(t)
	p := h.In(nil) // nil: no transaction is touched
	if n := testing.AllocsPerRun(100, func() {
		p.Publish(context.Background(), Administrators(), "test.nothing", 1)
		p.Changed(Administrators(), "test")
	}); n != 0 {
		t.Errorf("%v allocations while nobody has ever been connected", n)
	}
}

func TestHintsOfAMomentAreOne(t *testing.T) {
	h := hub(t)
	if err := h.start(); err != nil {
		t.Fatal(err)
	}
	org := Org(id.New[id.OrgKind]())
	for range 100 {
		h.hint(hint{org.Name(), "tasks"})
		h.hint(hint{org.Name(), "files"})
	}
	history := func() []*centrifuge.Publication {
		got, err := running(h).History(org.Name(), centrifuge.WithLimit(centrifuge.NoLimit))
		if err != nil {
			t.Fatal(err)
		}
		return got.Publications
	}
	servers.Within(t, soon, "both topics were hinted at", func() bool { return len(history()) >= 2 })
	if n := len(history()); n > 20 { // one of each, unless the machine stood still in between
		t.Errorf("%d messages for 200 changes", n)
	}
}

func TestWhatWasLostIsReported(t *testing.T) {
	h := hub(t)
	full := Org(id.New[id.OrgKind]())
	for range queueLength + 1 { // nobody takes them: there is no node yet
		h.enqueue(message{full.Name(), []byte(`{}`)})
	}
	if err := h.start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = h.Run(ctx) }() // ends with the test
	servers.Within(t, soon, "the channel was told of the gap", func() bool {
		got, err := running(h).History(full.Name(), centrifuge.WithLimit(1), centrifuge.WithReverse(true))
		return err == nil && len(got.Publications) == 1 && string(got.Publications[0].Data) == `{"type":"gap"}`
	})
}

func TestAMessageIsAHintNotADocument(t *testing.T) {
	if _, err := encode("test.large", strings.Repeat("x", largest)); err == nil {
		t.Error("a document is sent")
	}
	if b, err := encode("test.small", map[string]int{"n": 1}); err != nil || string(b) != `{"type":"test.small","data":{"n":1}}` {
		t.Errorf("%s %v", b, err)
	}
	if _, err := encode("test.wrong", func() {}); err == nil {
		t.Error("what is no JSON is sent")
	}
}

func TestNobodyConnectsWhileTheHubDrains(t *testing.T) {
	h := hub(t)
	if err := h.Drain(); err != nil {
		t.Fatal(err)
	}
	if err := h.start(); err == nil {
		t.Error("a draining hub starts")
	}
}

func TestABucketFillsWithTime(t *testing.T) {
	b := newBucket(2, 1000)
	for range 2 {
		if !b.take() {
			t.Fatal("what fits at once does not")
		}
	}
	servers.Within(t, soon, "it fills again", b.take)
	empty := newBucket(1, 0)
	if !empty.take() || empty.take() {
		t.Error("a bucket that does not fill gives more than it held")
	}
}

func TestOnlyPeopleAreToldWhatIsTheirs(t *testing.T) {
	h := hub(t)
	account := id.New[id.AccountKind]()
	person := &authz.Principal{Kind: authz.ActorAccount, Account: account, Admin: true}
	key := &authz.Principal{Kind: authz.ActorKey, Account: account, Admin: true, Key: &authz.Key{ID: "key"}}
	for _, c := range []Channel{User(account), Administrators()} {
		if err := h.allowed(t.Context(), person, c); err != nil {
			t.Errorf("%s: %v", c.Name(), err)
		}
		if err := h.allowed(t.Context(), key, c); err == nil {
			t.Errorf("%s: a key may", c.Name())
		}
	}
}

func TestMessagesAreJSON(t *testing.T) {
	b, err := encode("test.html", "<a&b>")
	if err != nil || !json.Valid(b) {
		t.Errorf("%s %v", b, err)
	}
}

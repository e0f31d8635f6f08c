package live

import (
	"net/http"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// While the database is away, who is connected stays so, and nobody new is let in. When it is
// back all goes on.
func TestConnectionsOutliveTheDatabase(t *testing.T) {
	pg := servers.NewPostgres(t)
	url := pg.CreateDatabase(t)
	migrated, err := tenon.New(tenon.Config{Data: t.TempDir(), RootSecret: "for tests alone 8fK2pLq0vXw7Zr4T", DB: db.Config{URL: url}})
	if err == nil {
		err = migrated.Migrate(t.Context())
		migrated.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	app := tenontest.Node(t, url)
	ada, bob := app.User("ada"), app.User("bob")
	channel := realtime.Org(app.Org(ada, "lovelace"))
	at := listen(t, app)
	hers, his := open(t, at, bearer(ada.Tokens.AccessToken)), open(t, at, bearer(bob.Tokens.AccessToken))
	hers.join(channel.Name())

	pg.Stop(t, servers.Crash)
	time.Sleep(4 * time.Second) // each connection is asked about twice
	if _, status, code := dial(t, at, bearer(ada.Tokens.AccessToken)); status != http.StatusServiceUnavailable {
		t.Errorf("who comes while the database is away is answered %d %s", status, code)
	}
	late, _, _ := dial(t, at, nil)
	if r := late.connect(ada.Tokens.AccessToken); r.Error == nil || r.Error.Code != 100 {
		t.Errorf("who comes while the database is away, and says who they are later, is told %+v, want 100, which clients take as temporary", r.Error)
	}
	if r := his.subscribe(channel.Name()); r.Error == nil {
		t.Error("a subscription is allowed by nobody")
	}
	hers.hears(channel.Name(), false) // and answers

	pg.Start(t)
	servers.Within(t, soon, "the database is used again", func() bool { return app.Call(ada, "GET", "/users/me", "").Status == http.StatusOK })
	publish(t, app, channel, "test.after", nil)
	hers.wants(channel.Name(), `{"type":"test.after"}`)
	open(t, at, bearer(ada.Tokens.AccessToken))
	app.Call(bob, "POST", "/auth/logout", "").Want(t, http.StatusNoContent)
	if code := his.closed(within); code != 3500 {
		t.Errorf("closed with %d", code)
	}
}

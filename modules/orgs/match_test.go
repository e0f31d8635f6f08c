package orgs_test

import (
	"testing"

	"github.com/tenonhq/tenon/tenontest"
)

func TestAChangeOfWhatChangedMeanwhileIsRefused(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		org := app.Call(ada, "POST", "/orgs", `{"name":"Acme","slug":"acme"}`).Want(t, 201)
		path, read := "/orgs/"+org.Get("id"), org.Header.Get("ETag")
		if got := app.Call(ada, "GET", path, "").Want(t, 200).Header.Get("ETag"); got != read || read == "" {
			t.Errorf("created with ETag %q, read with %q", read, got)
		}
		change := func(name, match string) *tenontest.Answer {
			q := app.Request("PATCH", path, `{"name":"`+name+`"}`)
			q.Header.Set("Authorization", "Bearer "+ada.Tokens.AccessToken)
			q.Header.Set("If-Match", match)
			return app.Send(q)
		}
		change("First", read).Want(t, 200)
		change("Second", read).WantCode(t, 412, "request.changed_meanwhile")
		change("Third", "*").Want(t, 200)
		if name := app.Call(ada, "GET", path, "").Get("name"); name != "Third" {
			t.Errorf("name = %s", name)
		}
	})
}

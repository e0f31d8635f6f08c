package tasks_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/examples/tasks/tasks"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest"
)

func TestAViewerSeesTasksAndChangesNone(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, _ *tasks.Service, org id.Org, ada *tenontest.User) {
		at := "/orgs/" + org.String() + "/tasks"
		task := at + "/" + app.Call(ada, "POST", at, `{"title":"Order more coffee"}`).Want(t, 201).Get("id")
		eve := app.Member(org, "eve", authz.Viewer)

		app.Call(eve, "GET", at, "").Want(t, 200)
		app.Call(eve, "POST", at, `{"title":"Tea"}`).WantCode(t, 403, "auth.denied")
		app.Call(eve, "PATCH", task, `{"title":"Tea"}`).WantCode(t, 403, "auth.denied")
		app.Call(eve, "POST", task+"/done", "").WantCode(t, 403, "auth.denied")
		app.Call(eve, "DELETE", task, "").WantCode(t, 403, "auth.denied")
	})
}

func TestTasksOfAnotherOrganizationDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, _ *tasks.Service, org id.Org, ada *tenontest.User) {
		task := app.Call(ada, "POST", "/orgs/"+org.String()+"/tasks", `{"title":"Order more coffee"}`).Want(t, 201).Get("id")
		bob := app.User("bob")
		other := "/orgs/" + app.Org(bob, "globex").String() + "/tasks/"

		app.Call(bob, "GET", "/orgs/"+org.String()+"/tasks", "").WantCode(t, 404, "not_found")
		app.Call(bob, "PATCH", other+task, `{"title":"Mine"}`).WantCode(t, 404, "tasks.not_found")
		app.Call(bob, "POST", other+task+"/done", "").WantCode(t, 404, "tasks.not_found")
		app.Call(bob, "DELETE", other+task, "").WantCode(t, 404, "tasks.not_found")
	})
}

func TestAListIsReadPageByPage(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, _ *tasks.Service, org id.Org, ada *tenontest.User) {
		at := "/orgs/" + org.String() + "/tasks"
		for n := range 5 {
			app.Call(ada, "POST", at, fmt.Sprintf(`{"title":"Task %d"}`, n)).Want(t, 201)
		}
		var titles []any
		for cursor := ""; ; {
			page := app.Call(ada, "GET", at+"?limit=2&state=open&cursor="+cursor, "").Want(t, 200)
			for _, item := range page.Items() {
				titles = append(titles, item["title"])
			}
			if cursor = page.Get("next_cursor"); cursor == "" {
				break
			}
		}
		if diff := cmp.Diff([]any{"Task 4", "Task 3", "Task 2", "Task 1", "Task 0"}, titles); diff != "" {
			t.Error(diff)
		}
		if done := app.Call(ada, "GET", at+"?state=done", "").Want(t, 200).Items(); len(done) != 0 {
			t.Errorf("done = %v, want none", done)
		}
	})
}

func TestEveryChangeOfATaskIsInTheEventLog(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, _ *tasks.Service, org id.Org, ada *tenontest.User) {
		at := "/orgs/" + org.String()
		task := app.Call(ada, "POST", at+"/tasks", `{"title":"Order more coffee"}`).Want(t, 201).Get("id")
		app.Call(ada, "PATCH", at+"/tasks/"+task, `{"title":"Order tea"}`).Want(t, 200)
		app.Call(ada, "PATCH", at+"/tasks/"+task, `{"title":"Order tea"}`).Want(t, 200) // changes nothing
		app.Call(ada, "POST", at+"/tasks/"+task+"/done", "").Want(t, 200)
		app.Call(ada, "DELETE", at+"/tasks/"+task, "").Want(t, 204)

		events := app.Call(ada, "GET", at+"/events?target="+task, "").Want(t, 200).Items()
		var types []any
		for _, e := range events {
			types = append(types, e["type"])
		}
		if diff := cmp.Diff([]any{"tasks.deleted", "tasks.completed", "tasks.updated", "tasks.created"}, types); diff != "" {
			t.Fatal(diff)
		}
		want := map[string]any{"title": map[string]any{"from": "Order more coffee", "to": "Order tea"}}
		if diff := cmp.Diff(want, events[2]["changes"]); diff != "" {
			t.Error(diff)
		}
	})
}

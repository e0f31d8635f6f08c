package orgs_test

import (
	"testing"

	"github.com/tenonhq/tenon/tenontest"
)

func TestSmoke(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, bob := app.User("ada"), app.User("bob")
		org := app.Call(ada, "POST", "/orgs", `{"name":"Acme","slug":"acme"}`).Want(t, 201)
		t.Log(org.Text)
		at := "/orgs/" + org.Get("id")
		t.Log(app.Call(ada, "GET", "/orgs", "").Want(t, 200).Text)
		t.Log(app.Call(ada, "GET", at, "").Want(t, 200).Text)
		app.Call(bob, "GET", at, "").WantCode(t, 404, "not_found")
		t.Log(app.Call(ada, "PATCH", at, `{"slug":"acme2","settings":{"locale":"de"}}`).Want(t, 200).Text)
		t.Log(app.Call(ada, "POST", at+"/invitations", `{"email":"Bob@example.com","role":"admin"}`).Want(t, 201).Text)
		token := app.MailedToken("bob@example.com")
		t.Log(app.Mail("bob@example.com")[0].Text)
		t.Log(app.Call(nil, "POST", "/invitations/preview", `{"token":"`+token+`"}`).Want(t, 200).Text)
		t.Log(app.Call(bob, "POST", "/invitations/accept", `{"token":"`+token+`"}`).Want(t, 200).Text)
		t.Log(app.Call(bob, "GET", at+"/members", "").Want(t, 200).Text)
		t.Log(app.Call(ada, "POST", at+"/invitations", `{"email":"eve@example.com","role":"member"}`).Want(t, 201).Text)
		token = app.MailedToken("eve@example.com")
		t.Log(app.Call(nil, "POST", "/invitations/accept", `{"token":"`+token+`","name":"Eve","password":"a phrase only I know"}`).Want(t, 201).Text)
		t.Log(app.Call(bob, "GET", at+"/roles", "").Want(t, 200).Text)
		t.Log(app.Call(bob, "GET", at+"/events", "").Want(t, 200).Text)
	})
}

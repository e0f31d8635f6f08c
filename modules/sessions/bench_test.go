package sessions_test

import (
	"net/http/httptest"
	"testing"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

// BenchmarkMe is the commonest request, from the router to the answer, without a network.
func BenchmarkMe(b *testing.B) {
	app := tenontest.Start(b, db.SQLite)
	ada := app.User("ada")
	b.ReportAllocs()
	for b.Loop() {
		q := httptest.NewRequest("GET", "/api/v1/users/me", nil)
		q.Header.Set("Authorization", "Bearer "+ada.Tokens.AccessToken)
		w := httptest.NewRecorder()
		app.Handler().ServeHTTP(w, q)
		if w.Code != 200 {
			b.Fatal(w.Code, w.Body)
		}
	}
}

package mail_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/tenontest/servers"
)

func TestTheBoxKeepsTheNewestMail(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *db.DB) {
		box := mail.NewBox(d)
		for n := range 205 {
			m := message(t, "a@x.test")
			m.ID = fmt.Sprint(n)
			m.Subject = fmt.Sprintf("Mail\n%d", n)
			m.Text = "Accept:\nhttps://acme.test/i#tn_inv_x?a=1&b=2\n\nor (http://b.test/x)."
			for range 2 { // a retry is the same mail
				if err := box.Send(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
		}
		kept, err := mail.NewBox(d).List(t.Context())
		if err != nil || len(kept) != 200 {
			t.Fatalf("%d messages (%v)", len(kept), err)
		}
		if kept[0].Subject != "Mail 204" || kept[199].Subject != "Mail 5" || kept[0].To != "a@x.test" || kept[0].ID.IsZero() {
			t.Errorf("from %+v to %+v", kept[0], kept[199])
		}
		if diff := cmp.Diff([]string{"https://acme.test/i#tn_inv_x?a=1&b=2", "http://b.test/x"}, kept[0].Links); diff != "" {
			t.Error(diff)
		}
		if at := message(t, "a@x.test").CreatedAt; !kept[0].CreatedAt.Equal(at) {
			t.Errorf("created at %v, want %v", kept[0].CreatedAt, at)
		}
		if rows, err := db.One(t.Context(), d.Platform("test"), db.Scalar[int], `SELECT count(*) FROM mail_dev`); err != nil || rows != 200 {
			t.Errorf("%d rows (%v)", rows, err)
		}
		shown, err := json.Marshal(kept[0])
		if err != nil || !strings.Contains(string(shown), `"id":"mail_`) {
			t.Errorf("shown as %s (%v)", shown, err)
		}
	})
}

func TestAnEmptyBoxIsAnEmptyList(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *db.DB) {
		kept, err := mail.NewBox(d).List(t.Context())
		if err != nil || kept == nil || len(kept) != 0 {
			t.Errorf("kept %v (%v)", kept, err)
		}
		if err := mail.NewBox(d).Send(t.Context(), mail.Message{}); !mail.IsPermanent(err) {
			t.Errorf("an empty message: %v", err)
		}
	})
}

func eachDatabase(t *testing.T, body func(*testing.T, *db.DB)) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "tenon.db") },
		"postgres": func(t *testing.T) string { return servers.Postgres(t).CreateDatabase(t) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := db.Config{URL: url(t)}
			d, err := db.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			if err := d.Migrate(t.Context(), cfg, []db.Schema{mail.Schema()}); err != nil {
				t.Fatal(err)
			}
			body(t, d)
		})
	}
}

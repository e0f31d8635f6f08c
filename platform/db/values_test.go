package db_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

type thing struct {
	ID    thingID
	At    time.Time
	Data  json.RawMessage
	On    bool
	N     int64
	Text  string
	Maybe *string
	Ended *time.Time
}

func scanThing(r db.Row) (v thing, err error) {
	return v, r.Scan(&v.ID, &v.At, &v.Data, &v.On, &v.N, &v.Text, &v.Maybe, &v.Ended)
}

func TestValuesComeBackAsTheyWereStored(t *testing.T) {
	vienna := time.FixedZone("Vienna", 2*60*60)
	word, ended := "word", time.Date(2026, 3, 1, 0, 0, 0, 1_000, time.UTC)
	each(t, func(t *testing.T, d *db.DB) {
		c := platform(d)
		run(t, c, `CREATE TABLE things (n bigint PRIMARY KEY, id uuid, at timestamptz, data jsonb, "on" boolean NOT NULL, t text NOT NULL, maybe text, ended timestamptz)`)
		for n, v := range []thing{
			{ID: id.New[thingKind](), At: time.Date(2026, 2, 28, 23, 59, 59, 123_456_789, vienna), Data: json.RawMessage(`{"a": [1, null, "ü"]}`), On: true, Text: "ü' \" $1 ?", Maybe: &word, Ended: &ended},
			{At: time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC), Data: json.RawMessage(`null`)},
			{ID: id.New[thingKind](), At: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), Data: json.RawMessage(`[]`)},
			{}, // zero ids and instants are NULL
		} {
			v.N = int64(n)
			var data any = v.Data
			if v.Data == nil {
				data = nil
			}
			_, err := c.Exec(t.Context(), `INSERT INTO things (n, id, at, data, "on", t, maybe, ended) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, v.N, v.ID, v.At, data, v.On, v.Text, v.Maybe, v.Ended)
			must(t, err)
			got, err := db.One(t.Context(), c, scanThing, `SELECT id, at, data, "on", n, t, maybe, ended FROM things WHERE n = $1`, v.N)
			must(t, err)
			v.At = v.At.UTC().Truncate(time.Microsecond)
			if diff := cmp.Diff(v, got, cmp.Comparer(sameJSON)); diff != "" {
				t.Errorf("row %d (-stored +read): %s", n, diff)
			}
			if !v.At.IsZero() {
				// What was rounded on the way in must be found by the very value that was given.
				if n := count(t, c, `SELECT count(*) FROM things WHERE n = $1 AND at = $2`, v.N, v.At); n != 1 {
					t.Errorf("row %d is not found by its instant", v.N)
				}
			}
		}
		if n := count(t, c, `SELECT count(*) FROM things WHERE id IS NULL`); n != 2 {
			t.Errorf("%d ids are NULL, want 2", n)
		}
		if n := count(t, c, `SELECT count(*) FROM things WHERE at IS NULL`); n != 1 {
			t.Errorf("%d instants are NULL, want 1", n)
		}
		if n := count(t, c, `SELECT count(*) FROM things WHERE ended IS NULL`); n != 3 {
			t.Errorf("%d ends are NULL, want 3", n)
		}
		if n := count(t, c, `SELECT count(*) FROM things WHERE "on"`); n != 1 {
			t.Errorf("%d are on, want 1", n)
		}
	})
}

func sameJSON(a, b json.RawMessage) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && cmp.Equal(x, y)
}

func TestANullOverwritesWhatTheTargetHeldBefore(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		at, who, data := time.Now(), id.New[thingKind](), json.RawMessage(`1`)
		row, typed := `SELECT NULL, NULL, NULL`, `SELECT CAST(NULL AS uuid), CAST(NULL AS timestamptz), CAST(NULL AS jsonb)`
		if d.Dialect() == db.Postgres {
			row = typed
		}
		_, err := db.One(t.Context(), platform(d), func(r db.Row) (struct{}, error) { return struct{}{}, r.Scan(&who, &at, &data) }, row)
		must(t, err)
		if !who.IsZero() || !at.IsZero() || data != nil {
			t.Errorf("NULL left %v, %v, %s", who, at, data)
		}
	})
}

func TestMarshalledValuesAreJSON(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := platform(d)
		run(t, c, `CREATE TABLE docs (doc jsonb)`)
		want := map[string]any{"key": "value", "list": []any{1.0, true, nil}}
		_, err := c.Exec(t.Context(), `INSERT INTO docs (doc) VALUES ($1)`, db.JSON(want))
		must(t, err)
		raw, err := db.One(t.Context(), c, db.Scalar[json.RawMessage], `SELECT doc FROM docs`)
		must(t, err)
		var got map[string]any
		must(t, json.Unmarshal(raw, &got))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if _, err := c.Exec(t.Context(), `INSERT INTO docs (doc) VALUES ($1)`, db.JSON(func() {})); err == nil {
			t.Error("a function was stored as JSON")
		}
	})
}

func TestNoRowsAndManyRows(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := platform(d)
		run(t, c, `CREATE TABLE ns (n bigint)`)
		if _, err := db.One(t.Context(), c, db.Scalar[int], `SELECT n FROM ns`); !errors.Is(err, db.ErrNoRows) {
			t.Errorf("an empty table answers with %v", err)
		}
		if all, err := db.All(t.Context(), c, db.Scalar[int], `SELECT n FROM ns`); err != nil || all == nil || len(all) > 0 {
			t.Errorf("an empty list is %#v, %v", all, err)
		}
		run(t, c, `INSERT INTO ns (n) VALUES (1), (2), (3)`)
		all, err := db.All(t.Context(), c, db.Scalar[int], `SELECT n FROM ns ORDER BY n DESC`)
		if diff := cmp.Diff([]int{3, 2, 1}, all); err != nil || diff != "" {
			t.Error(err, diff)
		}
		stop := errors.New("enough")
		if err := db.Each(t.Context(), c, func(db.Row) error { return stop }, `SELECT n FROM ns`); !errors.Is(err, stop) {
			t.Errorf("Each returned %v", err)
		}
		// A writer whose rows were left alone half-way is free again.
		if _, err := db.One(t.Context(), c, db.Scalar[int], `UPDATE ns SET n = n + 10 RETURNING n`); err != nil {
			t.Error(err)
		}
		if n, err := c.Exec(t.Context(), `DELETE FROM ns WHERE n > $1`, 11); n != 2 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
	})
}

func TestDuplicatesAreRecognisedByTheirColumns(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := platform(d)
		run(t, c, `CREATE TABLE teams (org_id bigint NOT NULL, id bigint NOT NULL, slug text NOT NULL, PRIMARY KEY (org_id, id), UNIQUE (org_id, slug))`,
			`CREATE TABLE slugs (slug text NOT NULL PRIMARY KEY, org_id bigint NOT NULL UNIQUE)`,
			`INSERT INTO teams (org_id, id, slug) VALUES (1, 1, 'a')`, `INSERT INTO slugs (slug, org_id) VALUES ('a', 1)`)
		for statement, want := range map[string]string{
			`INSERT INTO teams (org_id, id, slug) VALUES (1, 2, 'a')`:    "teams org_id slug",
			`INSERT INTO teams (org_id, id, slug) VALUES (1, 1, 'b')`:    "teams org_id id",
			`INSERT INTO slugs (slug, org_id) VALUES ('a', 2)`:           "slugs slug",
			`INSERT INTO slugs (slug, org_id) VALUES ('b', 1)`:           "slugs org_id",
			`INSERT INTO teams (org_id, id, slug) VALUES (1, NULL, 'c')`: "none",
		} {
			_, err := c.Exec(t.Context(), statement)
			got := "none"
			for _, key := range [][]string{{"teams", "org_id", "slug"}, {"teams", "org_id", "id"}, {"slugs", "slug"}, {"slugs", "org_id"}, {"other", "slug"}} {
				if db.IsDuplicate(err, key[0], key[1:]...) {
					if got != "none" {
						t.Errorf("%s: it is a duplicate of %s and of %v", statement, got, key)
					}
					got = key[0]
					for _, column := range key[1:] {
						got += " " + column
					}
				}
			}
			if err == nil || got != want {
				t.Errorf("%s: a duplicate of %s, want %s (%v)", statement, got, want, err)
			}
		}
		if db.IsDuplicate(nil, "teams", "slug") || db.IsReferenced(nil) {
			t.Error("no error is taken for one")
		}
	})
}

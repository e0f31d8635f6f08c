package cache

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

//go:embed migrations
var migrations embed.FS

// Schema is the table of invalidations.
func Schema() db.Schema {
	life := db.Retain("tells other nodes what changed; purged after "+retention.String(), retention)
	return db.Schema{
		Name: "cache",
		FS:   migrations,
		Tables: []db.Table{{
			Name:    "cache_invalidations",
			Scope:   db.ByPlatform,
			Tenants: "INSERT", // whoever changes a row says so in the same transaction
			Refs:    []db.Ref{{Column: "tag_id", To: db.ToAnyone, Life: life}},
			Others:  []string{"id"},
			Life:    life,
		}},
	}
}

type (
	rowKind struct{}
	rowID   = id.ID[rowKind]
	tagKind struct{}
	tagID   = id.ID[tagKind]
)

func (rowKind) Prefix() string { return "inv" }
func (tagKind) Prefix() string { return "tag" }

// row is one tag that changed.
type row struct {
	id  rowID
	tag Tag
}

func insertRows(ctx context.Context, c db.Conn, rows []row) error {
	values, args := make([]string, len(rows)), make([]any, 0, 3*len(rows))
	for i, r := range rows {
		values[i] = fmt.Sprintf("($%d, $%d, $%d)", 3*i+1, 3*i+2, 3*i+3)
		args = append(args, r.id, r.tag.Kind, tagID(r.tag.ID))
	}
	_, err := c.Exec(ctx, `INSERT INTO cache_invalidations (id, tag_kind, tag_id) VALUES `+strings.Join(values, ", "), args...)
	return err
}

// rowsSince returns what was written at most d ago, by the clock of the database.
func rowsSince(ctx context.Context, c db.Conn, d time.Duration) ([]row, error) {
	return db.All(ctx, c, func(r db.Row) (v row, err error) {
		var tag tagID
		err = r.Scan(&v.id, &v.tag.Kind, &tag)
		v.tag.ID = tag
		return v, err
	}, `SELECT id, tag_kind, tag_id FROM cache_invalidations WHERE created_at >= `+ago(c.Dialect()), d.Seconds())
}

func deleteRowsOlderThan(ctx context.Context, c db.Conn, d time.Duration) error {
	_, err := c.Exec(ctx, `DELETE FROM cache_invalidations WHERE created_at < `+ago(c.Dialect()), d.Seconds())
	return err
}

// ago is the instant $1 seconds before now, by the clock of the database.
func ago(d db.Dialect) string {
	if d == db.SQLite {
		return `CAST((unixepoch('subsec') - $1) * 1000000 AS INTEGER)`
	}
	return `now() - make_interval(secs => $1)`
}

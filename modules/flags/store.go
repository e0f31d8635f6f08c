package flags

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const flagColumns = `id, key, type, description, owner, tags, client, enabled, archived_at, salt, definition, buckets, created_at, created_by, updated_at, updated_by`

func scanFlag(r db.Row) (f Flag, err error) {
	var tags, definition, buckets json.RawMessage
	var archived time.Time
	var created, updated id.Account
	if err := r.Scan(&f.ID, &f.Key, &f.Type, &f.Description, &f.Owner, &tags, &f.Client, &f.Enabled, &archived, &f.salt, &definition, &buckets,
		&f.CreatedAt, &created, &f.UpdatedAt, &updated); err != nil {
		return f, err
	}
	if !archived.IsZero() {
		f.ArchivedAt = &archived
	}
	f.CreatedBy, f.UpdatedBy = personOf(created), personOf(updated)
	err = errors.Join(json.Unmarshal(tags, &f.Tags), json.Unmarshal(definition, &f.Definition), json.Unmarshal(buckets, &f.buckets))
	if err != nil {
		return f, fmt.Errorf("read flag %s: %w", f.Key, err)
	}
	return f, nil
}

func personOf(account id.Account) *Person {
	if account.IsZero() {
		return nil
	}
	return &Person{ID: account}
}

func (p *Person) account() (none id.Account) {
	if p == nil {
		return none
	}
	return p.ID
}

// hold lets one transaction after another change flags.
func hold(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `INSERT INTO flag_head (id, revision) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET revision = flag_head.revision + 1`)
	return err
}

func allFlags(ctx context.Context, c db.Conn) ([]Flag, error) {
	all, err := db.All(ctx, c, scanFlag, `SELECT `+flagColumns+` FROM flags`)
	slices.SortFunc(all, func(a, b Flag) int { return strings.Compare(a.Key, b.Key) }) // databases sort text in their own ways
	return all, err
}

func activeFlags(ctx context.Context, c db.Conn) ([]Flag, error) {
	return db.All(ctx, c, scanFlag, `SELECT `+flagColumns+` FROM flags WHERE archived_at IS NULL`)
}

func flagByKey(ctx context.Context, c db.Conn, key string) (Flag, error) {
	f, err := db.One(ctx, c, scanFlag, `SELECT `+flagColumns+` FROM flags WHERE key = $1`, key)
	if errors.Is(err, db.ErrNoRows) {
		return f, ErrNotFound
	}
	return f, err
}

func insertFlag(ctx context.Context, c db.Conn, f Flag) error {
	_, err := c.Exec(ctx, `INSERT INTO flags (`+flagColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		f.ID, f.Key, string(f.Type), f.Description, f.Owner, db.JSON(f.Tags), f.Client, f.Enabled, f.ArchivedAt, f.salt, db.JSON(f.Definition), db.JSON(f.buckets),
		f.CreatedAt, f.CreatedBy.account(), f.UpdatedAt, f.UpdatedBy.account())
	return err
}

func updateFlag(ctx context.Context, c db.Conn, f Flag) error {
	_, err := c.Exec(ctx, `UPDATE flags SET description = $2, owner = $3, tags = $4, client = $5, enabled = $6, archived_at = $7, definition = $8, buckets = $9,
		updated_at = $10, updated_by = $11 WHERE id = $1`,
		f.ID, f.Description, f.Owner, db.JSON(f.Tags), f.Client, f.Enabled, f.ArchivedAt, db.JSON(f.Definition), db.JSON(f.buckets), f.UpdatedAt, f.UpdatedBy.account())
	return err
}

func deleteFlag(ctx context.Context, c db.Conn, flag ID) error {
	_, err := c.Exec(ctx, `DELETE FROM flags WHERE id = $1`, flag)
	return err
}

func insertChange(ctx context.Context, c db.Conn, flag ID, ch Change) error {
	_, err := c.Exec(ctx, `INSERT INTO flag_changes (flag_id, id, verb, reason, changes, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		flag, ch.ID, ch.Verb, ch.Reason, db.JSON(ch.Changes), ch.ChangedAt, ch.ChangedBy.account())
	return err
}

func listChanges(ctx context.Context, c db.Conn, flag ID, after *place, n int) ([]Change, error) {
	if after == nil {
		after = &place{At: db.EndOfTime()}
	}
	return db.All(ctx, c, func(r db.Row) (ch Change, err error) {
		var changes json.RawMessage
		var by id.Account
		if err := r.Scan(&ch.ID, &ch.Verb, &ch.Reason, &changes, &ch.ChangedAt, &by); err != nil {
			return ch, err
		}
		ch.ChangedBy = personOf(by)
		return ch, json.Unmarshal(changes, &ch.Changes)
	}, `SELECT id, verb, reason, changes, changed_at, changed_by FROM flag_changes
		WHERE flag_id = $1 AND (changed_at < $2 OR changed_at = $2 AND id < $3) ORDER BY changed_at DESC, id DESC LIMIT $4`, flag, after.At, after.ID, n)
}

func deleteChanges(ctx context.Context, c db.Conn, flag ID) error {
	_, err := c.Exec(ctx, `DELETE FROM flag_changes WHERE flag_id = $1`, flag)
	return err
}

// rowsAtOnce keeps a statement within the parameters that SQLite takes.
const rowsAtOnce = 6000

// addCounts adds to what was served today: in one statement, unless there are more variants
// than any installation has. The rows come in one order, so that two nodes do not wait for
// each other.
func addCounts(ctx context.Context, tx *db.Tx, counts []count, now time.Time) error {
	slices.SortFunc(counts, func(a, b count) int {
		if a.flag != b.flag {
			return slices.Compare(a.flag[:], b.flag[:])
		}
		return strings.Compare(a.variant, b.variant)
	})
	for some := range slices.Chunk(counts, rowsAtOnce) {
		values, args := make([]string, len(some)), []any{day(now), now}
		for i, c := range some {
			values[i] = fmt.Sprintf("($%d, $1, $%d, $%d, $2)", 3*i+3, 3*i+4, 3*i+5)
			args = append(args, c.flag, c.variant, c.n)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO flag_counts (flag_id, day, variant, count, last_at) VALUES `+strings.Join(values, ", ")+`
			ON CONFLICT (flag_id, day, variant) DO UPDATE SET count = flag_counts.count + excluded.count, last_at = excluded.last_at`, args...); err != nil {
			return err
		}
	}
	return nil
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// usageOf returns what is known of all flags, with the variants that were served since an instant.
func usageOf(ctx context.Context, c db.Conn, since time.Time) (map[ID]use, error) {
	all := map[ID]use{}
	err := db.Each(ctx, c, func(r db.Row) error {
		var flag ID
		var u use
		if err := r.Scan(&flag, &u.last, &u.variants); err != nil {
			return err
		}
		all[flag] = u
		return nil
	}, `SELECT flag_id, max(last_at), count(DISTINCT CASE WHEN day >= $1 THEN variant END) FROM flag_counts GROUP BY flag_id`, day(since))
	return all, err
}

func listUsage(ctx context.Context, c db.Conn, flag ID, since time.Time) ([]Usage, error) {
	return db.All(ctx, c, func(r db.Row) (u Usage, err error) {
		var on time.Time
		err = r.Scan(&on, &u.Variant, &u.Count)
		u.Day = on.Format(time.DateOnly)
		return u, err
	}, `SELECT day, variant, count FROM flag_counts WHERE flag_id = $1 AND day >= $2 ORDER BY day, variant`, flag, day(since))
}

func deleteCounts(ctx context.Context, c db.Conn, flag ID) error {
	_, err := c.Exec(ctx, `DELETE FROM flag_counts WHERE flag_id = $1`, flag)
	return err
}

// sweepCounts forgets old counts, and those that came in late for flags that are gone.
func sweepCounts(ctx context.Context, c db.Conn, before time.Time) error {
	_, err := c.Exec(ctx, `DELETE FROM flag_counts WHERE day < $1 OR NOT EXISTS (SELECT 1 FROM flags WHERE flags.id = flag_counts.flag_id)`, day(before))
	return err
}

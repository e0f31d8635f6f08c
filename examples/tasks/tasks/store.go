package tasks

import (
	"context"
	"errors"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// One SQL for both databases: $1 for arguments, RETURNING, ON CONFLICT. Every
// statement names the organization; on PostgreSQL, row-level security insists on it too.

const columns = `id, title, assignee_id, done_at, created_at, updated_at`

func scanTask(r db.Row) (t Task, err error) {
	return t, r.Scan(&t.ID, &t.Title, &t.AssigneeID, &t.DoneAt, &t.CreatedAt, &t.UpdatedAt)
}

// one is the task that a query returns, or ErrNotFound.
func one(ctx context.Context, c db.Conn, query string, args ...any) (Task, error) {
	t, err := db.One(ctx, c, scanTask, query, args...)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrNotFound
	}
	return t, err
}

func listTasks(ctx context.Context, c db.Conn, org id.Org, state State, after *ID, n int) ([]Task, error) {
	var from ID // none is NULL
	if after != nil {
		from = *after
	}
	return db.All(ctx, c, scanTask, `SELECT `+columns+` FROM tasks
		WHERE org_id = $1 AND (id < $2 OR $2 IS NULL) AND ($3 = '' OR ($3 = 'done') = (done_at IS NOT NULL))
		ORDER BY id DESC LIMIT $4`, org, from, string(state), n)
}

func exists(ctx context.Context, c db.Conn, org id.Org, task ID) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM tasks WHERE org_id = $1 AND id = $2`, org, task)
	return n > 0, err
}

// lockTask returns a task that nobody else changes until the transaction ends. (An
// UPDATE locks on both databases; FOR UPDATE is PostgreSQL's alone.)
func lockTask(ctx context.Context, tx *db.Tx, org id.Org, task ID) (Task, error) {
	return one(ctx, tx, `UPDATE tasks SET updated_at = updated_at WHERE org_id = $1 AND id = $2 RETURNING `+columns, org, task)
}

// insertTask adds a task and reports whether it did: a member is welcomed once.
func insertTask(ctx context.Context, c db.Conn, org id.Org, t Task, welcomes id.Account) (bool, error) {
	n, err := c.Exec(ctx, `INSERT INTO tasks (org_id, id, title, assignee_id, told, welcomes_id, done_at, created_at, updated_at)
		VALUES ($1, $2, $3, $4, false, $5, $6, $7, $8) ON CONFLICT (org_id, welcomes_id) DO NOTHING`,
		org, t.ID, t.Title, t.AssigneeID, welcomes, t.DoneAt, t.CreatedAt, t.UpdatedAt)
	return n == 1, err
}

func updateTask(ctx context.Context, c db.Conn, org id.Org, t Task) error {
	_, err := c.Exec(ctx, `UPDATE tasks SET title = $3, assignee_id = $4, told = told AND assignee_id = $4, done_at = $5, updated_at = $6
		WHERE org_id = $1 AND id = $2`, org, t.ID, t.Title, t.AssigneeID, t.DoneAt, t.UpdatedAt)
	return err
}

// markTold notes that the assignee has been written to. It is ErrNotFound for all
// but the first: one-time means one conditional statement.
func markTold(ctx context.Context, c db.Conn, job TellAssignee) (Task, error) {
	return one(ctx, c, `UPDATE tasks SET told = true WHERE org_id = $1 AND id = $2 AND assignee_id = $3 AND NOT told RETURNING `+columns,
		job.OrgID, job.TaskID, job.AssigneeID)
}

func deleteTask(ctx context.Context, c db.Conn, org id.Org, task ID) (Task, error) {
	return one(ctx, c, `DELETE FROM tasks WHERE org_id = $1 AND id = $2 RETURNING `+columns, org, task)
}

func unassign(ctx context.Context, c db.Conn, org id.Org, account id.Account) error {
	_, err := c.Exec(ctx, `UPDATE tasks SET assignee_id = NULL, told = false WHERE org_id = $1 AND assignee_id = $2`, org, account)
	return err
}

func deleteDone(ctx context.Context, c db.Conn, before time.Time, n int) (int64, error) {
	return c.Exec(ctx, `DELETE FROM tasks WHERE (org_id, id) IN (SELECT org_id, id FROM tasks WHERE done_at < $1 LIMIT $2)`, before, n)
}

func deleteOfOrg(ctx context.Context, c db.Conn, org id.Org, n int) (int64, error) {
	return c.Exec(ctx, `DELETE FROM tasks WHERE org_id = $1 AND id IN (SELECT id FROM tasks WHERE org_id = $1 LIMIT $2)`, org, n)
}

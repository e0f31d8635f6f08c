package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
)

//go:embed migrations
var migrations embed.FS

// Schema is the table of answers kept for Idempotency-Key.
func Schema() db.Schema {
	return db.Schema{Name: "web", FS: migrations, Tables: []db.Table{
		{Name: "idempotency_keys", Scope: db.ByAccount, Life: db.Delete()},
	}}
}

var (
	errKeyText    = errs.New(errs.Malformed, "request.idempotency_key", "Idempotency-Key must be 1 to 255 printable ASCII characters.")
	errKeyReused  = errs.New(errs.Invalid, "request.idempotency_mismatch", "This Idempotency-Key was used with another request.")
	errKeyRunning = errs.New(errs.Conflict, "request.idempotency_running", "The first request with this Idempotency-Key is still running.")
)

// idempotent reports whether an operation honours Idempotency-Key: those that make something.
func (op Op) idempotent() bool { return op.Method == http.MethodPost && op.Access.Kind() != "public" }

// abandoned is when a request that never finished (its process died) may be made again.
const abandoned = 2 * time.Minute

// answer is what a first request got.
type answer struct {
	Status  int
	Body    []byte
	request []byte // hash
	began   time.Time
}

// once runs a request unless the caller already made it, and then repeats the answer.
func (r *Router) once(w http.ResponseWriter, q *http.Request, op Op, run func(http.ResponseWriter, *http.Request)) {
	ctx := q.Context()
	key, err := idempotencyKey(ctx, q.Header)
	if err != nil {
		r.Refuse(w, q, err)
		return
	}
	hash, err := requestHash(q, op)
	if err != nil {
		r.Refuse(w, q, err)
		return
	}
	c := r.DB.Account(authz.From(ctx).Account)
	first, err := claim(ctx, c, key, hash, r.Now())
	switch {
	case err != nil:
		r.Refuse(w, q, err)
	case first == nil:
		r.runOnce(w, q, op, c, key, run)
	case !bytes.Equal(first.request, hash):
		r.Refuse(w, q, errKeyReused.On("header.Idempotency-Key"))
	case first.Status == 0:
		r.Refuse(w, q, errKeyRunning.After(time.Second))
	default:
		w.Header().Set("Idempotent-Replayed", "true")
		if len(first.Body) > 0 {
			w.Header().Set("Content-Type", contentTypeOf(first.Status))
		}
		w.WriteHeader(first.Status)
		_, _ = w.Write(first.Body) // the client may be gone
	}
}

// runOnce runs the request and keeps its answer. A failure of ours is forgotten: the
// client should try again.
func (r *Router) runOnce(w http.ResponseWriter, q *http.Request, op Op, c db.Conn, key []byte, run func(http.ResponseWriter, *http.Request)) {
	copied := &recorder{ResponseWriter: w}
	kept := false
	ctx := context.WithoutCancel(q.Context())
	defer func() {
		if !kept {
			if err := forget(ctx, c, key); err != nil {
				r.Log.WarnContext(ctx, "forget an idempotency key", "err", err)
			}
		}
	}()
	run(copied, q)
	if copied.status >= 500 || copied.status == http.StatusTooManyRequests {
		return
	}
	body, err := withoutSecrets(copied.body.Bytes(), op.ShownOnce)
	if err == nil {
		err = keep(ctx, c, key, copied.status, body)
	}
	if err != nil {
		r.Log.WarnContext(ctx, "keep an answer for its idempotency key", "err", err)
		return
	}
	kept = true
}

func contentTypeOf(status int) string {
	if status >= 400 {
		return "application/problem+json"
	}
	return "application/json"
}

// idempotencyKey is the hash of the caller's key. An API key has its own: what its owner
// was answered may be more than it may see.
func idempotencyKey(ctx context.Context, h http.Header) ([]byte, error) {
	values := h.Values("Idempotency-Key")
	if len(values) != 1 || len(values[0]) > 255 {
		return nil, errKeyText
	}
	for _, b := range []byte(values[0]) {
		if b < ' ' || b > '~' {
			return nil, errKeyText
		}
	}
	text := values[0]
	if key := authz.From(ctx).Key; key != nil {
		text = key.ID + "\x00" + text
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:], nil
}

// requestHash covers what makes two requests the same, and leaves the body readable.
func requestHash(q *http.Request, op Op) ([]byte, error) {
	body := []byte(strconv.FormatInt(q.ContentLength, 10)) // of what is read once, the size has to do
	if op.streams == "" {
		var err error
		if body, err = io.ReadAll(q.Body); err != nil {
			return nil, errUnparsable.Because(err)
		}
		q.Body = io.NopCloser(bytes.NewReader(body))
	}
	h := sha256.New()
	for _, part := range []string{op.ID, q.URL.Path, q.URL.RawQuery, authz.MembershipFrom(q.Context()).Org.String(), string(body)} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return h.Sum(nil), nil
}

func withoutSecrets(body []byte, secrets []string) ([]byte, error) {
	if len(secrets) == 0 || len(body) == 0 {
		return body, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	for _, s := range secrets {
		delete(members, s)
	}
	return json.Marshal(members)
}

// recorder copies an answer while it is sent.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// claim makes key the caller's, or returns what they did with it before.
func claim(ctx context.Context, c db.Conn, key, hash []byte, now time.Time) (*answer, error) {
	account := authz.From(ctx).Account
	n, err := c.Exec(ctx, `INSERT INTO idempotency_keys (account_id, key, request, status, created_at) VALUES ($1, $2, $3, 0, $4)
		ON CONFLICT (account_id, key) DO UPDATE SET request = excluded.request, status = 0, body = NULL, created_at = excluded.created_at
		WHERE idempotency_keys.created_at < $5 OR idempotency_keys.status = 0 AND idempotency_keys.created_at < $6`,
		account, key, hash, now, now.Add(-idempotencyTerm), now.Add(-abandoned))
	if err != nil || n == 1 {
		return nil, err
	}
	a, err := db.One(ctx, c, func(row db.Row) (a answer, err error) {
		return a, row.Scan(&a.Status, &a.Body, &a.request, &a.began)
	}, `SELECT status, body, request, created_at FROM idempotency_keys WHERE account_id = $1 AND key = $2`, account, key)
	if errors.Is(err, db.ErrNoRows) {
		return nil, errKeyRunning.After(time.Second) // forgotten between the two statements: the client tries again
	}
	return &a, err
}

func keep(ctx context.Context, c db.Conn, key []byte, status int, body []byte) error {
	_, err := c.Exec(ctx, `UPDATE idempotency_keys SET status = $3, body = $4 WHERE account_id = $1 AND key = $2`, authz.From(ctx).Account, key, status, body)
	return err
}

func forget(ctx context.Context, c db.Conn, key []byte) error {
	_, err := c.Exec(ctx, `DELETE FROM idempotency_keys WHERE account_id = $1 AND key = $2 AND status = 0`, authz.From(ctx).Account, key)
	return err
}

// Sweep removes answers that are past their term. A periodic job calls it.
func Sweep(ctx context.Context, c db.Conn, now time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM idempotency_keys WHERE created_at < $1`, now.Add(-idempotencyTerm))
}

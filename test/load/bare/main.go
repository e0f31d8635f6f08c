// Command bare is the yardstick of the load test: net/http and pgx doing one query
// for each request, with no checks, no log and no framework. It shows what the
// machine, the protocol and PostgreSQL cost before a product adds anything.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8001", "address to listen on")
	conns := flag.Int("conns", 20, "most connections to PostgreSQL, at DATABASE_URL")
	flag.Parse()
	if err := serve(*addr, *conns); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

func serve(addr string, conns int) error {
	cfg, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return fmt.Errorf("read DATABASE_URL: %w", err)
	}
	cfg.MaxConns = int32(conns)
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return fmt.Errorf("open the pool: %w", err)
	}
	defer pool.Close()
	if _, err := pool.Exec(context.Background(), schema, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("create the schema: %w", err)
	}
	return http.ListenAndServe(addr, routes(&bare{pool: pool, turn: make(chan struct{}, runtime.GOMAXPROCS(0))}))
}

// schema holds 1,000 people with a session each, named token-0 to token-999 and
// refresh-0 to refresh-999, and 50 organizations of 20 teams.
const schema = `
CREATE TABLE accounts (
	id uuid PRIMARY KEY, email text NOT NULL UNIQUE, email_verified boolean NOT NULL, name text NOT NULL,
	locale text NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL
);
CREATE TABLE sessions (
	id uuid PRIMARY KEY, account_id uuid NOT NULL REFERENCES accounts, token_hash bytea NOT NULL UNIQUE,
	refresh_hash bytea NOT NULL UNIQUE, expires_at timestamptz NOT NULL
);
CREATE TABLE teams (
	id uuid PRIMARY KEY, org_id bigint NOT NULL, slug text NOT NULL, name text NOT NULL,
	created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL
);
CREATE INDEX ON teams (org_id, id);
INSERT INTO accounts SELECT gen_random_uuid(), 'person-' || n || '@example.com', true, 'Person ' || n, 'en', now(), now()
	FROM generate_series(0, 999) n;
INSERT INTO sessions SELECT gen_random_uuid(), id, sha256(convert_to('token-' || n, 'UTF8')), sha256(convert_to('refresh-' || n, 'UTF8')),
	now() + interval '1 day' FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM accounts) a;
INSERT INTO teams SELECT gen_random_uuid(), org, 'team-' || n, 'Team ' || n, now(), now()
	FROM generate_series(1, 50) org, generate_series(1, 20) n;
ANALYZE`

type bare struct {
	pool *pgxpool.Pool
	turn chan struct{} // as many hashes at once as there are cores
}

func routes(b *bare) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", b.health)
	mux.HandleFunc("GET /me", b.me)
	mux.HandleFunc("GET /orgs/{org}/teams", b.list)
	mux.HandleFunc("POST /refresh", b.refresh)
	mux.HandleFunc("POST /hash", b.hash)
	return mux
}

func (b *bare) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]string{"status": "ok"}, nil)
}

type account struct {
	ID            string    `json:"id"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	Name          string    `json:"name"`
	Locale        string    `json:"locale"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

func (b *bare) me(w http.ResponseWriter, r *http.Request) {
	token := sha256.Sum256([]byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
	var a account
	err := b.pool.QueryRow(r.Context(), `SELECT a.id::text, a.email, a.email_verified, a.name, a.locale, a.created_at, a.updated_at
		FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.token_hash = $1 AND s.expires_at > now()`, token[:]).
		Scan(&a.ID, &a.Email, &a.EmailVerified, &a.Name, &a.Locale, &a.CreatedAt, &a.UpdatedAt)
	answer(w, a, err)
}

type team struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (b *bare) list(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil {
		answer(w, nil, err)
		return
	}
	org, err := strconv.ParseInt(r.PathValue("org"), 10, 64)
	if err != nil {
		answer(w, nil, err)
		return
	}
	rows, err := b.pool.Query(r.Context(), `SELECT id::text, slug, name, created_at, updated_at FROM teams
		WHERE org_id = $1 ORDER BY id LIMIT $2`, org, limit)
	if err != nil {
		answer(w, nil, err)
		return
	}
	teams, err := pgx.CollectRows(rows, pgx.RowToStructByPos[team])
	answer(w, map[string]any{"items": teams}, err)
}

// refresh answers with the token that the next refresh needs.
func (b *bare) refresh(w http.ResponseWriter, r *http.Request) {
	var in struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answer(w, nil, err)
		return
	}
	old := sha256.Sum256([]byte(in.RefreshToken))
	next := hex.EncodeToString(old[:])
	hash := sha256.Sum256([]byte(next))
	var session string
	err := b.pool.QueryRow(r.Context(), `UPDATE sessions SET refresh_hash = $1, expires_at = now() + interval '1 day'
		WHERE refresh_hash = $2 AND expires_at > now() RETURNING id::text`, hash[:], old[:]).Scan(&session)
	answer(w, map[string]string{"refresh_token": next, "session_id": session}, err)
}

// hash does what sign-in and sign-up cannot do without: one password hash.
func (b *bare) hash(w http.ResponseWriter, _ *http.Request) {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	hash, err := argon2id.CreateHash("correct horse battery staple",
		&argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	answer(w, map[string]string{"hash": hash}, err)
}

func answer(w http.ResponseWriter, body any, err error) {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Write(text) // the client may have gone: nobody to tell
}

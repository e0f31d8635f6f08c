package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The two roles of every server. The product signs in as the second: no
// superuser, but able to create roles and databases, as on managed PostgreSQL.
const (
	adminRole = "tenon_admin"
	ownerRole = "tenon"
)

// PG is a running PostgreSQL server.
type PG struct {
	*process
	private   bool
	databases atomic.Int64
	migrating sync.Mutex // roles belong to the whole server: one template is migrated at a time

	mu    sync.Mutex
	pools map[string]*pool
}

// Mode says how a server ends.
type Mode int

// The modes.
const (
	Fast  Mode = iota // sessions are cut off and everything is written
	Crash             // as if the power went: the next start recovers from the log
)

// Postgres returns the PostgreSQL server that the tests of this binary share,
// starting it on first use. It ends with the binary.
func Postgres(t testing.TB) *PG {
	t.Helper()
	bin := postgresBinaries(t)
	p, err := sharedPostgres(bin)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// NewPostgres returns a server of the test's own, which it may stop and start.
func NewPostgres(t testing.TB) *PG {
	t.Helper()
	p, err := startPostgres(postgresBinaries(t), forTests)
	if err != nil {
		t.Fatal(err)
	}
	p.private = true
	t.Cleanup(func() { must(t, p.remove()) })
	return p
}

// URL returns the address of a database as the role tenon, which owns it.
func (p *PG) URL(database string) string { return p.url(ownerRole, database) }

// AdminURL returns the address of a database as a superuser.
func (p *PG) AdminURL(database string) string { return p.url(adminRole, database) }

func (p *PG) url(role, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", role, p.port, database)
}

// Stop ends a private server.
func (p *PG) Stop(t testing.TB, mode Mode) {
	t.Helper()
	p.mustBePrivate(t)
	sig := syscall.SIGINT
	if mode == Crash {
		sig = syscall.SIGQUIT
	}
	must(t, p.stop(sig))
}

// Start starts a stopped private server again, on the same port, with its data.
func (p *PG) Start(t testing.TB) {
	t.Helper()
	p.mustBePrivate(t)
	must(t, p.start())
}

// Restart stops a private server and starts it again.
func (p *PG) Restart(t testing.TB, mode Mode) {
	t.Helper()
	p.Stop(t, mode)
	p.Start(t)
}

func (p *PG) mustBePrivate(t testing.TB) {
	t.Helper()
	if !p.private {
		t.Fatal("other tests use this server too: take a server of your own with NewPostgres")
	}
}

// CreateDatabase makes an empty database for this test and returns its URL.
func (p *PG) CreateDatabase(t testing.TB) (url string) {
	t.Helper()
	name, err := p.create(t.Context(), "template1")
	must(t, err)
	t.Cleanup(func() {
		if p.running() {
			must(t, p.drop(context.Background(), name))
		}
	})
	return p.URL(name)
}

// DropDatabase removes a database by its URL, whoever is connected to it.
func (p *PG) DropDatabase(t testing.TB, url string) {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	must(t, err)
	must(t, p.drop(t.Context(), cfg.Database))
}

func (p *PG) create(ctx context.Context, template string) (name string, err error) {
	name = fmt.Sprintf("tenon_%d", p.databases.Add(1))
	err = p.admin(ctx, "postgres", fmt.Sprintf(`CREATE DATABASE %s OWNER %s TEMPLATE %s`, name, ownerRole, template))
	return name, err
}

func (p *PG) drop(ctx context.Context, name string) error {
	return p.admin(ctx, "postgres", `DROP DATABASE IF EXISTS `+pgx.Identifier{name}.Sanitize()+` WITH (FORCE)`)
}

// admin runs statements as a superuser in one database.
func (p *PG) admin(ctx context.Context, database, statements string) error {
	return p.asAdmin(ctx, database, func(c *pgx.Conn) error {
		_, err := c.PgConn().Exec(ctx, statements).ReadAll()
		return err
	})
}

func (p *PG) asAdmin(ctx context.Context, database string, fn func(*pgx.Conn) error) error {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := pgx.Connect(limited, p.AdminURL(database)+"&default_transaction_read_only=off") // see Demote
	if err != nil {
		return fmt.Errorf("connect to %s: %w", database, err)
	}
	return errors.Join(fn(c), c.Close(ctx))
}

var shared struct {
	once sync.Once
	pg   *PG
	err  error
}

func sharedPostgres(bin string) (*PG, error) {
	shared.once.Do(func() { shared.pg, shared.err = startPostgres(bin, forTests) })
	return shared.pg, shared.err
}

func startPostgres(bin string, settings []string) (*PG, error) {
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	proc, err := newProcess("postgres", as, "QUIT")
	if err != nil {
		return nil, err
	}
	p := &PG{process: proc, pools: map[string]*pool{}}
	p.ready = func() error { return p.admin(context.Background(), "postgres", "SELECT 1") }
	if err := errors.Join(p.initdb(bin), p.firstStart(bin, settings)); err != nil {
		return nil, errors.Join(err, p.remove())
	}
	return p, nil
}

// initdb lays out the cluster: no locale but C, which sorts as SQLite does, and
// nobody may come in but over loopback.
func (p *PG) initdb(bin string) error {
	cmd := exec.Command(filepath.Join(bin, "initdb"), "-D", p.data(), "-U", adminRole,
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.SysProcAttr = p.dir, p.owner.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	hba := "host all,replication all 127.0.0.1/32 trust\n"
	if err := os.WriteFile(filepath.Join(p.data(), "pg_hba.conf"), []byte(hba), 0o600); err != nil {
		return fmt.Errorf("limit connections to loopback: %w", err)
	}
	return nil
}

func (p *PG) firstStart(bin string, settings []string) error {
	if err := p.listen(bin, settings); err != nil {
		return err
	}
	return p.admin(context.Background(), "postgres", `CREATE ROLE `+ownerRole+` LOGIN NOSUPERUSER CREATEROLE CREATEDB`)
}

// listen starts the server on a free port, which it keeps.
func (p *PG) listen(bin string, settings []string) error {
	return attempts(func() (err error) {
		if p.port, err = freePort(); err != nil {
			return err
		}
		p.args = append([]string{filepath.Join(bin, "postgres"), "-D", p.data(), "-p", strconv.Itoa(p.port),
			"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="}, settings...)
		return p.start()
	})
}

// forTests trades durability for speed: a test's data need not survive the machine.
var forTests = []string{
	"-c", "fsync=off",
	"-c", "synchronous_commit=off",
	"-c", "full_page_writes=off",
	"-c", "max_connections=300",
	"-c", "shared_buffers=64MB",
	"-c", "max_wal_size=256MB",
}

func (p *PG) data() string { return filepath.Join(p.dir, "data") }

// HasPostgres reports whether PostgreSQL is installed. With CI=true it says so in any
// case: there, the test is to fail that misses it.
func HasPostgres() bool {
	_, err := findPostgres()
	return err == nil || os.Getenv("CI") == "true"
}

// postgresBinaries returns the folder of initdb and postgres, or skips the test.
func postgresBinaries(t testing.TB) string {
	t.Helper()
	bin, err := findPostgres()
	if err != nil {
		missing(t, "PostgreSQL", err)
	}
	return bin
}

// findPostgres finds the folder of initdb and postgres: in PATH, else the newest version installed.
func findPostgres() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		if dir := filepath.Dir(path); hasPostgres(dir) {
			return dir, nil
		}
	}
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(dirs, func(a, b string) int { return majorVersion(b) - majorVersion(a) })
	for _, dir := range dirs {
		if hasPostgres(dir) {
			return dir, nil
		}
	}
	return "", errors.New("initdb is neither in PATH nor in /usr/lib/postgresql/*/bin")
}

func hasPostgres(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

func majorVersion(bin string) int {
	major, _, _ := strings.Cut(filepath.Base(filepath.Dir(bin)), ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		return 0 // not a version: last
	}
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

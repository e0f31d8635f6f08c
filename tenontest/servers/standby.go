package servers

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Standby starts a server that follows a private one, ready to take its place.
func (p *PG) Standby(t testing.TB) *PG {
	t.Helper()
	p.mustBePrivate(t)
	bin := postgresBinaries(t)
	copier, err := exec.LookPath(filepath.Join(bin, "pg_basebackup"))
	if err != nil {
		missing(t, "pg_basebackup", err)
	}
	proc, err := newProcess("postgres", p.owner, "QUIT")
	must(t, err)
	t.Cleanup(func() { must(t, proc.remove()) })
	s := &PG{process: proc, private: true, pools: map[string]*pool{}}
	s.ready = func() error { return s.admin(t.Context(), "postgres", "SELECT 1") }
	copied := exec.Command(copier, "-D", s.data(), "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", adminRole,
		"--write-recovery-conf", "--checkpoint=fast", "--no-sync")
	copied.Dir, copied.SysProcAttr = s.dir, s.owner.attributes()
	if out, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("copy the server: %v\n%s", err, out)
	}
	must(t, s.listen(bin, forTests))
	return s
}

// Promote makes a standby a server that accepts writes.
func (p *PG) Promote(t testing.TB) {
	t.Helper()
	must(t, p.admin(t.Context(), "postgres", "SELECT pg_promote()"))
}

// Demote makes a server refuse writes, also on connections that are open.
func (p *PG) Demote(t testing.TB) {
	t.Helper()
	p.mustBePrivate(t)
	must(t, p.admin(t.Context(), "postgres", "ALTER SYSTEM SET default_transaction_read_only = on"))
	must(t, p.admin(t.Context(), "postgres", "SELECT pg_reload_conf()"))
	// The server only sends signals; each connection looks before its next statement.
	time.Sleep(250 * time.Millisecond)
}

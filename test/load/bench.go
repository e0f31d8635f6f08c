package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
)

const (
	sqlite   = "sqlite"
	postgres = "postgres"
)

// bench is one run of everything.
type bench struct {
	settings
	dir      string // of this run alone
	tenon    string // our binary
	bareBin  string
	bare     bare
	products []*product
	ending   []func() error
	report   report
}

// end stops whatever was started, last first.
func (b *bench) end() (err error) {
	for _, stop := range slices.Backward(b.ending) {
		err = errors.Join(err, stop())
	}
	return err
}

// build makes both programs as a release does.
func (b *bench) build(ctx context.Context) error {
	b.say("build")
	b.tenon, b.bareBin = b.path("tenon"), b.path("bare")
	if err := compile(ctx, b.bareBin, "./test/load/bare"); err != nil {
		return err
	}
	if len(b.databases) == 0 {
		return nil
	}
	if b.binary != "" {
		b.tenon = b.binary
		return nil
	}
	return compile(ctx, b.tenon, "./cmd/tenon")
}

func (b *bench) say(format string, args ...any) { b.measurer.say(format, args...) }

func compile(ctx context.Context, to, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", to, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// measure fills in the report.
func (b *bench) measure(ctx context.Context) error {
	pg, err := b.postgres()
	if err != nil {
		return err
	}
	b.report.describe(b.settings, pg.version)
	if err := b.startBare(ctx, pg); err != nil {
		return err
	}
	for _, database := range b.databases {
		if err := b.startProduct(ctx, database, pg); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context) error{b.works, b.storms, b.footprint, b.uncached, b.logging} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

type pgServer struct {
	*servers.PG
	version string
}

// postgres starts a PostgreSQL server of our own. Its settings are the defaults but
// for the memory, which every guide tells to raise.
func (b *bench) postgres() (pgServer, error) {
	durable := []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off"}
	if b.durable {
		durable = nil
	}
	pg, stop, err := servers.StartPostgres(append(durable, "shared_buffers=256MB", "max_wal_size=1GB")...)
	if err != nil {
		return pgServer{}, err
	}
	b.ending = append(b.ending, stop)
	version, err := pg.Version(context.Background())
	return pgServer{pg, version}, err
}

func (b *bench) startBare(ctx context.Context, pg pgServer) error {
	url, err := pg.NewDatabase(ctx)
	if err != nil {
		return err
	}
	b.bare = bare{rotated: map[int]*string{}, server: &server{
		name: bareName, bin: b.bareBin, ready: "/health", dir: b.dir, log: b.path("bare.log"),
		env: []string{"DATABASE_URL=" + url}, db: pg.PID(),
	}}
	b.ending = append(b.ending, b.bare.stop)
	_, err = b.bare.start(ctx)
	return err
}

// settling is how long a server may tidy up after its start before its memory is read.
const settling = 3 * time.Second

// startProduct starts ours on an empty database, reads its first figures, and lets people move in.
func (b *bench) startProduct(ctx context.Context, database string, pg pgServer) error {
	b.say("start on %s", database)
	dir := b.path(database)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	p := &product{newcome: &atomic.Int64{}, server: &server{
		name: database, bin: b.tenon, args: []string{"serve", "--data", dir}, ready: "/health/ready", dir: dir, log: b.path(database + ".log"),
		env: []string{"TENON_RATELIMIT=off", "TENON_ACCOUNTS_VERIFY_EMAIL=off", "LOG_LEVEL=warn"},
	}}
	if database == postgres {
		url, err := pg.NewDatabase(ctx)
		if err != nil {
			return err
		}
		p.env, p.db = append(p.env, "DATABASE_URL="+url), pg.PID()
	}
	b.ending = append(b.ending, p.stop)
	took, err := p.start(ctx)
	if err != nil {
		return err
	}
	if err := sleep(ctx, settling); err != nil {
		return err
	}
	idle, _, err := memory(p.cmd.Process.Pid)
	if err != nil {
		return fmt.Errorf("read the memory of %s: %w", p.name, err)
	}
	b.report.started(database, took, idle)
	b.products = append(b.products, p)
	return p.settle(2 * b.connections)
}

// targets are the bare program and ours, which then take turns.
func (b *bench) targets() []target {
	all := []target{b.bare}
	for _, p := range b.products {
		all = append(all, p)
	}
	return all
}

// works measures what people ask for, one work after the other.
func (b *bench) works(ctx context.Context) error {
	for _, w := range []work{health, me, list, key, refresh, signIn, signUp} {
		if w != health && !b.wants(w) {
			continue
		}
		if err := b.work(ctx, w, w); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) wants(w work) bool { return slices.Contains(b.settings.works, w) }

// work measures one work on all targets and reports it under a name.
func (b *bench) work(ctx context.Context, w, name work) error {
	connections := b.connections
	if w.hashes() {
		connections = max(1, b.connections/4)
	}
	found, err := b.measurer.interleaved(ctx, w, connections, b.targets())
	if err != nil {
		return err
	}
	b.report.worked(name, bareName, found[0], found[0])
	for i, p := range b.products {
		b.report.worked(name, p.name, found[i+1], found[0])
	}
	return nil
}

func (b *bench) storms(ctx context.Context) error {
	if !b.wants(storm) {
		return nil
	}
	for _, p := range b.products {
		calm, stormy, err := b.measurer.storm(ctx, p, b.connections)
		if err != nil {
			return err
		}
		b.report.stormed(p.name, calm, stormy)
	}
	return nil
}

const restarts = 5

// footprint reads what the load has left behind and how fast ours comes back.
func (b *bench) footprint(ctx context.Context) error {
	b.say("restart")
	for _, p := range b.products {
		_, peak, err := memory(p.cmd.Process.Pid)
		if err != nil {
			return fmt.Errorf("read the memory of %s: %w", p.name, err)
		}
		var took []float64
		for range restarts {
			t, err := b.restart(ctx, p)
			if err != nil {
				return err
			}
			took = append(took, micros(t))
		}
		b.report.loaded(p.name, peak, median(took))
	}
	if len(b.products) == 0 {
		return nil
	}
	info, err := os.Stat(b.tenon)
	if err != nil {
		return err
	}
	b.report.weighed(info.Size())
	return nil
}

func (b *bench) restart(ctx context.Context, p *product) (time.Duration, error) {
	if err := p.stop(); err != nil {
		return 0, err
	}
	return p.start(ctx)
}

// uncached measures `me` where each request asks the database who is there.
func (b *bench) uncached(ctx context.Context) error {
	if !b.wants(uncached) {
		return nil
	}
	return b.differently(ctx, func(p *product) { p.env = append(slices.Clone(p.env), "TENON_CACHE=off") }, uncached)
}

// logging measures `me` with the log that one gets without asking, thrown away.
func (b *bench) logging(ctx context.Context) error {
	if !b.wants(logged) {
		return nil
	}
	return b.differently(ctx, func(p *product) {
		p.env = slices.DeleteFunc(slices.Clone(p.env), func(v string) bool { return strings.HasPrefix(v, "LOG_LEVEL=") })
		p.log = os.DevNull
	}, logged)
}

// differently measures `me` on products started with another environment.
func (b *bench) differently(ctx context.Context, change func(*product), name work) error {
	for _, p := range b.products {
		env, log := p.env, p.log
		change(p)
		if _, err := b.restart(ctx, p); err != nil {
			return err
		}
		p.env, p.log = env, log
	}
	return b.work(ctx, me, name)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

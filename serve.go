package tenon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tenonhq/tenon/console"
	"github.com/tenonhq/tenon/internal/devpages"
	"github.com/tenonhq/tenon/internal/memory"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
)

// State is where an app is in its life.
type State string

// The states. Only a ready app is sent work by a load balancer.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Draining State = "draining"
)

// State reports where the app is in its life.
func (a *App) State() State { return a.state.Load().(State) }

// unready says why the app should get no requests; nil when it should.
func (a *App) unready() error {
	if s := a.State(); s != Ready {
		return errors.New("the process is " + string(s))
	}
	return nil
}

// ServeOptions change what Serve runs.
type ServeOptions struct {
	APIOnly bool // no workers: another process runs the jobs
	// Listening is called once with the address, when connections are accepted.
	Listening func(addr net.Addr)
	// SetupLink is called with the one-time link of the first administrator, as long as there is none.
	SetupLink func(link string)
}

// Serve listens, starts the app, and serves until ctx ends. Then it lets requests
// and jobs under way finish, for half a minute at most.
func (a *App) Serve(ctx context.Context, o ServeOptions) error {
	defer a.Close()
	listener, err := net.Listen("tcp", a.Config.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", a.Config.Addr, err)
	}
	development := !a.Config.Production() && loopback(listener.Addr().String())
	if development {
		a.mountDevelopment()
	}
	if err := a.mountConsole(development); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := a.server()
	served := make(chan error, 1)
	go func() { served <- a.listen(server, listener) }()
	if o.Listening != nil {
		o.Listening(listener.Addr())
	}
	running, err := a.start(ctx, !o.APIOnly, o.SetupLink)
	if err != nil {
		return errors.Join(a.unlessStopped(ctx, err), server.Close())
	}
	go memory.GiveBack()
	select {
	case err = <-served:
		return errors.Join(err, running.stop())
	case <-ctx.Done():
		a.announceEnd()
		return running.stop(func() error { return shutDown(server) }, a.Live.Drain)
	}
}

// Work starts the app without listening: it runs jobs until ctx ends.
func (a *App) Work(ctx context.Context) error {
	defer a.Close()
	running, err := a.start(ctx, true, nil)
	if err != nil {
		return a.unlessStopped(ctx, err)
	}
	go memory.GiveBack()
	<-ctx.Done()
	a.state.Store(Draining)
	return running.stop()
}

// unlessStopped is err, unless the app was told to stop before it was ready: then it
// ended as asked, and what it left half done failed for that reason.
func (a *App) unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	a.Log.Info("stopped before it was ready", "err", err)
	return nil
}

// Start starts the app for requests made to Handler, and returns what stops it. It
// is for tests and for programs with a server of their own.
func (a *App) Start(ctx context.Context) (stop func() error, err error) {
	running, err := a.start(ctx, true, nil)
	if err != nil {
		return nil, err
	}
	return func() error { return running.stop() }, nil
}

// server has limits for clients that are slow, on purpose or not.
func (a *App) server() *http.Server {
	return &http.Server{
		Handler:           a.gate(a.Handler()),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(a.Log.Handler(), slog.LevelWarn),
	}
}

// listen accepts connections until the server is shut down.
func (a *App) listen(server *http.Server, l net.Listener) error {
	err := error(nil)
	if a.Config.TLSCert != "" {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		err = server.ServeTLS(l, a.Config.TLSCert, a.Config.TLSKey)
	} else {
		err = server.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

var errStarting = errs.New(errs.Unavailable, "starting", "The service is starting. Try again in a moment.").After(2 * time.Second)

// gate answers for an app that is not ready yet; health checks pass. While the app
// stops, each answer is the last on its connection.
func (a *App) gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		state := a.State()
		if state == Draining {
			w.Header().Set("Connection", "close")
		}
		if state == Starting && !strings.HasPrefix(q.URL.Path, "/health") && !strings.HasPrefix(q.URL.Path, "/api/v1/health") {
			a.Web.Refuse(w, q, errStarting)
			return
		}
		next.ServeHTTP(w, q)
	})
}

// announceEnd says that the app is not ready, and waits for load balancers to
// notice. Whoever still comes is served. Connections that are idle now are left alone:
// a request may be on its way on any of them, and closing it would lose that one.
func (a *App) announceEnd() {
	a.state.Store(Draining)
	a.Log.Info("stopping", "drain_delay", a.Config.Web.DrainDelay)
	time.Sleep(a.Config.Web.DrainDelay)
}

// patience is how long requests and jobs under way may take to finish.
const patience = 20 * time.Second

func shutDown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop the server: %w", err), server.Close())
	}
	return nil
}

// running is a started app.
type running struct {
	app    *App
	cancel context.CancelFunc
	loops  sync.WaitGroup
}

// start brings the app from nothing to ready.
func (a *App) start(ctx context.Context, work bool, setupLink func(string)) (*running, error) {
	if err := a.patiently(ctx, a.prepare); err != nil {
		return nil, err
	}
	loops, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &running{app: a, cancel: cancel}
	r.loop(loops, "cache.invalidations", a.Changed.Run)
	r.loop(loops, "secret.keys", a.Keys.Run)
	r.loop(loops, "realtime.connections", a.Live.Run)
	for _, s := range a.specs {
		for _, b := range s.Background {
			r.loop(loops, b.Name, b.Run)
		}
	}
	if work {
		if err := a.Jobs.Start(loops); err != nil {
			return nil, errors.Join(err, r.stop())
		}
	}
	if setupLink != nil {
		link, err := a.Accounts.SetupLink(ctx)
		if err != nil {
			return nil, errors.Join(err, r.stop())
		}
		if link != "" {
			setupLink(link)
		}
	}
	a.state.Store(Ready)
	return r, nil
}

// Prepare makes the app ready for one command at the shell.
func (a *App) Prepare(ctx context.Context) error { return a.prepare(ctx) }

// prepare migrates where that is ours to do, and loads what requests need.
func (a *App) prepare(ctx context.Context) error {
	if a.DB.Dialect() == db.SQLite || !a.Config.Production() {
		if err := a.Migrate(ctx); err != nil {
			return err
		}
	} else if err := a.migrated(ctx); err != nil {
		return err
	}
	templates, err := a.letters()
	if err != nil {
		return err
	}
	a.Post.Use(templates)
	if err := a.Keys.Load(ctx); err != nil {
		return err
	}
	if err := a.Flags.Load(ctx); err != nil {
		return err
	}
	wrong, err := a.DB.Verify(ctx, a.Schemas())
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return errors.New("the database does not keep organizations apart: " + strings.Join(wrong, "; "))
	}
	return nil
}

var errNotMigrated = errs.New(errs.Unavailable, "not_migrated", "The database is not up to date. Run: tenon migrate up")

// migrated reports whether someone has run the migrations.
func (a *App) migrated(ctx context.Context) error {
	all, err := a.DB.Migrations(ctx, a.Schemas())
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Pending() {
			return errNotMigrated.Because(fmt.Errorf("%s/%s is pending", m.Module, m.File))
		}
	}
	return nil
}

// patiently tries again while the database is away or not migrated: both end without us.
func (a *App) patiently(ctx context.Context, fn func(context.Context) error) error {
	for n := 0; ; n++ {
		err := fn(ctx)
		if err == nil || errs.KindOf(err) != errs.Unavailable {
			return err
		}
		if n%15 == 0 {
			a.Log.WarnContext(ctx, "not ready yet", "err", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

// loop runs fn until the app stops, again and again should it fail.
func (r *running) loop(ctx context.Context, name string, fn func(context.Context) error) {
	r.loops.Go(func() {
		for ctx.Err() == nil {
			err := fn(ctx)
			if ctx.Err() != nil {
				return
			}
			r.app.Log.Error("background work ended; starting it again", "name", name, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	})
}

// stop lets running jobs finish, and at the same time whatever others wait for; then
// it ends the loops, the last of which write down what they hold.
func (r *running) stop(others ...func() error) error {
	var all sync.WaitGroup
	failed := make([]error, len(others)+1)
	for i, wait := range append(others, r.stopJobs) {
		all.Go(func() { failed[i] = wait() })
	}
	all.Wait()
	r.cancel()
	r.loops.Wait()
	return errors.Join(failed...)
}

func (r *running) stopJobs() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.app.Jobs.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("stop the workers: %w", err)
	}
	return nil
}

// mountConsole adds the web application.
func (a *App) mountConsole(developer bool) error {
	if a.Config.Console.Off() {
		return nil
	}
	pages, err := a.Console.Handler(console.Product{Name: a.Config.Brand.ProductName, Base: a.Config.Web.Base(), SignUp: a.Config.Accounts.SignUp,
		ImageHosts: a.Config.Accounts.PictureHosts(), Files: a.Config.Blobs.Origin(), Developer: developer, Session: a.Web.BringsSession}, a.Web.Missing())
	if err != nil {
		return err
	}
	a.Web.Pages(pages)
	return nil
}

// mountDevelopment adds the pages that only a developer on this machine may see.
func (a *App) mountDevelopment() {
	mailbox := devpages.Handler(a.Box)
	a.Web.Mount("GET /_dev/mail", mailbox)
	a.Web.Mount("GET /_dev/mail/", mailbox)
	a.Web.Mount("GET /_dev/stats", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		s := a.DB.Stats()
		fmt.Fprintf(w, `{"statements":%d,"round_trips":%d}`+"\n", s.Statements.Load(), s.RoundTrips.Load())
	}))
}

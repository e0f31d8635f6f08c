// Package tenon is the backend that every SaaS needs: run it as it is, or import it
// and add your own modules.
//
//	app, err := tenon.New(tenon.Config{})
//	app.Use(tasks.New(app).Module())
//	err = app.Serve(ctx)
//
// A backend is a platform and a list of modules. The platform knows SQL, HTTP, jobs
// and mail, but no business; a module is one business capability in one folder.
package tenon

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/tenonhq/tenon/console"
	"github.com/tenonhq/tenon/internal/geoip"
	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/admin"
	"github.com/tenonhq/tenon/modules/apikeys"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/files"
	"github.com/tenonhq/tenon/modules/flags"
	"github.com/tenonhq/tenon/modules/identities"
	"github.com/tenonhq/tenon/modules/mfa"
	"github.com/tenonhq/tenon/modules/notifications"
	"github.com/tenonhq/tenon/modules/ops"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/modules/passkeys"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/blob"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/platform/redis"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// App is a running backend: the platform, then the modules, each a plain field.
type App struct {
	Config Config
	Log    *slog.Logger

	DB      *db.DB
	Redis   *redis.Client // nil without REDIS_URL
	Keys    *secret.Keyring
	Limits  *ratelimit.Limiter
	Changed *cache.Bus
	Jobs    *jobs.Queue
	Blobs   blob.Store
	Post    *mail.Post
	Box     *mail.Box // keeps mail that has no relay to leave by
	Web     *web.Router
	Live    *realtime.Hub // pushes to who is connected
	Roles   *authz.Catalog

	Audit         *audit.Service
	Accounts      *accounts.Service
	Sessions      *sessions.Service
	Passkeys      *passkeys.Service
	MFA           *mfa.Service
	Identities    *identities.Service
	Orgs          *orgs.Service
	APIKeys       *apikeys.Service
	Files         *files.Service
	Flags         *flags.Service
	Notifications *notifications.Service
	Admin         *admin.Service
	Ops           *ops.Service

	// Console is the web application; extend it before Serve.
	Console *console.Console

	specs []module.Spec
	state atomic.Value // of type State
}

// New builds an app. Read it top to bottom: a service may use what is above it.
func New(cfg Config) (*App, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	a := &App{Config: cfg, Log: cfg.Logger, Roles: authz.NewCatalog(), Console: console.New(cfg.Console)}
	a.state.Store(Starting)
	if err := a.platform(); err != nil {
		return nil, err
	}
	passwords := secret.NewPasswords()
	publicURL := func() string { return a.Config.Web.PublicURL }

	a.Audit = audit.New(audit.Deps{DB: a.DB, Jobs: a.Jobs, Live: a.Live, Now: cfg.Now, Log: a.Log})
	a.Accounts = accounts.New(accounts.Deps{DB: a.DB, Audit: a.Audit, Jobs: a.Jobs, Post: a.Post, Keys: a.Keys, Passwords: passwords,
		Limits: a.Limits, Changed: a.Changed, Config: cfg.Accounts, PublicURL: publicURL, Product: cfg.Brand.ProductName, Now: cfg.Now, Log: a.Log})
	places, err := geoip.Open(cfg.Sessions.Places)
	if err != nil {
		return nil, err
	}
	a.Sessions = sessions.New(sessions.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Jobs: a.Jobs, Keys: a.Keys, Passwords: passwords,
		Limits: a.Limits, Changed: a.Changed, Web: a.Web, Post: a.Post, Places: places, Config: cfg.Sessions, PublicURL: publicURL, CacheOff: cfg.Cache == "off", Now: cfg.Now, Log: a.Log})
	a.Passkeys = passkeys.New(passkeys.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Sessions: a.Sessions, Post: a.Post,
		PublicURL: publicURL, Origins: cfg.Web.AllowedOrigins, Product: cfg.Brand.ProductName, Now: cfg.Now, Log: a.Log})
	a.MFA = mfa.New(mfa.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Sessions: a.Sessions, Passkeys: a.Passkeys, Keys: a.Keys, Post: a.Post,
		PublicURL: publicURL, Product: cfg.Brand.ProductName, Now: cfg.Now, Log: a.Log})
	a.Identities = identities.New(identities.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Sessions: a.Sessions, Post: a.Post, Keys: a.Keys,
		Web: a.Web, Config: cfg.Identities, PublicURL: publicURL, Now: cfg.Now, Log: a.Log})
	a.Orgs = orgs.New(orgs.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Sessions: a.Sessions, Post: a.Post, Limits: a.Limits,
		Changed: a.Changed, Roles: a.Roles, PublicURL: publicURL, CacheOff: cfg.Cache == "off", Now: cfg.Now, Log: a.Log})
	a.APIKeys = apikeys.New(apikeys.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Orgs: a.Orgs, Post: a.Post,
		Changed: a.Changed, Roles: a.Roles, CacheOff: cfg.Cache == "off", Now: cfg.Now, Log: a.Log})
	a.Files = files.New(files.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Jobs: a.Jobs, Keys: a.Keys, Store: a.Blobs,
		Config: cfg.Files, PublicURL: publicURL, Now: cfg.Now, Log: a.Log})
	a.Flags = flags.New(flags.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Orgs: a.Orgs, Changed: a.Changed, Plan: cfg.Plan, Now: cfg.Now, Log: a.Log})
	a.Notifications = notifications.New(notifications.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Orgs: a.Orgs, Files: a.Files, Jobs: a.Jobs, Post: a.Post,
		Live: a.Live, Keys: a.Keys, Config: cfg.Notifications, PublicURL: publicURL, Now: cfg.Now, Log: a.Log})
	a.Admin = admin.New(admin.Deps{DB: a.DB, Audit: a.Audit, Accounts: a.Accounts, Sessions: a.Sessions, MFA: a.MFA, Orgs: a.Orgs, Jobs: a.Jobs, Post: a.Post,
		Modules: a.Modules, Schemas: a.Schemas, PublicURL: publicURL})
	a.Ops = ops.New(ops.Deps{DB: a.DB, Audit: a.Audit, Redis: a.Redis, Keys: a.Keys, Jobs: a.Jobs, Blobs: a.Blobs, Sealed: a.sealed, Ready: a.unready, Now: cfg.Now, Log: a.Log})

	a.Web.Authenticate(web.Auth{Principal: a.principal, Membership: a.Orgs.Membership, DefaultOrg: a.defaultOrg})
	a.Live.Authenticate(realtime.Auth{Principal: a.still, Membership: a.Orgs.Membership})
	a.Web.Carry(a.Flags.With)
	a.Jobs.Carry(a.Flags.With)
	a.Use(a.Audit.Module(), a.Accounts.Module(), a.Sessions.Module(), a.Passkeys.Module(), a.MFA.Module(), a.Identities.Module(),
		a.Orgs.Module(), a.APIKeys.Module(), a.Files.Module(), a.Flags.Module(), a.Notifications.Module(), a.Admin.Module(), a.Ops.Module())
	return a, nil
}

// principal finds out who shows a credential: a program with a key, or a session.
func (a *App) principal(ctx context.Context, c web.Credential) (*authz.Principal, error) {
	if apikeys.IsKey(c.Bearer) {
		return a.APIKeys.Principal(ctx, c.Bearer)
	}
	return a.Sessions.Principal(ctx, c)
}

// still is principal for who only looks on: a connection that stays open does not keep its
// session awake.
func (a *App) still(ctx context.Context, c web.Credential) (*authz.Principal, error) {
	if apikeys.IsKey(c.Bearer) {
		return a.APIKeys.Still(ctx, c.Bearer)
	}
	return a.Sessions.Still(ctx, c)
}

// defaultOrg is the organization that the caller works in where a request names none.
func (a *App) defaultOrg(ctx context.Context) (id.Org, error) {
	me, err := a.Accounts.Me(ctx)
	if err != nil || me.DefaultOrgID == nil {
		return id.Org{}, err
	}
	return *me.DefaultOrgID, nil
}

// platform builds what knows no business.
func (a *App) platform() (err error) {
	cfg := a.Config
	if a.DB, err = db.Open(context.Background(), cfg.DB); err != nil {
		return err
	}
	if cfg.RedisURL != "" {
		if a.Redis, err = redis.Open(cfg.RedisURL, a.Log); err != nil {
			return fmt.Errorf("REDIS_URL: %w", err)
		}
	}
	a.Keys = secret.NewKeyring(a.DB, []byte(cfg.RootSecret), cfg.Now)
	a.Limits = ratelimit.New(ratelimit.Options{Redis: a.Redis, Now: cfg.Now, Log: a.Log, Off: cfg.RateLimit == "off"})
	a.Changed = cache.NewBus(cache.Options{DB: a.DB, Redis: a.Redis, Now: cfg.Now, Log: a.Log, MaxTx: cfg.DB.MaxTx})
	if a.Jobs, err = jobs.New(a.DB, cfg.Jobs, a.Log); err != nil {
		return err
	}
	if a.Blobs, err = blob.Open(cfg.Blobs); err != nil {
		return err
	}
	a.Box = mail.NewBox(a.DB)
	sender := mail.Sender(a.Box)
	if cfg.Mail.Host != "" {
		if sender, err = mail.NewSMTP(cfg.Mail); err != nil {
			return err
		}
	}
	a.Post = mail.NewPost(a.Jobs, a.Keys, sender, cfg.Now)
	a.Jobs.Add(a.Post.Handler())
	a.Web = web.NewRouter(web.Options{Title: cfg.Brand.ProductName, Version: Version, Config: cfg.Web, Log: a.Log, Now: cfg.Now,
		Keys: a.Keys, Limits: a.Limits, DB: a.DB})
	a.Live = realtime.New(realtime.Options{Config: cfg.Realtime, Redis: a.Redis, RedisURL: cfg.RedisURL, Log: a.Log})
	a.Live.Routes(a.Web)
	return nil
}

// Use adds modules: the built-in ones and yours go through the same door.
func (a *App) Use(specs ...module.Spec) {
	for _, s := range specs {
		a.specs = append(a.specs, s)
		a.Roles.Add(s.Permissions...)
		a.Jobs.Add(s.Jobs...)
		a.Jobs.Subscribe(s.Subscribes...)
		a.Jobs.Repeat(s.Periodic...)
		a.Notifications.Add(s.Notices...)
		if s.Routes != nil {
			s.Routes(a.Web)
		}
		if s.Pages != nil {
			a.Console.Add(s.Pages)
		}
	}
}

// Modules lists what the app is made of, in dependency order.
func (a *App) Modules() []module.Spec { return a.specs }

// Schemas lists what the app keeps in the database, in the order it is migrated.
func (a *App) Schemas() []db.Schema {
	all := []db.Schema{secret.Schema(), cache.Schema(), web.Schema(), mail.Schema(), a.Jobs.Schema()}
	for _, s := range a.specs {
		if s.Migrations != nil {
			all = append(all, s.Schema())
		}
	}
	return all
}

// sealed lists the encrypted columns of all modules.
func (a *App) sealed() (all []secret.Column) {
	for _, s := range a.specs {
		all = append(all, s.Sealed...)
	}
	return all
}

// Migrate brings the database up to date.
func (a *App) Migrate(ctx context.Context) error {
	return a.DB.Migrate(ctx, a.Config.DB, a.Schemas())
}

// Handler serves the API; Serve puts a server around it.
func (a *App) Handler() http.Handler { return a.Web }

// Close lets go of the database and of Redis. Serve and Work do it themselves.
func (a *App) Close() {
	a.Live.Close()
	if a.Redis != nil {
		a.Redis.Close()
	}
	a.DB.Close()
}

// letters reads the templates of all modules, and the app's own on top.
func (a *App) letters() (*mail.Templates, error) {
	var sources []fs.FS
	for _, s := range a.specs {
		if s.Mail != nil {
			sources = append(sources, s.Mail)
		}
	}
	if a.Config.Mails != nil {
		sources = append(sources, a.Config.Mails)
	}
	return mail.NewTemplates(a.Config.Brand, sources...)
}

package tenon

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/tenonhq/tenon/console"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/files"
	"github.com/tenonhq/tenon/modules/identities"
	"github.com/tenonhq/tenon/modules/notifications"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/blob"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/observe"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// Version is the version of this source.
const Version = "0.1.0"

// Config is everything an operator can set, one struct per package, defined there.
// Its zero value runs: development, SQLite in ./data, on 127.0.0.1:8000.
type Config struct {
	// Env is "development", unless set, or "production", which refuses what is convenient but unsafe.
	Env string `env:"TENON_ENV"`
	// Addr is where to listen; 127.0.0.1:8000 unless set.
	Addr string `env:"TENON_ADDR"`
	// TLSCert is a PEM file; with it and its key the server speaks TLS 1.2 and 1.3 itself.
	TLSCert string `env:"TENON_TLS_CERT_FILE"`
	// TLSKey is the PEM file of the certificate's key.
	TLSKey string `env:"TENON_TLS_KEY_FILE"`
	// Data is the folder of everything kept on disk; ./data unless set.
	Data string `env:"TENON_DATA"`
	// RootSecret wraps the keys in the database; required in production. In development one
	// is made and kept in the data folder.
	RootSecret string `env:"TENON_ROOT_SECRET"`
	// RedisURL is a Redis server (redis://…), through which processes share limits and
	// cached values. Without one, each process has its own.
	RedisURL string `env:"REDIS_URL"`
	// RateLimit is "off" for load tests; never in production.
	RateLimit string `env:"TENON_RATELIMIT"`
	// Cache is "off" to load every caller from the database, for measurements.
	Cache string `env:"TENON_CACHE"`

	Web           web.Config
	DB            db.Config
	Jobs          jobs.Config
	Blobs         blob.Config
	Mail          mail.Config
	Brand         mail.Branding
	Log           observe.Config
	Console       console.Config
	Accounts      accounts.Config
	Sessions      sessions.Config
	Files         files.Config
	Notifications notifications.Config
	Realtime      realtime.Config
	// Identities are the providers that people may sign in with.
	Identities identities.Config

	// The rest is set in Go.

	Logger *slog.Logger // made from Log when nil
	Now    clock.Now    // the machine's clock when nil
	Mails  fs.FS        // letters that replace ours of the same name, or add a language

	// Plan names what an organization pays for, to feature flags that ask for it. It answers
	// from memory, in nanoseconds; empty is not known.
	Plan func(org id.Org) string
}

// FromEnv reads the configuration from the environment.
func FromEnv() (Config, error) {
	var c Config
	if err := env.Parse(&c); err != nil {
		return c, fmt.Errorf("read the environment: %w", err)
	}
	c.Identities.ReadEnv(os.Getenv)
	return c, nil
}

// Production reports whether real people depend on this process.
func (c Config) Production() bool { return c.Env == "production" }

// complete fills in defaults and refuses what cannot work or is not safe.
func (c *Config) complete() error {
	setDefault(&c.Env, "development")
	setDefault(&c.Addr, "127.0.0.1:8000")
	setDefault(&c.Data, "data")
	setDefault(&c.Brand.ProductName, "Tenon")
	setDefault(&c.Mail.From, c.Brand.ProductName+" <no-reply@tenon.localhost.invalid>")
	if c.DB.URL == "" {
		c.DB.URL = "sqlite:" + filepath.Join(c.Data, "tenon.db")
	}
	setDefault(&c.Blobs.Folder, filepath.Join(c.Data, "files"))
	if c.Now == nil {
		c.Now = clock.System
	}
	if c.Plan == nil {
		c.Plan = func(id.Org) string { return "" }
	}
	if c.Logger == nil {
		c.Logger = observe.NewLogger(os.Stdout, c.Log)
	}
	c.DB.Log = c.Logger
	c.Mail.Production = c.Production()
	if c.Env != "development" && !c.Production() {
		return fmt.Errorf("TENON_ENV must be development or production, not %q", c.Env)
	}
	if c.Production() && c.Web.DrainDelay == 0 {
		c.Web.DrainDelay = 5 * time.Second
	}
	if c.Web.PublicURL == "" && !c.Production() {
		c.Web.PublicURL = "http://" + c.Addr
	}
	if err := errors.Join(c.Web.Check(c.Production()), c.Accounts.Check(), c.Console.Check(), c.Jobs.Check(), c.Blobs.Check(), c.Files.Check(), c.Notifications.Check(), c.Realtime.Check()); err != nil {
		return err
	}
	if err := c.Identities.Check(); err != nil {
		return err
	}
	return c.completeSecret()
}

func (c *Config) completeSecret() error {
	if c.Production() {
		switch {
		case c.RootSecret == "":
			return errors.New("TENON_ROOT_SECRET must be set in production; make one with: openssl rand -base64 48")
		case c.RateLimit == "off":
			return errors.New("TENON_RATELIMIT=off is for load tests, not for production")
		case c.Accounts.VerifyEmail == "off":
			return errors.New("TENON_ACCOUNTS_VERIFY_EMAIL=off is for development, not for production")
		case c.Mail.Host == "":
			return errors.New("SMTP_HOST must be set in production: people confirm their address by mail")
		}
		return secret.CheckRoot(c.RootSecret)
	}
	if c.RootSecret != "" {
		return nil
	}
	var err error
	c.RootSecret, err = secret.DevelopmentRoot(c.Data)
	return err
}

// loopback reports whether only this machine can reach the address.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

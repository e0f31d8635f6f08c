package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"reflect"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/errs"
)

func (e *environment) doctor() *cobra.Command {
	return e.command("doctor", "Show the settings in effect and try every dependency.", "Secrets are masked. Exits with 1 when a dependency fails.", func([]string) error {
		return e.examine()
	})
}

func (e *environment) examine() error {
	app, err := e.app(func(cfg *tenon.Config) {
		cfg.Logger = slog.New(slog.DiscardHandler) // doctor speaks for itself
	})
	if err != nil {
		return err
	}
	defer app.Close()
	fmt.Println("Settings in effect")
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	settings(out, reflect.ValueOf(app.Config))
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Println("\nDependencies")
	failed := 0
	for _, c := range checks(app) {
		ctx, cancel := context.WithTimeout(e.ctx, 10*time.Second)
		said, err := c.try(ctx)
		cancel()
		mark := "ok  "
		if err != nil {
			mark, said = "FAIL", err.Error()
			failed++
		}
		fmt.Printf("  %s  %-12s %s\n", mark, c.name, said)
	}
	if failed > 0 {
		return fmt.Errorf("%d of the dependencies failed", failed)
	}
	return nil
}

// settings prints each field that an environment variable sets.
func settings(out *tabwriter.Writer, v reflect.Value) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if name, _, _ := strings.Cut(field.Tag.Get("env"), ","); name != "" {
			fmt.Fprintf(out, "  %s\t%s\n", name, masked(name, fmt.Sprint(value.Interface())))
		} else if value.Kind() == reflect.Struct {
			settings(out, value)
		}
	}
}

func masked(name, value string) string {
	if value == "" || value == "[]" {
		return "-"
	}
	for _, word := range []string{"SECRET", "PASSWORD"} {
		if strings.Contains(name, word) {
			return "•••••• (" + strconv.Itoa(len(value)) + " characters)"
		}
	}
	// The password of a URL: scheme://user:password@host
	if scheme, rest, ok := strings.Cut(value, "://"); ok {
		if at := strings.LastIndex(rest, "@"); at >= 0 {
			user, _, hasPassword := strings.Cut(rest[:at], ":")
			if hasPassword {
				return scheme + "://" + user + ":••••••" + rest[at:]
			}
		}
	}
	return value
}

type check struct {
	name string
	try  func(context.Context) (string, error)
}

func checks(app *tenon.App) []check {
	return []check{
		{"database", func(ctx context.Context) (string, error) {
			began := time.Now()
			if err := app.DB.Ping(ctx); err != nil {
				return "", err
			}
			return fmt.Sprintf("%s answers in %s", app.DB.Dialect(), time.Since(began).Round(100*time.Microsecond)), nil
		}},
		{"migrations", func(ctx context.Context) (string, error) {
			all, err := app.DB.Migrations(ctx, app.Schemas())
			if err != nil {
				return "", err
			}
			for _, m := range all {
				if m.Pending() {
					return "", errors.New(m.Module + "/" + m.File + " is pending; run: tenon migrate up")
				}
			}
			return fmt.Sprintf("all %d applied", len(all)), nil
		}},
		{"isolation", func(ctx context.Context) (string, error) {
			wrong, err := app.DB.Verify(ctx, app.Schemas())
			if err != nil || len(wrong) > 0 {
				return "", errors.Join(err, errors.New(strings.Join(wrong, "; ")))
			}
			return "row-level security is in place, where the database has it", nil
		}},
		{"keys", func(ctx context.Context) (string, error) {
			if err := app.Keys.Load(ctx); err != nil {
				return "", err
			}
			return fmt.Sprintf("%d keys open with the root secret", len(app.Keys.Keys())), nil
		}},
		{"redis", func(ctx context.Context) (string, error) {
			if app.Redis == nil {
				return "not used (REDIS_URL is not set)", nil
			}
			return "answers", app.Redis.Ping(ctx)
		}},
		{"mail", func(ctx context.Context) (string, error) {
			cfg := app.Config.Mail
			if cfg.Host == "" {
				return "kept in the database and shown at /_dev/mail (SMTP_HOST is not set)", nil
			}
			port := cfg.Port
			if port == 0 {
				port = 587
			}
			at := net.JoinHostPort(cfg.Host, strconv.Itoa(port))
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
			if err != nil {
				return "", err
			}
			return at + " accepts connections", conn.Close()
		}},
	}
}

// sentence is an outcome as a person at a terminal reads it.
func sentence(err error) error {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return errors.New(e.Message)
	}
	return err
}

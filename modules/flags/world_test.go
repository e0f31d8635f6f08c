package flags_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/modules/flags"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/web"
	"github.com/tenonhq/tenon/tenontest"
)

// credential is what u shows with each request.
func credential(u *tenontest.User) web.Credential {
	return web.Credential{Bearer: u.Tokens.AccessToken}
}

// ask is a job of somebody's own module that asks for a flag.
type ask struct{}

func (ask) Kind() string      { return "asking.ask" }
func (ask) Scope() jobs.Scope { return jobs.OnPlatform("test") }

func asking(got chan<- bool) module.Spec {
	return module.Spec{Name: "asking", Jobs: []jobs.Handler{jobs.On(func(ctx context.Context, _ db.Conn, _ ask) error {
		got <- flags.Bool(ctx, "new-dashboard", false)
		return nil
	})}}
}

// lines is a log to be counted.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

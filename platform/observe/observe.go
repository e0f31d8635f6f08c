// Package observe owns what the process says about itself: structured logs, one
// event per line, with the request, account and organization they belong to, and
// without secrets. It also decides which inbound request and trace ids to believe.
package observe

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// Config says how much is logged and in which form. Its zero value logs JSON from level info.
type Config struct {
	Level  slog.Level `env:"LOG_LEVEL"`  // from where on events are logged: debug, info (unless set), warn or error
	Format Format     `env:"LOG_FORMAT"` // the form of a line: json (unless set) or text
}

// Format is the form of a log line.
type Format string

// The formats. The empty Format is JSON.
const (
	JSON Format = "json"
	Text Format = "text"
)

// UnmarshalText reads a format and refuses an unknown one.
func (f *Format) UnmarshalText(b []byte) error {
	switch v := Format(b); v {
	case JSON, Text, "":
		*f = v
		return nil
	}
	return fmt.Errorf("log format is %q, want json or text", b)
}

// NewLogger returns a logger that writes one line per event to w, adds the Fields of
// the context it is called with, and scrubs secrets from messages and attributes.
func NewLogger(w io.Writer, cfg Config) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.Level, ReplaceAttr: scrubAttr}
	if cfg.Format == Text {
		return slog.New(&handler{root: slog.NewTextHandler(w, opts)})
	}
	return slog.New(&handler{root: slog.NewJSONHandler(w, opts)})
}

// handler adds the context's fields at the top level of every record. Whatever follows
// the first WithGroup is replayed for each record, so that the fields stay outside the group.
type handler struct {
	root    slog.Handler
	grouped []func(slog.Handler) slog.Handler
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.root.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if len(h.grouped) == 0 {
		if s := scopeOf(ctx); s != nil {
			r = r.Clone()
			s.addTo(&r)
		}
		return h.root.Handle(ctx, r)
	}
	next := h.root
	if s := scopeOf(ctx); s != nil {
		next = next.WithAttrs(s.attrs())
	}
	for _, step := range h.grouped {
		next = step(next)
	}
	return next.Handle(ctx, r)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(h.grouped) == 0 {
		return &handler{root: h.root.WithAttrs(attrs)}
	}
	return h.then(func(next slog.Handler) slog.Handler { return next.WithAttrs(attrs) })
}

func (h *handler) WithGroup(name string) slog.Handler {
	return h.then(func(next slog.Handler) slog.Handler { return next.WithGroup(name) })
}

func (h *handler) then(step func(slog.Handler) slog.Handler) slog.Handler {
	grouped := append(h.grouped[:len(h.grouped):len(h.grouped)], step)
	return &handler{root: h.root, grouped: grouped}
}

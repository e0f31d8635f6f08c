package jobs

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"

	"github.com/riverqueue/river"

	"github.com/tenonhq/tenon/platform/db"
)

type sqliteClient struct{ c *river.Client[*sql.Tx] }

func (s sqliteClient) insert(ctx context.Context, tx *db.Tx, args river.JobArgs, o *river.InsertOpts) (ID, error) {
	_, t := db.RawTx(tx)
	return inserted(s.c.InsertTx(ctx, t, args, o))
}

func (s sqliteClient) insertMany(ctx context.Context, tx *db.Tx, all []river.InsertManyParams) error {
	_, t := db.RawTx(tx)
	_, err := s.c.InsertManyFastTx(ctx, t, all)
	return err
}

func (s sqliteClient) cancel(ctx context.Context, tx *db.Tx, job ID) error {
	_, t := db.RawTx(tx)
	_, err := s.c.JobCancelTx(ctx, t, int64(job))
	return err
}

func (s sqliteClient) pause(ctx context.Context, tx *db.Tx, queue string, paused bool) error {
	_, t := db.RawTx(tx)
	if paused {
		return s.c.QueuePauseTx(ctx, t, queue, nil)
	}
	return s.c.QueueResumeTx(ctx, t, queue, nil)
}

func (s sqliteClient) start(ctx context.Context) error { return s.c.Start(ctx) }
func (s sqliteClient) stop(ctx context.Context) error {
	return stopClient(ctx, s.c.Stop, s.c.StopAndCancel)
}

// stopClient waits for running jobs until ctx ends, then cancels them and waits for that.
func stopClient(ctx context.Context, soft, hard func(context.Context) error) error {
	if err := soft(ctx); err != nil && ctx.Err() != nil {
		return hard(context.WithoutCancel(ctx))
	} else if err != nil {
		return err
	}
	return nil
}

// quiet passes on warnings and errors: River reports each start and stop of its
// parts, and as an error also that it was interrupted, which is how it stops.
type quiet struct{ slog.Handler }

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	interrupted := false
	r.Attrs(func(a slog.Attr) bool {
		interrupted = interrupted || strings.Contains(a.Value.String(), context.Canceled.Error())
		return true
	})
	if interrupted {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }
func (q quiet) WithGroup(n string) slog.Handler      { return quiet{q.Handler.WithGroup(n)} }

package activity_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/tenonhq/tenon/internal/activity"
)

func TestEachThingIsWrittenDownOnceWithItsLatestUse(t *testing.T) {
	kept, writes := map[int]int{}, 0
	l := activity.New(slog.New(slog.DiscardHandler), func(_ context.Context, uses []activity.Use[int, int]) error {
		if writes++; len(uses) > 200 {
			t.Errorf("%d uses in one transaction", len(uses))
		}
		for _, u := range uses {
			kept[u.What] += u.Use
		}
		return nil
	})
	for use := 1; use <= 3; use++ {
		for what := range 450 {
			l.Saw(what, use)
		}
	}
	if use, ok := l.Last(7); !ok || use != 3 {
		t.Errorf("the last use is %d, %t", use, ok)
	}
	l.Flush(t.Context())
	for what := range 450 {
		if kept[what] != 3 {
			t.Fatalf("%d was written down as %d", what, kept[what])
		}
	}
	if _, ok := l.Last(7); ok || writes != 3 {
		t.Errorf("written in %d transactions; still remembered: %t", writes, ok)
	}
	l.Flush(t.Context())
	if writes != 3 {
		t.Error("nothing was used, yet something is written")
	}
}

func TestWhatWasUsedLastIsWrittenAtTheEnd(t *testing.T) {
	written := 0
	l := activity.New(slog.New(slog.DiscardHandler), func(ctx context.Context, uses []activity.Use[string, int]) error {
		written += len(uses)
		return errors.Join(ctx.Err(), errors.New("no matter"))
	})
	l.Saw("x", 1)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := l.Run(ctx); err != nil || written != 1 {
		t.Errorf("%v, %d written", err, written)
	}
}

package jobs_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

func TestAWorkerRunsTheQueuesThatItIsGivenAndNoOthers(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		var done diary
		worker := func(queues ...string) *node {
			n := open(t, url, jobs.Config{Workers: 2, Queues: queues})
			n.Add(jobs.On(func(context.Context, db.Conn, note) error { done.write("default"); return nil }),
				jobs.On(func(context.Context, db.Conn, hopeless) error { done.write("mail"); return nil }, jobs.InQueue("mail")))
			return n
		}
		n := worker("mail")
		n.begin(t)
		n.enqueue(t, note{1})
		n.enqueue(t, hopeless{})
		done.wait(t, 1)
		time.Sleep(700 * time.Millisecond)
		if got := done.read(); !slices.Equal(got, []string{"mail"}) {
			t.Errorf("it ran %v", got)
		}
		worker("default", "mail").begin(t)
		done.wait(t, 2)
		if err := worker("mial").Start(t.Context()); err == nil || !strings.Contains(err.Error(), `"mial"; there are: default, mail`) {
			t.Errorf("a queue that is none: %v", err)
		}
	})
}

func TestAQueueHasAsManyWorkersAsItIsGiven(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		for _, c := range []struct {
			name string
			cfg  jobs.Config
			of   []jobs.HandlerOption
			want int64
		}{
			{"by the process", jobs.Config{Workers: 3}, nil, 3},
			{"by its job", jobs.Config{Workers: 8}, []jobs.HandlerOption{jobs.Workers(2)}, 2},
			{"by the process, which has fewer than the job may have", jobs.Config{Workers: 1}, []jobs.HandlerOption{jobs.Workers(2)}, 1},
			{"by its operator, whatever else is said", jobs.Config{Workers: 8, QueueWorkers: map[string]int{"narrow": 4}}, []jobs.HandlerOption{jobs.Workers(2)}, 4},
		} {
			t.Run(c.name, func(t *testing.T) {
				var now, most atomic.Int64
				var done diary
				n := open(t, url, c.cfg)
				n.Add(jobs.On(func(context.Context, db.Conn, note) error {
					if at := now.Add(1); at > most.Load() {
						most.Store(at)
					}
					time.Sleep(20 * time.Millisecond)
					now.Add(-1)
					done.write("run")
					return nil
				}, append(c.of, jobs.InQueue("narrow"))...))
				for i := range 12 {
					n.enqueue(t, note{i})
				}
				n.begin(t)
				done.wait(t, 12)
				if got := most.Load(); got != c.want {
					t.Errorf("%d ran at once, want %d", got, c.want)
				}
			})
		}
	})
}

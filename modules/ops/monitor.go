package ops

import (
	"context"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// RetryJob lets a job run again now.
func (s *Service) RetryJob(ctx context.Context, job jobs.ID) (jobs.Job, error) {
	return s.changeJob(ctx, job, s.Jobs.Retry, func(j jobs.Job) jobs.Args { return JobRetried{aboutJob(j)} })
}

// CancelJob stops a job. One that is running is told to stop, and does so in its own time.
func (s *Service) CancelJob(ctx context.Context, job jobs.ID) (jobs.Job, error) {
	return s.changeJob(ctx, job, s.Jobs.Cancel, func(j jobs.Job) jobs.Args { return JobCancelled{aboutJob(j)} })
}

// DeleteJob removes a job that does not run, and returns what it was.
func (s *Service) DeleteJob(ctx context.Context, job jobs.ID) (jobs.Job, error) {
	return s.changeJob(ctx, job, s.Jobs.Delete, func(j jobs.Job) jobs.Args { return JobDeleted{aboutJob(j)} })
}

func (s *Service) changeJob(ctx context.Context, job jobs.ID, change func(context.Context, *db.Tx, jobs.ID) (jobs.Job, error), event func(jobs.Job) jobs.Args) (jobs.Job, error) {
	var out jobs.Job
	err := s.DB.Platform(operating).Tx(ctx, func(tx *db.Tx) error {
		j, err := change(ctx, tx, job)
		if err != nil {
			return err
		}
		out = j
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: event(j), Target: targetJob(j)})
	})
	return out, err
}

// atOnce is how many dead jobs are let run again in one transaction.
const atOnce = 10_000

// RetryDeadJobs lets all dead jobs run again, or those of a kind, and returns how many.
// Each ten thousand are a transaction with its event: a long list holds up nobody.
func (s *Service) RetryDeadJobs(ctx context.Context, kind string) (int64, error) {
	var all int64
	for {
		var some int64
		err := s.DB.Platform(operating).Tx(ctx, func(tx *db.Tx) error {
			n, err := s.Jobs.RetryDead(ctx, tx, kind, atOnce)
			if err != nil || n == 0 {
				some = 0
				return err
			}
			some = n
			return s.Audit.In(tx).Record(ctx, audit.Entry{Event: DeadJobsRetried{kind, n}, Target: audit.Target{Kind: "job", Name: kind}})
		})
		if err != nil {
			return all, err
		}
		all += some
		if some < atOnce {
			return all, nil
		}
	}
}

// PauseQueue stops that jobs of a queue are begun, on every node.
func (s *Service) PauseQueue(ctx context.Context, queue string) (jobs.QueueState, error) {
	return s.changeQueue(ctx, queue, s.Jobs.Pause, QueuePaused{AboutQueue{queue}})
}

// ResumeQueue ends what PauseQueue began.
func (s *Service) ResumeQueue(ctx context.Context, queue string) (jobs.QueueState, error) {
	return s.changeQueue(ctx, queue, s.Jobs.Resume, QueueResumed{AboutQueue{queue}})
}

// changeQueue records only what changed something.
func (s *Service) changeQueue(ctx context.Context, queue string, change func(context.Context, *db.Tx, string) (bool, error), event jobs.Args) (jobs.QueueState, error) {
	err := s.DB.Platform(operating).Tx(ctx, func(tx *db.Tx) error {
		changed, err := change(ctx, tx, queue)
		if err != nil || !changed {
			return err
		}
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: event, Target: targetQueue(queue)})
	})
	if err != nil {
		return jobs.QueueState{}, err
	}
	return s.Jobs.QueueState(ctx, queue)
}

// RunSchedule enqueues the job of a schedule now.
func (s *Service) RunSchedule(ctx context.Context, name string) (jobs.Job, error) {
	var out jobs.Job
	err := s.DB.Platform(operating).Tx(ctx, func(tx *db.Tx) error {
		j, err := s.Jobs.RunNow(ctx, tx, name)
		if err != nil {
			return err
		}
		out = j
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: ScheduleRun{aboutJob(j), name}, Target: audit.Target{Kind: "schedule", ID: name, Name: name}})
	})
	return out, err
}

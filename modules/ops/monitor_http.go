package ops

import (
	"context"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) monitorRoutes(r *web.Router) {
	s.monitorIDs(r)
	s.readJobRoutes(r)
	s.changeJobRoutes(r)
	s.queueRoutes(r)
	s.scheduleRoutes(r)
}

// monitorIDs declares what the parameters of our paths name. To an administrator every job exists.
func (s *Service) monitorIDs(r *web.Router) {
	r.PathID("job", web.PathID{
		Parse: func(text string) error { _, err := jobs.ParseID(text); return err },
		Exists: func(ctx context.Context, text string) (bool, error) {
			job, err := jobs.ParseID(text)
			if err != nil {
				return false, nil
			}
			_, err = s.Jobs.Get(ctx, job)
			if errs.KindOf(err) == errs.NotFound {
				return false, nil
			}
			return err == nil, err
		},
	})
	r.PathID("queue", named(s.Jobs.KnowsQueue, jobs.ErrQueueNotFound))
	r.PathID("schedule", named(s.Jobs.KnowsSchedule, jobs.ErrScheduleNotFound))
}

// named is the PathID of what the program itself declares.
func named(known func(string) bool, missing error) web.PathID {
	return web.PathID{
		Parse: func(text string) error {
			if !known(text) {
				return missing
			}
			return nil
		},
		Exists: func(_ context.Context, text string) (bool, error) { return known(text), nil },
	}
}

func (s *Service) readJobRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "ops.list_jobs", Method: http.MethodGet, Path: "/admin/jobs",
		Summary: "List jobs", Description: "Newest first. Those that completed are kept for an hour, those that were cancelled for a week, dead ones for 30 days.",
		Access: authz.Administrator(),
	}, s.handleListJobs)

	web.Handle(r, web.Op{
		ID: "ops.get_job", Method: http.MethodGet, Path: "/admin/jobs/{job}",
		Summary:     "Show a job",
		Description: "With its attempts. Its arguments come with `args=true`: without what looks like a secret, and never where the kind of the job is sealed, as letters are.",
		Access:      authz.Administrator(),
	}, s.handleGetJob)

	web.Handle(r, web.Op{
		ID: "ops.job_metrics", Method: http.MethodGet, Path: "/admin/jobs/metrics",
		Summary: "How many jobs ran, and how fast", Description: "Minute by minute, of all processes; what a process measured is visible after a few seconds, and for a day.",
		Access: authz.Administrator(),
	}, s.handleMetrics)
}

func (s *Service) changeJobRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "ops.retry_job", Method: http.MethodPost, Path: "/admin/jobs/{job}/retry",
		Summary: "Let a job run again now", Description: "One that is dead, was cancelled, or waits for its time; one that completed runs once more. A dead one gets one attempt.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{jobs.ErrRunning},
	}, s.handleRetryJob)

	web.Handle(r, web.Op{
		ID: "ops.cancel_job", Method: http.MethodPost, Path: "/admin/jobs/{job}/cancel",
		Summary: "Stop a job", Description: "One that is running is told to stop: `cancel_requested`.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{jobs.ErrFinished},
	}, s.handleCancelJob)

	web.Handle(r, web.Op{
		ID: "ops.delete_job", Method: http.MethodDelete, Path: "/admin/jobs/{job}", Status: http.StatusNoContent,
		Summary: "Remove a job", Description: "It will never run, and nothing is kept of it but the event.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{jobs.ErrRunning},
	}, s.handleDeleteJob)

	web.Handle(r, web.Op{
		ID: "ops.retry_dead_jobs", Method: http.MethodPost, Path: "/admin/dead-jobs/retry",
		Summary: "Let dead jobs run again", Description: "All, or those of a kind. Each gets one attempt.",
		Access: authz.Administrator(),
	}, s.handleRetryDead)
}

func (s *Service) queueRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "ops.list_queues", Method: http.MethodGet, Path: "/admin/queues",
		Summary: "List queues", Description: "By name, with what waits in them.",
		Access: authz.Administrator(),
	}, s.handleListQueues)

	web.Handle(r, web.Op{
		ID: "ops.pause_queue", Method: http.MethodPost, Path: "/admin/queues/{queue}/pause",
		Summary: "Pause a queue", Description: "Within two seconds no process begins a job of it; those that run go on. Jobs are enqueued as before. It stays paused until it is resumed, also when processes start anew.",
		Access: authz.Administrator(),
	}, s.handlePause)

	web.Handle(r, web.Op{
		ID: "ops.resume_queue", Method: http.MethodPost, Path: "/admin/queues/{queue}/resume",
		Summary: "Let a paused queue go on",
		Access:  authz.Administrator(),
	}, s.handleResume)
}

func (s *Service) scheduleRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "ops.list_schedules", Method: http.MethodGet, Path: "/admin/schedules",
		Summary: "List schedules", Description: "By name: what is enqueued again and again, once across all processes.",
		Access: authz.Administrator(),
	}, s.handleListSchedules)

	web.Handle(r, web.Op{
		ID: "ops.run_schedule", Method: http.MethodPost, Path: "/admin/schedules/{schedule}/run", Status: http.StatusAccepted,
		Summary: "Run a periodic job now", Description: "Beside its own times, which stay as they are.",
		Access: authz.Administrator(),
	}, s.handleRunSchedule)
}

type listJobsInput struct {
	web.Page
	State string `query:"state" enum:"scheduled,available,running,retrying,completed,dead,cancelled"`
	Kind  string `query:"kind" maxLength:"127" doc:"Such as mail.send"`
	Queue string `query:"queue" maxLength:"127"`
	ID    string `query:"id" maxLength:"64" doc:"Of a job; one that is none finds nothing"`
}

// place is where a page of jobs ends.
type place struct {
	ID jobs.ID `json:"id"`
}

// JobInput names a job in the path.
type JobInput struct {
	Job string `path:"job" doc:"Job id" example:"job_184467"`
}

// with runs a verb on the job; what is no id is no job.
func with[T any](ctx context.Context, in *JobInput, verb func(context.Context, jobs.ID) (T, error)) (out T, err error) {
	job, err := jobs.ParseID(in.Job)
	if err != nil {
		return out, jobs.ErrNotFound
	}
	return verb(ctx, job)
}

type getJobInput struct {
	JobInput
	Args bool `query:"args" doc:"Show its arguments"`
}

type retryDeadInput struct {
	Body *struct {
		Kind string `json:"kind,omitempty" maxLength:"127" doc:"Absent: of all kinds" example:"mail.send"`
	}
}

type queueInput struct {
	Queue string `path:"queue" doc:"Name of a queue" example:"default"`
}

type scheduleInput struct {
	Schedule string `path:"schedule" doc:"Name of a schedule" example:"ops.sweep"`
}

type metricsInput struct {
	Window string `query:"window" default:"1h" maxLength:"8" doc:"How far to look back, in hours or minutes: from 1m to 24h" example:"1h"`
	Queue  string `query:"queue" maxLength:"127" doc:"Absent: of all queues"`
}

type jobOutput struct{ Body jobs.Job }

type jobDetailOutput struct{ Body jobs.JobDetail }

type metricsOutput struct{ Body jobs.Metrics }

type queueOutput struct{ Body jobs.QueueState }

type retriedOutput struct {
	Body struct {
		Count int64 `json:"count" doc:"How many run again"`
	}
}

type queuesOutput struct{ Body web.List[jobs.QueueState] }

type schedulesOutput struct{ Body web.List[jobs.Schedule] }

func (s *Service) handleListJobs(ctx context.Context, in *listJobsInput) (*web.ListOutput[jobs.Job], error) {
	f := jobs.Filter{State: jobs.State(in.State), Kind: in.Kind, Queue: in.Queue}
	if in.ID != "" {
		var err error
		if f.ID, err = jobs.ParseID(in.ID); err != nil {
			return &web.ListOutput[jobs.Job]{Body: web.List[jobs.Job]{Items: []jobs.Job{}}}, nil
		}
	}
	return web.Paged(ctx, in.Page, func(after *place, n int) ([]jobs.Job, error) {
		if after == nil {
			after = &place{}
		}
		return s.Jobs.List(ctx, f, after.ID, n)
	}, func(j jobs.Job) place { return place{j.ID} })
}

func (s *Service) handleGetJob(ctx context.Context, in *getJobInput) (*jobDetailOutput, error) {
	d, err := with(ctx, &in.JobInput, func(ctx context.Context, job jobs.ID) (jobs.JobDetail, error) {
		return s.Jobs.Detail(ctx, job, in.Args)
	})
	return &jobDetailOutput{d}, err
}

func (s *Service) handleMetrics(ctx context.Context, in *metricsInput) (*metricsOutput, error) {
	window, err := time.ParseDuration(in.Window)
	if err != nil || window < time.Minute || window > 24*time.Hour {
		return nil, ErrWindow
	}
	m, err := s.Jobs.Metrics(ctx, window, in.Queue)
	return &metricsOutput{m}, err
}

func (s *Service) handleRetryJob(ctx context.Context, in *JobInput) (*jobOutput, error) {
	j, err := with(ctx, in, s.RetryJob)
	return &jobOutput{j}, err
}

func (s *Service) handleCancelJob(ctx context.Context, in *JobInput) (*jobOutput, error) {
	j, err := with(ctx, in, s.CancelJob)
	return &jobOutput{j}, err
}

func (s *Service) handleDeleteJob(ctx context.Context, in *JobInput) (*web.Empty, error) {
	_, err := with(ctx, in, s.DeleteJob)
	return nil, err
}

func (s *Service) handleRetryDead(ctx context.Context, in *retryDeadInput) (*retriedOutput, error) {
	kind := ""
	if in.Body != nil {
		kind = in.Body.Kind
	}
	n, err := s.RetryDeadJobs(ctx, kind)
	out := &retriedOutput{}
	out.Body.Count = n
	return out, err
}

func (s *Service) handleListQueues(ctx context.Context, _ *web.Empty) (*queuesOutput, error) {
	all, err := s.Jobs.Queues(ctx)
	return &queuesOutput{web.List[jobs.QueueState]{Items: all}}, err
}

func (s *Service) handlePause(ctx context.Context, in *queueInput) (*queueOutput, error) {
	q, err := s.PauseQueue(ctx, in.Queue)
	return &queueOutput{q}, err
}

func (s *Service) handleResume(ctx context.Context, in *queueInput) (*queueOutput, error) {
	q, err := s.ResumeQueue(ctx, in.Queue)
	return &queueOutput{q}, err
}

func (s *Service) handleListSchedules(ctx context.Context, _ *web.Empty) (*schedulesOutput, error) {
	all, err := s.Jobs.Schedules(ctx)
	return &schedulesOutput{web.List[jobs.Schedule]{Items: all}}, err
}

func (s *Service) handleRunSchedule(ctx context.Context, in *scheduleInput) (*jobOutput, error) {
	j, err := s.RunSchedule(ctx, in.Schedule)
	return &jobOutput{j}, err
}

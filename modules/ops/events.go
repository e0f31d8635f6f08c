package ops

import (
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/jobs"
)

// AboutJob is the job that an event is about.
type AboutJob struct {
	JobID jobs.ID `json:"job_id"`
	Job   string  `json:"job"` // its kind
}

// Scope says that the event belongs to the installation.
func (AboutJob) Scope() jobs.Scope { return jobs.OnPlatform(operating) }

// AboutQueue is the queue that an event is about.
type AboutQueue struct {
	Queue string `json:"queue"`
}

// Scope says that the event belongs to the installation.
func (AboutQueue) Scope() jobs.Scope { return jobs.OnPlatform(operating) }

const operating = "the work of the installation, of no tenant alone"

// JobRetried says that somebody let a job run again.
type JobRetried struct{ AboutJob }

// JobCancelled says that somebody stopped a job.
type JobCancelled struct{ AboutJob }

// JobDeleted says that somebody removed a job.
type JobDeleted struct{ AboutJob }

// DeadJobsRetried says that somebody let dead jobs run again; of one kind, or of all when
// Job is empty.
type DeadJobsRetried struct {
	Job   string `json:"job"`
	Count int64  `json:"count"`
}

// QueuePaused says that somebody paused a queue.
type QueuePaused struct{ AboutQueue }

// QueueResumed says that somebody let a queue go on.
type QueueResumed struct{ AboutQueue }

// ScheduleRun says that somebody enqueued a periodic job by hand.
type ScheduleRun struct {
	AboutJob
	Schedule string `json:"schedule"`
}

// Kind names the event.
func (JobRetried) Kind() string { return "ops.job_retried" }

// Kind names the event.
func (JobCancelled) Kind() string { return "ops.job_cancelled" }

// Kind names the event.
func (JobDeleted) Kind() string { return "ops.job_deleted" }

// Kind names the event.
func (DeadJobsRetried) Kind() string { return "ops.dead_jobs_retried" }

// Scope says that the event belongs to the installation.
func (DeadJobsRetried) Scope() jobs.Scope { return jobs.OnPlatform(operating) }

// Kind names the event.
func (QueuePaused) Kind() string { return "ops.queue_paused" }

// Kind names the event.
func (QueueResumed) Kind() string { return "ops.queue_resumed" }

// Kind names the event.
func (ScheduleRun) Kind() string { return "ops.schedule_run" }

func aboutJob(j jobs.Job) AboutJob { return AboutJob{j.ID, j.Kind} }

func targetJob(j jobs.Job) audit.Target {
	return audit.Target{Kind: "job", ID: j.ID.String(), Name: j.Kind}
}

func targetQueue(name string) audit.Target {
	return audit.Target{Kind: "queue", ID: name, Name: name}
}

// Package ops is what operators and developers look at: health, jobs, and the API reference.
//
// Owns:        nothing
// Permissions: none
// Publishes:   ops.job_retried, ops.job_cancelled, ops.job_deleted, ops.dead_jobs_retried, ops.queue_paused, ops.queue_resumed, ops.schedule_run
// Jobs:        ops.sweep, ops.reseal
// Calls:       audit
//
// Anyone may ask how the process is, so the answers say little, and asking often
// costs little: what was found out is shared for a second.
package ops

package ops

import (
	"time"

	"github.com/tenonhq/tenon/platform/errs"
)

// ErrWindow refuses a window that metrics are not kept for.
var ErrWindow = errs.New(errs.Invalid, "ops.window_invalid", "Give a window from 1m to 24h, such as 90m.").On("query.window")

// Status is how something is.
type Status string

// The answers.
const (
	OK          Status = "ok"
	Degraded    Status = "degraded"    // it works, with less than it should have
	Unavailable Status = "unavailable" // it does not work
	Off         Status = "off"         // there is none, and none is needed
)

// Health is how the process and what it depends on are.
type Health struct {
	Status Status `json:"status" enum:"ok,degraded,unavailable" doc:"The worst that matters: without its cache the service is degraded, without its database unavailable"`
	Checks Checks `json:"checks"`
}

// Checks are the parts of a Health.
type Checks struct {
	Database Status `json:"database" enum:"ok,unavailable"`
	Cache    Status `json:"cache" enum:"ok,degraded" doc:"degraded: Redis does not answer, and each process uses what it knows itself"`
}

// Database is how the database is.
type Database struct {
	Status    Status  `json:"status" enum:"ok,unavailable"`
	LatencyMS float64 `json:"latency_ms" doc:"How long it took to answer, or not to, in milliseconds" example:"0.412"`
}

// finding is what one look at the dependencies found.
type finding struct {
	database Status
	latency  time.Duration
	cache    Status
}

func (f finding) health() Health {
	h := Health{Status: OK, Checks: Checks{Database: f.database, Cache: f.cache}}
	switch {
	case f.database != OK:
		h.Status = Unavailable
	case f.cache != OK:
		h.Status = Degraded
	}
	return h
}

func (f finding) databaseOnly() Database {
	return Database{Status: f.database, LatencyMS: float64(f.latency.Microseconds()) / 1000}
}

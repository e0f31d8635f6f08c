package audit

import (
	"context"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// MakePartitions makes the partitions of the coming months.
type MakePartitions struct{}

// Kind names the job.
func (MakePartitions) Kind() string { return "audit.make_partitions" }

// Scope says whose rows the job works on.
func (MakePartitions) Scope() jobs.Scope { return jobs.OnPlatform("partitions hold all tenants") }

func (s *Service) makePartitions(ctx context.Context, c db.Conn, _ MakePartitions) error {
	return makePartitions(ctx, c)
}

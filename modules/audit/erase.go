package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/tenonhq/tenon/platform/db"
)

// eraseWindow is how much of the log one statement looks through: nothing finds events
// by the person they are about, and a statement must not take long.
const eraseWindow = 7 * 24 * time.Hour

// erase removes the details of every event that names a person: as actor, as target, or
// as the one for whom somebody acted. The events stay, with ids that name no one.
func (s *Service) erase(ctx context.Context, c db.Conn, p db.Person) error {
	from, err := firstEvent(ctx, c)
	if err != nil {
		return fmt.Errorf("find the first event: %w", err)
	}
	// Events may be a moment ahead of this node's clock.
	for end := s.Now().Add(time.Hour); !from.IsZero() && from.Before(end); from = from.Add(eraseWindow) {
		if err := eraseDetails(ctx, c, p, from, from.Add(eraseWindow)); err != nil {
			return fmt.Errorf("erase details of events: %w", err)
		}
	}
	return nil
}

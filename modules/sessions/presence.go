package sessions

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/platform/id"
)

// Presence is what is known of when somebody was here. What an administrator did as them
// does not count.
type Presence struct {
	Sessions     int
	LastSignInAt *time.Time // by a device that is still remembered
	LastActiveAt *time.Time // to the minute, in a session that still exists
}

// Presences returns the presence of each account, in two statements.
func (s *Service) Presences(ctx context.Context, people ...id.Account) (map[id.Account]Presence, error) {
	found := map[id.Account]Presence{}
	if len(people) == 0 {
		return found, nil
	}
	c := s.DB.Platform("administrators see when people were here")
	err := countLive(ctx, c, people, s.Now(), s.Config.Idle, func(account id.Account, live int, active time.Time) {
		found[account] = Presence{Sessions: live, LastActiveAt: &active}
	})
	if err != nil {
		return nil, err
	}
	err = lastSignIns(ctx, c, people, func(account id.Account, at time.Time) {
		p := found[account]
		p.LastSignInAt = &at
		found[account] = p
	})
	return found, err
}

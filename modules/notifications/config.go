package notifications

import (
	"fmt"
	"time"
)

// Config says when letters are gathered.
type Config struct {
	// DigestAt is when the daily letters are written, in UTC; 07:00 unless set.
	DigestAt string `env:"TENON_NOTIFICATIONS_DIGEST_AT"`
}

// Check completes the configuration and refuses what makes no sense.
func (c *Config) Check() error {
	if c.DigestAt == "" {
		c.DigestAt = "07:00"
	}
	if _, err := time.Parse("15:04", c.DigestAt); err != nil {
		return fmt.Errorf("TENON_NOTIFICATIONS_DIGEST_AT must be a time of the day such as 07:00, not %q", c.DigestAt)
	}
	return nil
}

// cron is DigestAt as a schedule says it.
func (c Config) cron() string {
	at, _ := time.Parse("15:04", c.DigestAt) // Check has read it
	return fmt.Sprintf("%d %d * * *", at.Minute(), at.Hour())
}

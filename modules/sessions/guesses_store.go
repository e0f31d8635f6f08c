package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/tenonhq/tenon/platform/db"
)

// countGuess counts one guess and returns how many there were, or how long the next
// one has to wait: of many at once each gets a number of its own, in one statement.
func countGuess(ctx context.Context, c db.Conn, key guessKey, now time.Time) (n int, wait time.Duration, err error) {
	args := []any{key[:], now, now.Add(-forgetGuesses)}
	for _, d := range guessDelays() {
		args = append(args, now.Add(d))
	}
	n, err = db.One(ctx, c, db.Scalar[int], `
		INSERT INTO session_guesses (guess_key, failures, wait_until, last_at) VALUES ($1, 1, $2, $2)
		ON CONFLICT (guess_key) DO UPDATE SET last_at = $2,
			failures = CASE WHEN session_guesses.last_at < $3 THEN 1 ELSE session_guesses.failures + 1 END,
			wait_until = CASE WHEN session_guesses.last_at < $3 OR session_guesses.failures < 9 THEN $2
				WHEN session_guesses.failures = 9 THEN $4 WHEN session_guesses.failures = 10 THEN $5 WHEN session_guesses.failures = 11 THEN $6
				WHEN session_guesses.failures = 12 THEN $7 WHEN session_guesses.failures = 13 THEN $8 ELSE $9 END
		WHERE session_guesses.wait_until <= $2
		RETURNING failures`, args...)
	if !errors.Is(err, db.ErrNoRows) {
		return n, 0, err
	}
	until, err := db.One(ctx, c, db.Scalar[time.Time], `SELECT wait_until FROM session_guesses WHERE guess_key = $1`, key[:])
	if errors.Is(err, db.ErrNoRows) {
		return 0, time.Second, nil // the right answer came in between
	}
	return 0, max(time.Second, until.Sub(now)), err
}

// uncountGuess takes back a guess that was not looked at.
func uncountGuess(ctx context.Context, c db.Conn, key guessKey, now time.Time) error {
	_, err := c.Exec(ctx, `UPDATE session_guesses SET failures = failures - 1, wait_until = $2 WHERE guess_key = $1 AND failures > 0`, key[:], now)
	return err
}

func forgetGuess(ctx context.Context, c db.Conn, key guessKey) error {
	_, err := c.Exec(ctx, `DELETE FROM session_guesses WHERE guess_key = $1`, key[:])
	return err
}

func deleteOldGuesses(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM session_guesses WHERE last_at < $1`, before)
}

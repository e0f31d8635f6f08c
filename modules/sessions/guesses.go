package sessions

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/mail"
)

// Whoever guesses passwords or codes of one account has freeGuesses; each further one
// has to wait longer, up to the last of guessDelays, and no longer: nobody can lock an
// owner out for good. Browsers that the account signed in with before are counted by
// themselves, so its owner does not even notice. The counts lie in the database: they
// hold on every node, and after a restart. They are forgotten after forgetGuesses, or
// with the right answer.
const (
	freeGuesses   = 10
	forgetGuesses = 24 * time.Hour
)

func guessDelays() [6]time.Duration {
	return [...]time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}
}

// guessKey is what guesses are counted by. It holds nothing readable.
type guessKey [32]byte

func guessOf(what, whose string) guessKey { return sha256.Sum256([]byte(what + "\x00" + whose)) }

// Factor is the key of all guesses of an account's second factors together, whatever
// operation takes them.
func Factor(a accounts.Account) guessKey { return guessOf("factor", a.ID.String()) }

// Guess lets check look at one guess. It is counted before it is looked at, so that
// many at once do not pass together, and forgotten if it was right or could not be
// looked at. ErrTooMany says that it was not even looked at. It must stand outside of
// transactions: a failure is to stay counted.
func (s *Service) Guess(ctx context.Context, key guessKey, a accounts.Account, check func() (bool, error)) (bool, error) {
	if s.Limits.Off() {
		return check()
	}
	c, now := s.DB.Platform("guesses are counted before anyone is signed in"), s.Now()
	n, wait, err := countGuess(ctx, c, key, now)
	if err != nil {
		return false, err
	}
	if wait > 0 {
		return false, ErrTooMany.After(wait)
	}
	ok, err := check()
	switch {
	case err != nil:
		if lost := uncountGuess(ctx, c, key, now); lost != nil {
			s.Log.WarnContext(ctx, "take back a guess", "err", lost)
		}
		return false, err
	case ok:
		return true, forgetGuess(ctx, c, key)
	case n == freeGuesses && !a.ID.IsZero():
		s.tellOfGuesses(ctx, a)
	}
	return false, nil
}

// tellOfGuesses writes to the owner, once in a series. What fails here is logged: the
// answer to a guess does not depend on it.
func (s *Service) tellOfGuesses(ctx context.Context, a accounts.Account) {
	err := s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		return s.Post.Enqueue(ctx, tx, mail.Letter{To: a.Email, Name: "guessing", Locale: a.Locale,
			Data: map[string]any{"Name": a.Name, "Count": freeGuesses, "URL": s.PublicURL() + "/forgot-password"}})
	})
	if err != nil {
		s.Log.WarnContext(ctx, "tell an owner of guesses", "err", err)
	}
}

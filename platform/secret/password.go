package secret

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/tenonhq/tenon/platform/errs"
)

// ErrBusy is the answer while more passwords wait to be checked than the machine can.
var ErrBusy = errs.New(errs.Unavailable, "auth.busy", "Too many people are signing in right now. Try again in a moment.").After(2 * time.Second)

// Passwords hashes and verifies passwords, one fewer at once than there are cores: a
// storm of sign-ins leaves a core for everybody else. Others wait in a bounded queue,
// so that a storm costs no memory either.
type Passwords struct {
	turns   chan *argonMemory // one for each hash that may be made at once
	waiting atomic.Int64
	queue   int64
	params  *argon2id.Params
	dummy   string
}

// NewPasswords returns a hasher with the parameters of OWASP's password storage
// cheat sheet: argon2id (RFC 9106), 19 MiB, two passes, one lane.
func NewPasswords() *Passwords {
	p := &Passwords{
		turns:  make(chan *argonMemory, max(1, runtime.GOMAXPROCS(0)-1)),
		queue:  100,
		params: &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		// The hash of nothing anyone knows: verified when there is no account, to cost the same time.
		dummy: "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$r4nD0mr4nD0mr4nD0mr4nD0mr4nD0mr4nD0mr4nD0mA",
	}
	for range cap(p.turns) {
		p.turns <- &argonMemory{}
	}
	return p
}

// Cheap makes hashes cost next to nothing, and stop nobody who guesses. It takes a test, because it
// is for tests of everything else: nearly each of them signs somebody in.
func (p *Passwords) Cheap(test interface {
	Helper()
	Failed() bool
}) {
	test.Helper()
	cheap := *p.params
	cheap.Memory, cheap.Iterations = 8, 1
	p.params, p.dummy = &cheap, encodeHash(&cheap, make([]byte, cheap.SaltLength), make([]byte, cheap.KeyLength))
}

// Hash makes the hash to store of a password.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	var hash string
	err := p.inTurn(ctx, func(m *argonMemory) error {
		salt := make([]byte, p.params.SaltLength)
		rand.Read(salt) // never fails
		hash = encodeHash(p.params, salt, m.hash(password, salt, p.params))
		return nil
	})
	return hash, err
}

// encodeHash writes a hash as the reference implementation of Argon2 does.
func encodeHash(o *argon2id.Params, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, o.Memory, o.Iterations, o.Parallelism, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// Verify compares a password with a stored hash: argon2id, or bcrypt from an
// imported user base. stale says that the hash should be made again. An empty hash
// belongs to nobody; it takes as long and never matches.
func (p *Passwords) Verify(ctx context.Context, hash, password string) (ok, stale bool, err error) {
	nobody := hash == ""
	if nobody {
		hash = p.dummy
	}
	err = p.inTurn(ctx, func(m *argonMemory) error {
		if strings.HasPrefix(hash, "$2") {
			ok, err = verifyBcrypt(hash, password)
			stale = true
			return err
		}
		params, salt, key, err := argon2id.DecodeHash(hash)
		if err != nil {
			return err
		}
		if params.Iterations < 1 || params.Parallelism < 1 || len(key) == 0 {
			return argon2id.ErrInvalidHash
		}
		ok = subtle.ConstantTimeCompare(key, m.hash(password, salt, params)) == 1
		stale = params.Memory != p.params.Memory || params.Iterations != p.params.Iterations
		return nil
	})
	if err != nil {
		return false, false, err
	}
	// Not a short cut: both outcomes of the comparison were computed above.
	ok = ok && subtle.ConstantTimeByteEq(boolByte(nobody), 0) == 1
	return ok, ok && stale, nil
}

// verifyBcrypt hashes what bcrypt itself looks at: the first 72 bytes.
func verifyBcrypt(hash, password string) (bool, error) {
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password[:min(len(password), 72)]))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil, err
}

func boolByte(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func (p *Passwords) inTurn(ctx context.Context, fn func(*argonMemory) error) error {
	if p.waiting.Add(1) > p.queue {
		p.waiting.Add(-1)
		return ErrBusy
	}
	select {
	case m := <-p.turns:
		p.waiting.Add(-1)
		defer func() { p.turns <- m }()
		return fn(m)
	case <-ctx.Done():
		p.waiting.Add(-1)
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
}

package secret

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/tenonhq/tenon/platform/errs"
)

// The memory is used again, also for other parameters; the hash is the library's.
func TestHashesAreThoseOfTheLibrary(t *testing.T) {
	var m argonMemory
	for range 3 {
		for _, o := range []struct {
			time, memory, keyLen uint32
			threads              uint8
		}{{2, 19 * 1024, 32, 1}, {1, 64, 16, 4}, {3, 1, 64, 2}, {1, 33, 100, 1}} {
			password, salt := []byte(rand.Text()), []byte(rand.Text())
			want := argon2.IDKey(password, salt, o.time, o.memory, o.threads, o.keyLen)
			if got := m.key(password, salt, o.time, o.memory, o.threads, o.keyLen); !bytes.Equal(got, want) {
				t.Errorf("%+v: %x, want %x", o, got, want)
			}
		}
	}
}

func TestPasswordsAreHashedAsOWASPAsks(t *testing.T) {
	p := NewPasswords()
	hash, err := p.Hash(t.Context(), "correct horse")
	must(t, err)
	again, err := p.Hash(t.Context(), "correct horse")
	must(t, err)
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || hash == again {
		t.Errorf("hashes %s and %s", hash, again)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horse ": false, "Correct horse": false, "": false} {
		if ok, stale, err := p.Verify(t.Context(), hash, password); ok != want || stale || err != nil {
			t.Errorf("%q: %v, stale %v, %v", password, ok, stale, err)
		}
	}
	// Passwords that differ only far behind are not interchangeable (bcrypt looks at 72 bytes).
	long := strings.Repeat("x", 72)
	if hash, err = p.Hash(t.Context(), long+"tail"); err != nil {
		t.Fatal(err)
	}
	if ok, _, err := p.Verify(t.Context(), hash, long+"other"); ok || err != nil {
		t.Errorf("another tail is accepted, %v", err)
	}
}

func TestCheapHashesAreHashesAndNobodysIsNone(t *testing.T) {
	p := NewPasswords()
	p.Cheap(t)
	hash, err := p.Hash(t.Context(), "correct horse")
	must(t, err)
	for password, want := range map[string]bool{"correct horse": true, "wrong horse": false} {
		ok, stale, err := p.Verify(t.Context(), hash, password)
		must(t, err)
		if ok != want || stale {
			t.Errorf("%s: ok %v, stale %v", password, ok, stale)
		}
		if ok, _, err := p.Verify(t.Context(), "", password); ok || err != nil {
			t.Errorf("%s of nobody: %v, %v", password, ok, err)
		}
	}
}

func TestImportedAndWeakerHashesVerifyAndAreToBeMadeAgain(t *testing.T) {
	p := NewPasswords()
	imported, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	must(t, err)
	for name, hash := range map[string]string{
		"bcrypt":       string(imported),
		"php's bcrypt": strings.Replace(string(imported), "$2a$", "$2y$", 1),
		// argon2 -id -t 1 -m 10 -p 1 of "correct horse", made with the parameters of another product
		"argon2id with less memory": weaker(t, "correct horse"),
	} {
		if ok, stale, err := p.Verify(t.Context(), hash, "correct horse"); !ok || !stale || err != nil {
			t.Errorf("%s: %v, stale %v, %v", name, ok, stale, err)
		}
		if ok, stale, err := p.Verify(t.Context(), hash, "wrong horse"); ok || stale || err != nil {
			t.Errorf("%s, wrong: %v, stale %v, %v", name, ok, stale, err)
		}
	}
	if ok, _, err := p.Verify(t.Context(), "nonsense", "x"); ok || err == nil {
		t.Error("a hash that is none verifies, or is no error")
	}
}

func weaker(t *testing.T, password string) string {
	t.Helper()
	p := NewPasswords()
	p.params.Memory, p.params.Iterations = 1024, 1
	hash, err := p.Hash(t.Context(), password)
	must(t, err)
	return hash
}

func TestNobodysPasswordTakesAsLongAndNeverMatches(t *testing.T) {
	p := NewPasswords()
	hash, err := p.Hash(t.Context(), "correct horse")
	must(t, err)
	takes := func(hash string) time.Duration {
		began := time.Now()
		if ok, _, err := p.Verify(t.Context(), hash, "wrong horse"); ok || err != nil {
			t.Fatal(ok, err)
		}
		return time.Since(began)
	}
	// In turns, and the best of each: other work may hold up either.
	somebody, nobody := time.Hour, time.Hour
	for range 40 {
		somebody, nobody = min(somebody, takes(hash)), min(nobody, takes(""))
	}
	if ratio := float64(nobody) / float64(somebody); ratio < 0.7 || ratio > 1.4 {
		t.Errorf("nobody's takes %v, somebody's %v", nobody, somebody)
	}
}

// J06: hashes run one fewer at once than there are cores, a bounded number wait, and the rest are told to come back.
func TestAStormOfPasswordsIsBounded(t *testing.T) {
	p := NewPasswords()
	p.queue = 3
	release, running := make(chan struct{}), make(chan struct{}, 1000)
	var all sync.WaitGroup
	for range cap(p.turns) {
		all.Go(func() {
			_ = p.inTurn(t.Context(), func(*argonMemory) error { running <- struct{}{}; <-release; return nil })
		})
	}
	for range cap(p.turns) {
		<-running
	}
	waiting := make(chan error, 3)
	for range 3 {
		all.Go(func() {
			_, err := p.Hash(t.Context(), "patient")
			waiting <- err
		})
	}
	for p.waiting.Load() < 3 {
		runtime.Gosched()
	}
	began := time.Now()
	_, err := p.Hash(t.Context(), "one too many")
	_, _, verr := p.Verify(t.Context(), "", "one too many")
	for _, err := range []error{err, verr} {
		if !errors.Is(err, ErrBusy) || errs.KindOf(err) != errs.Unavailable || time.Since(began) > 500*time.Millisecond {
			t.Errorf("one too many got %v after %v", err, time.Since(began))
		}
	}
	close(release)
	for range 3 {
		must(t, <-waiting)
	}
	all.Wait()
	if _, err := p.Hash(t.Context(), "later"); err != nil {
		t.Errorf("after the storm: %v", err)
	}
}

func TestWhoLeavesTheQueueFreesTheirPlace(t *testing.T) {
	p := NewPasswords()
	p.queue = 1
	for range cap(p.turns) {
		<-p.turns
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		if _, err := p.Hash(gone, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("it returned %v", err)
		}
	}
}

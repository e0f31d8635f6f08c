package secret

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest/servers"
)

const testRoot = "for tests alone 8fK2pLq0vXw7Zr4T"

// each runs fn on a migrated SQLite and on a migrated PostgreSQL database.
func each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			url := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
			if dialect == db.Postgres {
				url = servers.Postgres(t).Database(t, "secret", func(url string) error { migrated(t, url).Close(); return nil })
			}
			fn(t, migrated(t, url))
		})
	}
}

func migrated(t *testing.T, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url, MaxConns: 8})
	must(t, err)
	t.Cleanup(d.Close)
	must(t, d.Migrate(t.Context(), db.Config{}, []db.Schema{Schema()}))
	return d
}

func ring(t *testing.T, d *db.DB, now clock.Now) *Keyring {
	t.Helper()
	k := NewKeyring(d, []byte(testRoot), now)
	must(t, k.Load(t.Context()))
	return k
}

// oneRing is a loaded ring where the database does not matter.
func oneRing(t *testing.T, now clock.Now) *Keyring {
	t.Helper()
	return ring(t, migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db")), now)
}

func TestWhatIsSealedOpensOnlyWhereItBelongs(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		k := ring(t, d, clock.System)
		plain := []byte("the secret of row 1")
		sealed, err := k.Seal("mfa", "totp/1", plain)
		must(t, err)
		again, err := k.Seal("mfa", "totp/1", plain)
		must(t, err)
		if bytes.Equal(sealed, again) || bytes.Contains(sealed, plain) {
			t.Error("a sealed value tells what it holds")
		}
		got, stale, err := k.Open("mfa", "totp/1", sealed)
		if err != nil || stale || !bytes.Equal(got, plain) {
			t.Errorf("opened to %q, %v, %v", got, stale, err)
		}
		// B14: a value that was copied to another row, or is used for something else.
		for _, place := range [][2]string{{"mfa", "totp/2"}, {"webhooks", "totp/1"}, {"mfa", ""}, {"", "totp/1"}} {
			if _, _, err := k.Open(place[0], place[1], sealed); !errors.Is(err, ErrSealed) {
				t.Errorf("it opened as %v: %v", place, err)
			}
		}
		for i := range sealed {
			broken := slices.Clone(sealed)
			broken[i] ^= 1
			if _, _, err := k.Open("mfa", "totp/1", broken); !errors.Is(err, ErrSealed) {
				t.Fatalf("it opened with byte %d changed: %v", i, err)
			}
			if _, _, err := k.Open("mfa", "totp/1", sealed[:i]); !errors.Is(err, ErrSealed) {
				t.Fatalf("the first %d bytes of it opened: %v", i, err)
			}
		}
	})
}

func TestATagIsGoodForItsPurposeAndDataOnly(t *testing.T) {
	k := oneRing(t, clock.System)
	tag, err := k.MAC("cursor", []byte("data"))
	must(t, err)
	if !k.CheckMAC("cursor", []byte("data"), tag) {
		t.Error("a good tag is refused")
	}
	broken := slices.Clone(tag)
	broken[len(broken)-1] ^= 1
	for name, ok := range map[string]bool{
		"another purpose": k.CheckMAC("refresh", []byte("data"), tag), "other data": k.CheckMAC("cursor", []byte("data "), tag),
		"a changed tag": k.CheckMAC("cursor", []byte("data"), broken), "half a tag": k.CheckMAC("cursor", []byte("data"), tag[:10]),
		"no tag": k.CheckMAC("cursor", []byte("data"), nil), "another key": k.CheckMAC("cursor", []byte("data"), append([]byte{0, 0, 0, 9}, tag[4:]...)),
	} {
		if ok {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestANewKeyIsUsedWhenEveryProcessHasIt(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		now := clock.NewManual(time.Now())
		here, there := ring(t, d, now.Now), ring(t, d, now.Now)
		old, err := here.Seal("test", "row", []byte("old"))
		must(t, err)
		oldTag, err := here.MAC("test", []byte("data"))
		must(t, err)
		must(t, errors.Join(here.Rotate(t.Context(), Encryption), here.Rotate(t.Context(), Signing)))
		// The other process has not looked yet, and must be able to read what is made here.
		early, err := here.Seal("test", "row", []byte("early"))
		must(t, err)
		if _, _, err := there.Open("test", "row", early); err != nil {
			t.Errorf("a process that has not loaded the new key: %v", err)
		}
		now.Advance(Settle)
		must(t, errors.Join(here.Load(t.Context()), there.Load(t.Context())))
		late, err := here.Seal("test", "row", []byte("late"))
		must(t, err)
		if bytes.Equal(late[:4], early[:4]) {
			t.Error("after a while the new key is still not used")
		}
		for name, sealed := range map[string][]byte{"old": old, "early": early, "late": late} {
			plain, stale, err := there.Open("test", "row", sealed)
			if err != nil || string(plain) != name || stale != (name != "late") {
				t.Errorf("%s opens to %q, stale %v, %v", name, plain, stale, err)
			}
		}
		if !there.CheckMAC("test", []byte("data"), oldTag) {
			t.Error("a tag of the old key is refused")
		}
		uses := map[Use]int{}
		for _, key := range there.Keys() {
			uses[key.Use]++
			if key.material != ([32]byte{}) {
				t.Error("the list of keys holds their material")
			}
			if key.Current != (key.ID == 2) {
				t.Errorf("key %d of %s: current is %v", key.ID, key.Use, key.Current)
			}
		}
		if uses[Encryption] != 2 || uses[Signing] != 2 {
			t.Errorf("the ring holds %v", uses)
		}
	})
}

func TestAnotherRootSecretOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		ring(t, d, clock.System)
		other := NewKeyring(d, []byte("another root secret, as long as it"), clock.System)
		if err := other.Load(t.Context()); !errors.Is(err, ErrWrongRoot) {
			t.Errorf("it returned %v", err)
		}
		if _, err := other.Seal("test", "row", nil); err == nil {
			t.Error("a ring that is not loaded seals")
		}
	})
}

func TestProcessesThatMakeTheFirstKeysAtOnceAgree(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		rings := make([]*Keyring, 8)
		var all sync.WaitGroup
		for i := range rings {
			rings[i] = NewKeyring(d, []byte(testRoot), clock.System)
			all.Go(func() {
				if err := rings[i].Load(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		sealed, err := rings[0].Seal("test", "row", []byte("shared"))
		must(t, err)
		token, err := rings[0].Sign(good())
		must(t, err)
		for i, k := range rings {
			if len(k.Keys()) != 2 {
				t.Errorf("ring %d holds %v", i, k.Keys())
			}
			if _, _, err := k.Open("test", "row", sealed); err != nil {
				t.Errorf("ring %d: %v", i, err)
			}
			if _, err := k.Verify(token, issuer, issuer, time.Now()); err != nil {
				t.Errorf("ring %d: %v", i, err)
			}
		}
	})
}

func TestRootSecretsThatCanBeGuessedAreRefused(t *testing.T) {
	for _, root := range []string{"", "short", strings.Repeat("ab", 40), "changeme-changeme-changeme-changeme-1", "0123456789abcdefghijklmnopqrstuvwxyz", "your-secret-here-q8w7e6r5t4z3u2i1o0p"} {
		if CheckRoot(root) == nil {
			t.Errorf("%q is accepted", root)
		}
	}
	folder := t.TempDir()
	root, err := DevelopmentRoot(folder)
	must(t, err)
	again, err := DevelopmentRoot(folder)
	if err != nil || root != again || CheckRoot(root) != nil {
		t.Errorf("development: %q, then %q, %v, %v", root, again, err, CheckRoot(root))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

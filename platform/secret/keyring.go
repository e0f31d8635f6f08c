// Package secret keeps keys and makes tokens and password hashes.
//
// Owns: table secret_keys. Each node key lives in the database wrapped by the root
// secret, which comes from the environment. Purposes are separated by HKDF labels;
// what is sealed is bound to the identity of its row.
package secret

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
)

//go:embed migrations
var migrations embed.FS

// Schema is the table of the keyring.
func Schema() db.Schema {
	return db.Schema{Name: "secret", FS: migrations, Tables: []db.Table{
		{Name: "secret_keys", Scope: db.ByPlatform, Life: db.Retain("holds no personal data", 0)},
	}}
}

// Use is what a key is for.
type Use string

// The uses of keys.
const (
	Encryption Use = "encryption" // seals fields, signs cursors and refresh tokens
	Signing    Use = "signing"    // signs access tokens, Ed25519
)

// Key is one key of the ring, without its material.
type Key struct {
	ID        uint32    `json:"id"`
	Use       Use       `json:"use"`
	CreatedAt time.Time `json:"created_at"`
	Current   bool      `json:"current"` // new work uses it; older keys still open and verify

	material [32]byte
	signer   ed25519.PrivateKey // of a signing key; to derive it costs as much as a signature
}

// Keyring holds the keys of an installation.
type Keyring struct {
	db   *db.DB
	root []byte
	now  clock.Now

	mu      sync.RWMutex
	keys    []Key // of all uses, oldest first
	derived map[string][]byte
}

// ErrWrongRoot reports that the keys were wrapped by another root secret.
var ErrWrongRoot = errors.New("the root secret does not open this database's keys: set TENON_ROOT_SECRET to the one it was created with")

// NewKeyring returns a ring that is empty until Load.
func NewKeyring(d *db.DB, root []byte, now clock.Now) *Keyring {
	return &Keyring{db: d, root: root, now: now, derived: map[string][]byte{}}
}

// Load reads the keys, and makes the first of each use. It is called again now and
// then to learn of keys that another process made.
func (k *Keyring) Load(ctx context.Context) error {
	keys, err := k.read(ctx)
	if err != nil {
		return err
	}
	for _, use := range []Use{Encryption, Signing} {
		if !slices.ContainsFunc(keys, func(key Key) bool { return key.Use == use }) {
			if err := k.create(ctx, use, 1); err != nil {
				return err
			}
			if keys, err = k.read(ctx); err != nil {
				return err
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
	return nil
}

// Rotate makes a new current key. Older ones go on opening and verifying.
func (k *Keyring) Rotate(ctx context.Context, use Use) error {
	keys, err := k.read(ctx)
	if err != nil {
		return err
	}
	next := uint32(1)
	for _, key := range keys {
		if key.Use == use {
			next = max(next, key.ID+1)
		}
	}
	if err := k.create(ctx, use, next); err != nil {
		return err
	}
	return k.Load(ctx)
}

// Keys lists the ring, oldest first, without key material.
func (k *Keyring) Keys() []Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	list := slices.Clone(k.keys)
	for i := range list {
		list[i].material, list[i].signer = [32]byte{}, nil
	}
	return list
}

func (k *Keyring) read(ctx context.Context) ([]Key, error) {
	type row struct {
		Key
		wrapped []byte
	}
	rows, err := db.All(ctx, k.db.Platform("keys belong to the installation"), func(r db.Row) (row row, err error) {
		err = r.Scan(&row.ID, &row.Use, &row.wrapped, &row.CreatedAt)
		return row, err
	}, `SELECT id, use, wrapped, created_at FROM secret_keys ORDER BY use, id`)
	if err != nil {
		return nil, fmt.Errorf("read the keyring: %w", err)
	}
	keys := make([]Key, len(rows))
	for i, r := range rows {
		plain, err := open(k.rootKey(), r.wrapped, wrapContext(r.Use, r.ID))
		if err != nil || len(plain) != 32 {
			return nil, ErrWrongRoot
		}
		keys[i] = r.Key
		copy(keys[i].material[:], plain)
		if r.Use == Signing {
			keys[i].signer = ed25519.NewKeyFromSeed(plain)
		}
	}
	k.markCurrent(keys)
	return keys, nil
}

// Settle is how long a new key waits before it is used, so that every process has
// loaded it (they do so more often) before the first thing made with it arrives.
const Settle = 30 * time.Second

// markCurrent picks, of each use, the newest key that has settled; else the oldest.
func (k *Keyring) markCurrent(keys []Key) {
	current := map[Use]int{}
	for i, key := range keys {
		if _, any := current[key.Use]; !any || k.now().Sub(key.CreatedAt) >= Settle {
			current[key.Use] = i
		}
	}
	for _, i := range current {
		keys[i].Current = true
	}
}

// Run keeps the ring up to date with keys that other processes made.
func (k *Keyring) Run(ctx context.Context) error {
	tick := time.NewTicker(Settle / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := k.Load(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, db.ErrUnavailable) {
				return err
			}
		}
	}
}

// create stores a fresh key. Two processes may try at once: the first one wins.
func (k *Keyring) create(ctx context.Context, use Use, id uint32) error {
	var material [32]byte
	_, _ = rand.Read(material[:]) // never fails: crypto/rand ends the program instead
	wrapped := seal(k.rootKey(), material[:], wrapContext(use, id))
	_, err := k.db.Platform("keys belong to the installation").Exec(ctx,
		`INSERT INTO secret_keys (id, use, wrapped, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		int64(id), string(use), wrapped, k.now())
	if err != nil {
		return fmt.Errorf("create a key: %w", err)
	}
	return nil
}

func (k *Keyring) rootKey() []byte { return derive(k.root, "tenon/root/wrap") }

func wrapContext(use Use, id uint32) []byte { return fmt.Appendf(nil, "secret_keys/%s/%d", use, id) }

// errNoKey is never shown: it means that Load was not called.
var errNoKey = errors.New("the keyring is not loaded")

func (k *Keyring) current(use Use) (Key, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, key := range k.keys {
		if key.Use == use && key.Current {
			return key, nil
		}
	}
	return Key{}, errNoKey
}

func (k *Keyring) find(use Use, id uint32) (Key, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, key := range k.keys {
		if key.Use == use && key.ID == id {
			return key, true
		}
	}
	return Key{}, false
}

// purposeKey derives, once, the key for one purpose.
func (k *Keyring) purposeKey(key Key, purpose string) []byte {
	name := fmt.Sprintf("%d/%s", key.ID, purpose)
	k.mu.RLock()
	d, ok := k.derived[name]
	k.mu.RUnlock()
	if ok {
		return d
	}
	d = derive(key.material[:], "tenon/"+purpose)
	k.mu.Lock()
	k.derived[name] = d
	k.mu.Unlock()
	return d
}

// ErrSealed reports a sealed value that was altered, moved to another row, or made for another purpose.
var ErrSealed = errors.New("the sealed value does not belong here")

// Seal encrypts plain (XChaCha20-Poly1305) for one purpose and one row: it opens
// nowhere else. row names the row: RowOf.
func (k *Keyring) Seal(purpose, row string, plain []byte) ([]byte, error) {
	key, err := k.current(Encryption)
	if err != nil {
		return nil, err
	}
	sealed := seal(k.purposeKey(key, "seal/"+purpose), plain, []byte(row))
	return append(binary.BigEndian.AppendUint32(nil, key.ID), sealed...), nil
}

// Open decrypts what Seal made. stale says that a newer key should seal it again.
func (k *Keyring) Open(purpose, row string, sealed []byte) (plain []byte, stale bool, err error) {
	if len(sealed) < 4 {
		return nil, false, ErrSealed
	}
	key, ok := k.find(Encryption, binary.BigEndian.Uint32(sealed))
	if !ok {
		return nil, false, ErrSealed
	}
	plain, err = open(k.purposeKey(key, "seal/"+purpose), sealed[4:], []byte(row))
	if err != nil {
		return nil, false, ErrSealed
	}
	return plain, !key.Current, nil
}

// macSize is the length of a tag: the key's number and half of HMAC-SHA-256 (RFC 2104 §5).
const macSize = 4 + 16

// MAC authenticates data for one purpose.
func (k *Keyring) MAC(purpose string, data []byte) ([]byte, error) {
	key, err := k.current(Encryption)
	if err != nil {
		return nil, err
	}
	return k.tag(key, purpose, data), nil
}

// CheckMAC reports whether tag was made by MAC for the same purpose and data.
func (k *Keyring) CheckMAC(purpose string, data, tag []byte) bool {
	if len(tag) != macSize {
		return false
	}
	key, ok := k.find(Encryption, binary.BigEndian.Uint32(tag))
	return ok && hmac.Equal(tag, k.tag(key, purpose, data))
}

func (k *Keyring) tag(key Key, purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, k.purposeKey(key, "mac/"+purpose))
	h.Write(data)
	return append(binary.BigEndian.AppendUint32(nil, key.ID), h.Sum(nil)[:16]...)
}

// derive is HKDF-SHA-256 (RFC 5869) with a label.
func derive(from []byte, label string) []byte {
	out, err := hkdf.Key(sha256.New, from, nil, label, 32)
	if err != nil {
		panic(err) // only a length beyond 255 hashes is refused
	}
	return out
}

func seal(key, plain, context []byte) []byte {
	a, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err) // every key here is 32 bytes
	}
	nonce := make([]byte, a.NonceSize(), a.NonceSize()+len(plain)+a.Overhead())
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program instead
	return a.Seal(nonce, nonce, plain, context)
}

func open(key, sealed, context []byte) ([]byte, error) {
	a, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err) // every key here is 32 bytes
	}
	if len(sealed) < a.NonceSize() {
		return nil, ErrSealed
	}
	return a.Open(nil, sealed[:a.NonceSize()], sealed[a.NonceSize():], context)
}

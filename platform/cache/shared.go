package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/maypok86/otter/v2"
)

// MaxSharedTTL is how long a tagged value lives at most: no longer than every node,
// also one that started since, can tell whether its tags changed.
const MaxSharedTTL = 5 * time.Minute

// Shared remembers plain values for all nodes, on Redis; without Redis each process
// remembers its own.
type Shared struct {
	bus   *Bus
	name  string
	local *otter.Cache[[sha256.Size]byte, localValue]
}

type localValue struct {
	value   []byte
	expires time.Time
}

// NewShared returns the values called name, on the Redis of b. size bounds what this
// process remembers itself.
func NewShared(b *Bus, name string, size int) *Shared {
	return &Shared{bus: b, name: name, local: otter.Must(&otter.Options[[sha256.Size]byte, localValue]{MaximumSize: max(size, 1)})}
}

// Slot is the place of one value, as of the moment At was called.
type Slot struct {
	s      *Shared
	place  [sha256.Size]byte
	tagged bool
	taken  time.Time // with its monotonic reading
	void   bool      // the tags' state is not known: nothing is found or kept
}

// At returns the place of key's value, which was or will be derived from tags. Take it
// before loading: the place is another one after a tag has changed, so what is put into
// this one late is not found again.
func (s *Shared) At(key string, tags ...Tag) Slot {
	h := sha256.New()
	for _, part := range []string{s.name, key} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	if len(tags) > 0 {
		v := s.bus.version(tags)
		h.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, v[0]), v[1]))
		for _, t := range tags {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(t.Kind))))
			h.Write([]byte(t.Kind))
			h.Write(t.ID[:])
		}
	}
	tagged := len(tags) > 0
	return Slot{s: s, place: [sha256.Size]byte(h.Sum(nil)), tagged: tagged, taken: time.Now(), void: tagged && !s.bus.Fresh()}
}

// Get returns the value, if there is one. Nobody may change it.
func (p Slot) Get(ctx context.Context) (value []byte, found bool) {
	if p.void {
		return nil, false
	}
	if r := p.s.bus.o.Redis; r != nil {
		// The place is repeated inside the value: an answer to another question is no answer.
		if stored, found, err := r.Get(ctx, p.key()); err == nil {
			if value, ours := bytes.CutPrefix(stored, p.place[:]); found && ours {
				return value, true
			}
			return nil, false
		}
	}
	l, ok := p.s.local.GetIfPresent(p.place)
	if !ok || !p.s.bus.o.Now().Before(l.expires) {
		return nil, false
	}
	return l.value, true
}

// Set remembers a value for ttl, with tags for at most MaxSharedTTL. It may fail
// silently: then the value is loaded again.
func (p Slot) Set(ctx context.Context, value []byte, ttl time.Duration) {
	if p.tagged {
		ttl = min(ttl, MaxSharedTTL-time.Since(p.taken))
	}
	if p.void || ttl <= 0 {
		return
	}
	p.s.local.Set(p.place, localValue{bytes.Clone(value), p.s.bus.o.Now().Add(ttl)})
	if r := p.s.bus.o.Redis; r != nil {
		_ = r.Set(ctx, p.key(), append(p.place[:len(p.place):len(p.place)], value...), ttl) // the client logs its failures
	}
}

// Delete forgets the value: on Redis and here, not in other processes that are without Redis.
func (p Slot) Delete(ctx context.Context) {
	p.s.local.Invalidate(p.place)
	if r := p.s.bus.o.Redis; r != nil {
		_ = r.Delete(ctx, p.key()) // the client logs its failures
	}
}

func (p Slot) key() string { return "cache:" + hex.EncodeToString(p.place[:]) }

package cache

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/tenonhq/tenon/platform/id"
)

const (
	maxTags = 50_000 // in each of two generations
	maxSeen = 50_000
)

// memory is what a node knows about changes: when each tag last changed, and which rows
// said so. It is bounded, and forgetting is safe: what it no longer knows about counts
// as changed.
type memory struct {
	tags generations[Tag, change]
	seen generations[rowID, struct{}]

	topYoung, floor uint64 // of seq: the latest when the old generation was closed, and the latest forgotten
	epoch           version
	epochUntil      time.Duration
	sharedAge       time.Duration // after which no shared value is left that a change outdated
}

// change is the last change of a tag, and the sum of all that are known.
type change struct {
	seq uint64
	sum version
}

// version is a sum of row ids. A sum does not depend on the order in which nodes learn
// of rows, and counting one twice yields a version that nobody has used.
type version [2]uint64

func newMemory(shared, seen time.Duration) memory {
	return memory{
		tags:      newGenerations[Tag, change](maxTags, shared),
		seen:      newGenerations[rowID, struct{}](maxSeen, seen),
		sharedAge: shared,
	}
}

// note records rows under seq and returns the tags of those that are new. Times are since
// the start.
func (m *memory) note(rows []row, seq uint64, now time.Duration) (changed []Tag) {
	for _, r := range rows {
		if _, known := m.seen.get(r.id); known {
			continue
		}
		m.seen.turn(now)
		m.seen.young[r.id] = struct{}{}
		youngFor := now - m.tags.began
		if m.tags.turn(now) {
			m.floor, m.topYoung = m.topYoung, seq
			if youngFor < m.sharedAge {
				m.newEpoch(now)
			}
		}
		c, _ := m.tags.get(r.tag)
		m.tags.young[r.tag] = change{seq, c.sum.plus(r.id)}
		changed = append(changed, r.tag)
	}
	return changed
}

// forget makes everything count as changed at seq.
func (m *memory) forget(seq uint64, now time.Duration) {
	m.floor, m.topYoung = seq, seq
	m.newEpoch(now)
}

// newEpoch gives all versions a new name until no value under an old one can be left.
func (m *memory) newEpoch(now time.Duration) {
	m.epoch = version{}.plus(id.New[rowKind]())
	m.epochUntil = now + m.sharedAge
}

func (m *memory) changed(since uint64, tags []Tag) bool {
	if since < m.floor {
		return true
	}
	return slices.ContainsFunc(tags, func(t Tag) bool {
		c, known := m.tags.get(t)
		return known && c.seq > since
	})
}

// version differs between any two moments between which one of tags changed.
func (m *memory) version(tags []Tag, now time.Duration) (v version) {
	if now < m.epochUntil {
		v = m.epoch
	}
	for _, t := range tags {
		c, _ := m.tags.get(t)
		v[0] += c.sum[0]
		v[1] += c.sum[1]
	}
	return v
}

func (v version) plus(i rowID) version {
	v[0] += binary.BigEndian.Uint64(i[:8])
	v[1] += binary.BigEndian.Uint64(i[8:])
	return v
}

// generations is a map that forgets its oldest entries by halves: entries live at least
// age, unless more than size of them come within it.
type generations[K comparable, V any] struct {
	young, old map[K]V
	began      time.Duration // of the young generation
	size       int
	age        time.Duration
}

func newGenerations[K comparable, V any](size int, age time.Duration) generations[K, V] {
	return generations[K, V]{young: map[K]V{}, size: size, age: age}
}

func (g *generations[K, V]) get(k K) (V, bool) {
	if v, ok := g.young[k]; ok {
		return v, true
	}
	v, ok := g.old[k]
	return v, ok
}

// turn makes room for one more entry, and reports whether it forgot the old generation.
func (g *generations[K, V]) turn(now time.Duration) bool {
	if len(g.young) < g.size && now-g.began < g.age {
		return false
	}
	g.old, g.young, g.began = g.young, map[K]V{}, now
	return true
}

package cache

import (
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/id"
)

func TestWhatIsForgottenCountsAsChanged(t *testing.T) {
	m := newMemory(time.Hour, time.Hour)
	tag := Tag{Kind: "first"}
	m.note([]row{{id.New[rowKind](), tag}}, 1, 0)
	if m.changed(1, []Tag{tag}) || !m.changed(0, []Tag{tag}) {
		t.Fatal("a change counts for what was loaded before it, and only for that")
	}
	before := m.version([]Tag{tag}, 0)
	for seq := uint64(2); seq < 2*maxTags+3; seq++ {
		m.note([]row{{id.New[rowKind](), Tag{Kind: "flood", ID: id.New[tagKind]()}}}, seq, time.Second)
	}
	if held := len(m.tags.young) + len(m.tags.old); held > 2*maxTags {
		t.Fatalf("%d tags held", held)
	}
	if !m.changed(0, []Tag{tag}) {
		t.Fatal("a forgotten change no longer counts")
	}
	if m.version([]Tag{tag}, time.Second) == before || m.version([]Tag{tag}, time.Second) == (version{}) {
		t.Fatal("a forgotten change brought back an old version")
	}
}

func TestARowCountsOnce(t *testing.T) {
	m := newMemory(time.Hour, time.Hour)
	r := []row{{id.New[rowKind](), Tag{Kind: "a"}}}
	if !m.note(r, 1, 0) || m.note(r, 2, 0) {
		t.Fatal("a row that is read again is no new change")
	}
}

func TestVersionsDoNotDependOnTheOrderOfRows(t *testing.T) {
	a, b := newMemory(time.Hour, time.Hour), newMemory(time.Hour, time.Hour)
	tag := Tag{Kind: "a"}
	r1, r2 := row{id.New[rowKind](), tag}, row{id.New[rowKind](), tag}
	a.note([]row{r1}, 1, 0)
	a.note([]row{r2}, 2, 0)
	b.note([]row{r2, r1}, 1, 0)
	if a.version([]Tag{tag}, 0) != b.version([]Tag{tag}, 0) {
		t.Fatal("two nodes that know the same changes disagree")
	}
}

func TestAHitAllocatesNothing(t *testing.T) {
	b := NewBus(Options{Now: func() time.Time { return time.Unix(1e9, 0) }})
	tag := Tag{Kind: "a"}
	m := Memoize[string, int](b, MemoOptions{TTL: time.Minute}, nil)
	m.Put(b.Begin(), "k", 7, tag)
	b.apply([]row{{id.New[rowKind](), Tag{Kind: "another"}}})
	n := testing.AllocsPerRun(1000, func() {
		if v, err := m.Get(t.Context(), "k"); v != 7 || err != nil {
			t.Fatalf("got %d %v", v, err)
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

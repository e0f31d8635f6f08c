package cache

import "github.com/maypok86/otter/v2"

// entries is a bounded map that keeps what is asked for most, by the sum of its key. It
// is an interface over one kind of value so that the library is compiled here alone: the
// compiler makes generic code anew in every package that can see its type, and whatever
// imports Tenon sees a Memo.
type entries interface {
	get(sum uint64) any // nil: there is none
	set(sum uint64, value any)
}

// newEntries is not inlined, or its callers would see the type after all.
//
//go:noinline
func newEntries(size int) entries {
	return bounded{otter.Must(&otter.Options[uint64, any]{MaximumSize: size})}
}

type bounded struct{ in *otter.Cache[uint64, any] }

func (b bounded) get(sum uint64) any {
	value, _ := b.in.GetIfPresent(sum)
	return value
}

func (b bounded) set(sum uint64, value any) { b.in.Set(sum, value) }

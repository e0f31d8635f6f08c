package web_test

import (
	"slices"

	"github.com/google/go-cmp/cmp"
)

// cmpSorted compares lists of text without regard to their order.
func cmpSorted() cmp.Option {
	return cmp.Transformer("sorted", func(in []string) []string {
		if slices.IsSorted(in) {
			return in
		}
		return slices.Sorted(slices.Values(in))
	})
}

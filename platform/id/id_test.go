package id_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tenonhq/tenon/platform/id"
)

func TestTextAndBackIsTheSameID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u [16]byte
		copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		if u == ([16]byte{}) {
			return
		}
		got, err := id.Parse[kind](id.ID[kind](u).String())
		if err != nil || got.UUID() != u {
			t.Fatalf("%x became %x (%v)", u, got.UUID(), err)
		}
	})
}

func TestOneEntityHasOneSpelling(t *testing.T) {
	good := id.New[kind]().String()
	for _, bad := range []string{
		"", "thing_", strings.ToUpper(good), strings.Replace(good, "thing_", "org_", 1), good + "0", good[:len(good)-1],
		"thing_" + strings.Repeat("0", 26), "thing_8" + good[7:], "thing_" + strings.Repeat("u", 26), good + "\n",
	} {
		if v, err := id.Parse[kind](bad); err == nil {
			t.Errorf("%q was read as %v", bad, v)
		}
	}
}

func TestLaterSortsAfterEarlier(t *testing.T) {
	last := ""
	for range 1000 {
		next := id.New[kind]().String()
		if next <= last {
			t.Fatalf("%s came after %s", next, last)
		}
		last = next
	}
}

func TestZeroIsEmptyText(t *testing.T) {
	var none id.Org
	if none.String() != "" || !none.IsZero() {
		t.Errorf("zero = %q", none)
	}
	if err := none.UnmarshalText(nil); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(id.New[kind]().String())
	f.Add("thing_")
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := id.Parse[kind](s); err == nil && v.String() != s {
			t.Errorf("%q was read as %q", s, v)
		}
	})
}

type kind struct{}

func (kind) Prefix() string { return "thing" }

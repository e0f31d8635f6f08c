package tasks

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestATitleIsOneLineOfText(t *testing.T) {
	for title, want := range map[string]string{
		"Order coffee":           "Order coffee",
		"  Order coffee\n":       "Order coffee",
		strings.Repeat("ü", 200): strings.Repeat("ü", 200),
	} {
		if got, err := cleanTitle(title); got != want || err != nil {
			t.Errorf("cleanTitle(%q) = %q, %v", title, got, err)
		}
	}
	for _, title := range []string{"", " \t\n", "Order\ncoffee", "\x00", strings.Repeat("ü", 201)} {
		if _, err := cleanTitle(title); !errors.Is(err, ErrTitleInvalid) {
			t.Errorf("cleanTitle(%q) = %v, want ErrTitleInvalid", title, err)
		}
	}
}

func TestACleanTitleStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once, err := cleanTitle(rapid.String().Draw(t, "title"))
		if err != nil {
			return
		}
		if again, err := cleanTitle(once); again != once || err != nil {
			t.Fatalf("%q became %q (%v)", once, again, err)
		}
	})
}

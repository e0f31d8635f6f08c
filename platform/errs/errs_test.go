package errs_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/errs"
)

var errTaken = errs.New(errs.Conflict, "things.taken", "That thing is taken.")

func TestCopiesStillMatchTheirDeclaration(t *testing.T) {
	cause := errors.New("duplicate key")
	err := fmt.Errorf("create thing: %w", errTaken.On("body.name").Because(cause).After(time.Second).With("free", 3))
	if !errors.Is(err, errTaken) {
		t.Error("the copy no longer matches the declared error")
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost to the log")
	}
	if errTaken.Field != "" || errTaken.RetryAfter != 0 || errTaken.Extra != nil {
		t.Errorf("the declaration was changed: %+v", errTaken)
	}
}

func TestUnknownErrorsAreInternal(t *testing.T) {
	if k := errs.KindOf(errors.New("boom")); k != errs.Internal {
		t.Errorf("kind = %s", k)
	}
	if k := errs.KindOf(fmt.Errorf("x: %w", errTaken)); k != errs.Conflict {
		t.Errorf("kind = %s", k)
	}
}

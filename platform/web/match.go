package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/errs"
)

var errChanged = errs.New(errs.Stale, "request.changed_meanwhile", "This was changed since you read it. Read it again, then decide.")

// ETag is the validator of something that was last changed at t (RFC 9110 §8.8.3).
func ETag(t time.Time) string { return `"` + strconv.FormatInt(t.UnixMicro(), 36) + `"` }

// IfMatch is embedded by the input of operations that change what others may change
// at the same time.
type IfMatch struct {
	IfMatch string `header:"If-Match" maxLength:"200" doc:"The ETag you read; the change is refused if it is another by now"`
}

// Check refuses a change of what was last changed at t, if the caller read another state.
func (m IfMatch) Check(t time.Time) error {
	if m.IfMatch == "" || m.IfMatch == "*" {
		return nil
	}
	for _, tag := range strings.Split(m.IfMatch, ",") {
		if strings.TrimSpace(tag) == ETag(t) {
			return nil
		}
	}
	return errChanged
}

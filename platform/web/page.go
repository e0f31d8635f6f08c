package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
)

// Page is embedded by the input of every operation that lists.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many items to return"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next_cursor of the page before"`
}

// List is what every operation that lists answers.
type List[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor" doc:"Pass as cursor to get the next page; null on the last"`
}

// ListOutput is the output of an operation that lists.
type ListOutput[T any] struct{ Body List[T] }

var errCursor = errs.New(errs.Invalid, "request.cursor", "The cursor does not belong to this list.").On("query.cursor")

// Paged returns one page. fetch returns up to n items after the position that the
// cursor names (nil on the first page); position names the place of an item.
func Paged[T, P any](ctx context.Context, in Page, fetch func(after *P, n int) ([]T, error), position func(T) P) (*ListOutput[T], error) {
	c, _ := ctx.Value(callKey{}).(*call)
	if c == nil {
		return nil, fmt.Errorf("web: Paged outside of an operation")
	}
	var after *P
	if in.Cursor != "" {
		after = new(P)
		if err := c.readCursor(ctx, in.Cursor, after); err != nil {
			return nil, err
		}
	}
	items, err := fetch(after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &ListOutput[T]{Body: List[T]{Items: items}}
	if len(items) > in.Limit {
		out.Body.Items = items[:in.Limit]
		next, err := c.cursor(ctx, position(items[in.Limit-1]))
		if err != nil {
			return nil, err
		}
		out.Body.NextCursor = &next
	}
	return out, nil
}

// call is the operation under way.
type call struct {
	router *Router
	op     string
	query  string // as sent; parsed only to bind a cursor to it

	request *http.Request // whose body is read as it arrives, where the operation does

	missing func(context.Context) error // what the path names is not there
	members func(*Problem)              // adds what the operation's own protocol says of refusals
	cookie  func(name string) string    // the value of one of ours, by the name that browsers call it
}

type callKey struct{}

// binding is all that a cursor is good for: this list, these filters, this caller.
func (c *call) binding(ctx context.Context, position []byte) []byte {
	filters, _ := url.ParseQuery(c.query) // what does not parse was refused before
	filters.Del("cursor")
	filters.Del("limit")
	return fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%s", c.op, authz.MembershipFrom(ctx).Org, authz.From(ctx).Account, filters.Encode(), position)
}

func (c *call) cursor(ctx context.Context, position any) (string, error) {
	body, err := json.Marshal(position)
	if err != nil {
		return "", fmt.Errorf("encode a cursor: %w", err)
	}
	tag, err := c.router.Keys.MAC("cursor", c.binding(ctx, body))
	if err != nil {
		return "", fmt.Errorf("sign a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(tag, body...)), nil
}

const tagSize = 20

func (c *call) readCursor(ctx context.Context, text string, position any) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) <= tagSize {
		return errCursor
	}
	if !c.router.Keys.CheckMAC("cursor", c.binding(ctx, raw[tagSize:]), raw[:tagSize]) {
		return errCursor
	}
	if err := json.Unmarshal(raw[tagSize:], position); err != nil {
		return errCursor.Because(err)
	}
	return nil
}

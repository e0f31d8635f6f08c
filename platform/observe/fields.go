package observe

import (
	"context"
	"log/slog"
	"sync"

	"github.com/tenonhq/tenon/platform/id"
)

// Fields say what a log line is about.
type Fields struct {
	RequestID string
	TraceID   string
	AccountID id.Account
	OrgID     id.Org
	KeyID     string // of the API key, where the caller is one
}

// With returns a context whose log lines carry f. Later layers complete the same fields
// with SetAccount, SetOrg and SetKey, so that also the line which an outer layer writes at the
// end of a request has them.
func With(ctx context.Context, f Fields) context.Context {
	return context.WithValue(ctx, scopeKey{}, &scope{fields: f})
}

// SetAccount adds the account to the fields of ctx. Without fields it does nothing.
func SetAccount(ctx context.Context, account id.Account) {
	if s := scopeOf(ctx); s != nil {
		s.mu.Lock()
		s.fields.AccountID = account
		s.mu.Unlock()
	}
}

// SetKey adds the API key to the fields of ctx. Without fields it does nothing.
func SetKey(ctx context.Context, key string) {
	if s := scopeOf(ctx); s != nil {
		s.mu.Lock()
		s.fields.KeyID = key
		s.mu.Unlock()
	}
}

// SetOrg adds the organization to the fields of ctx. Without fields it does nothing.
func SetOrg(ctx context.Context, org id.Org) {
	if s := scopeOf(ctx); s != nil {
		s.mu.Lock()
		s.fields.OrgID = org
		s.mu.Unlock()
	}
}

// FieldsOf returns the fields of ctx as they are now; the zero Fields if it has none.
func FieldsOf(ctx context.Context) Fields {
	s := scopeOf(ctx)
	if s == nil {
		return Fields{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fields
}

type scopeKey struct{}

// scope is shared by every context derived from the one With returned, and by the
// goroutines that a request starts.
type scope struct {
	mu     sync.Mutex
	fields Fields
}

func scopeOf(ctx context.Context) *scope {
	if ctx == nil {
		return nil
	}
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

func (s *scope) addTo(r *slog.Record) {
	var buf [5]slog.Attr
	r.AddAttrs(s.appendTo(buf[:0])...)
}

func (s *scope) attrs() []slog.Attr { return s.appendTo(nil) }

func (s *scope) appendTo(attrs []slog.Attr) []slog.Attr {
	s.mu.Lock()
	f := s.fields
	s.mu.Unlock()
	if f.RequestID != "" {
		attrs = append(attrs, slog.String("request_id", f.RequestID))
	}
	if f.TraceID != "" {
		attrs = append(attrs, slog.String("trace_id", f.TraceID))
	}
	if !f.AccountID.IsZero() {
		attrs = append(attrs, slog.String("account_id", f.AccountID.String()))
	}
	if !f.OrgID.IsZero() {
		attrs = append(attrs, slog.String("org_id", f.OrgID.String()))
	}
	if f.KeyID != "" {
		attrs = append(attrs, slog.String("key_id", f.KeyID))
	}
	return attrs
}

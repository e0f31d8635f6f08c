package apikeys

import (
	"context"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	r.PathID("key", web.TypedID(func(ctx context.Context, key ID) (bool, error) {
		_, err := s.Get(ctx, authz.MembershipFrom(ctx).Org, key)
		if errs.KindOf(err) == errs.NotFound {
			return false, nil
		}
		return err == nil, err
	}))

	web.Handle(r, web.Op{
		ID: "apikeys.list", Method: http.MethodGet, Path: "/orgs/{org}/api-keys",
		Summary: "List API keys", Description: "Newest first, everybody's, also those that expired within 90 days. Their values are shown once, when they are made.",
		Access: authz.InOrg(PermList),
	}, s.handleList)

	web.Handle(r, web.Op{
		ID: "apikeys.get", Method: http.MethodGet, Path: "/orgs/{org}/api-keys/{key}",
		Summary: "Show an API key",
		Access:  authz.InOrg(PermList),
	}, s.handleGet)

	web.Handle(r, web.Op{
		ID: "apikeys.create", Method: http.MethodPost, Path: "/orgs/{org}/api-keys", Status: http.StatusCreated,
		Summary: "Make an API key",
		Description: "A program sends it as `Authorization: Bearer tn_key_…`. It works in this organization only, for the member who makes it: at each moment it may do what they may, and of that only its scopes. " +
			"Without scopes it may do nothing. It never does what asks for a fresh proof of identity, or is about a person.",
		Access: authz.InOrg(PermManage).Fresh(), ShownOnce: []string{"key"},
		Errors: []*errs.Error{orgs.ErrBeyondRights, ErrNameInvalid, ErrScopeUnknown, ErrExpiryPast, ErrTooMany},
	}, s.handleCreate)

	web.Handle(r, web.Op{
		ID: "apikeys.update", Method: http.MethodPatch, Path: "/orgs/{org}/api-keys/{key}",
		Summary: "Rename an API key", Description: "What a key may do never changes: make another one.",
		Access: authz.InOrg(PermManage),
		Errors: []*errs.Error{ErrNameInvalid},
	}, s.handleUpdate)

	web.Handle(r, web.Op{
		ID: "apikeys.rotate", Method: http.MethodPost, Path: "/orgs/{org}/api-keys/{key}/rotate", Status: http.StatusCreated,
		Summary:     "Give one's own API key a new value",
		Description: "The value before works until the overlap is over. While it does, the key is rotated again only with `overlap_seconds: 0`, which ends every value but the newest at once.",
		Access:      authz.InOrg(PermManage).Fresh(), ShownOnce: []string{"key"},
		Errors: []*errs.Error{ErrNotYours, ErrExpired, ErrRotationRunning, ErrExpiryPast},
	}, s.handleRotate)

	web.Handle(r, web.Op{
		ID: "apikeys.revoke", Method: http.MethodDelete, Path: "/orgs/{org}/api-keys/{key}", Status: http.StatusNoContent,
		Summary: "Revoke an API key", Description: "Anybody's, with every value that it has: at once.",
		Access: authz.InOrg(PermManage),
	}, s.handleRevoke)
}

type listInput struct {
	web.InOrg
	web.Page
}

// KeyInput names a key in the path.
type KeyInput struct {
	Key ID `path:"key" doc:"Id of an API key"`
}

type keyInput struct {
	web.InOrg
	KeyInput
}

type createInput struct {
	web.InOrg
	Body struct {
		Name      string             `json:"name" example:"Nightly export"`
		Scopes    []authz.Permission `json:"scopes" nullable:"false" maxItems:"500" doc:"Names from /permissions; none that the caller does not have"`
		ExpiresAt *time.Time         `json:"expires_at,omitempty" doc:"Absent: it does not expire"`
	}
}

type updateInput struct {
	web.InOrg
	KeyInput
	Body struct {
		Name string `json:"name" example:"Nightly export"`
	}
}

type rotateInput struct {
	web.InOrg
	KeyInput
	Body *struct {
		OverlapSeconds *int       `json:"overlap_seconds,omitempty" minimum:"0" maximum:"604800" doc:"How long the value before still works; a day unless set"`
		ExpiresAt      *time.Time `json:"expires_at,omitempty" doc:"New end of the key; absent: as before"`
	}
}

func (in *rotateInput) rotation() (r Rotation) {
	if in.Body == nil {
		return r
	}
	r.ExpiresAt = in.Body.ExpiresAt
	if seconds := in.Body.OverlapSeconds; seconds != nil {
		overlap := time.Duration(*seconds) * time.Second
		r.Overlap = &overlap
	}
	return r
}

type keyOutput struct{ Body Key }

// NewValue is a key with its value.
type NewValue struct {
	Key
	Value string `json:"key" doc:"Shown this once"`
}

type valueOutput struct{ Body NewValue }

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[Key], error) {
	return web.Paged(ctx, in.Page, func(after *place, n int) ([]Key, error) { return s.List(ctx, in.Org, after, n) }, placeOf)
}

func (s *Service) handleGet(ctx context.Context, in *keyInput) (*keyOutput, error) {
	k, err := s.Get(ctx, in.Org, in.Key)
	return &keyOutput{k}, err
}

func (s *Service) handleCreate(ctx context.Context, in *createInput) (*valueOutput, error) {
	k, value, err := s.Create(ctx, in.Org, NewKey{Name: in.Body.Name, Scopes: in.Body.Scopes, ExpiresAt: in.Body.ExpiresAt})
	return &valueOutput{NewValue{k, value}}, err
}

func (s *Service) handleUpdate(ctx context.Context, in *updateInput) (*keyOutput, error) {
	k, err := s.Rename(ctx, in.Org, in.Key, in.Body.Name)
	return &keyOutput{k}, err
}

func (s *Service) handleRotate(ctx context.Context, in *rotateInput) (*valueOutput, error) {
	k, value, err := s.Rotate(ctx, in.Org, in.Key, in.rotation())
	return &valueOutput{NewValue{k, value}}, err
}

func (s *Service) handleRevoke(ctx context.Context, in *keyInput) (*web.Empty, error) {
	return nil, s.Revoke(ctx, in.Org, in.Key)
}

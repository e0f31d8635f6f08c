package accounts

import (
	"context"
	"net/http"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) waitlistRoutes(r *web.Router) {
	r.PathID("entry", web.TypedID(func(ctx context.Context, entry EntryID) (bool, error) {
		return entryExists(ctx, s.DB.Platform(onWaitlist), entry)
	}))

	web.Handle(r, web.Op{
		ID: "accounts.list_waitlist", Method: http.MethodGet, Path: "/admin/waitlist",
		Summary: "List who waits to sign up", Description: "Who came first comes first; those who were approved and have not signed up yet too.",
		Access: authz.Administrator(),
	}, s.handleListWaitlist)

	web.Handle(r, web.Op{
		ID: "accounts.approve_sign_up", Method: http.MethodPost, Path: "/admin/waitlist/{entry}/approve",
		Summary: "Let somebody sign up", Description: "Mails a link that works once, within seven days, for that address. Approving again sends a new one, and the one before is void.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{ErrEntryNotFound},
	}, s.handleApprove)

	web.Handle(r, web.Op{
		ID: "accounts.decline_sign_up", Method: http.MethodDelete, Path: "/admin/waitlist/{entry}", Status: http.StatusNoContent,
		Summary: "Take somebody off the wait list", Description: "A link that was sent is void. They are not told.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{ErrEntryNotFound},
	}, s.handleDecline)
}

type listWaitlistInput struct{ web.Page }

type entryInput struct {
	Entry EntryID `path:"entry" doc:"Entry of the wait list"`
}

type entryOutput struct{ Body Entry }

func (s *Service) handleListWaitlist(ctx context.Context, in *listWaitlistInput) (*web.ListOutput[Entry], error) {
	return web.Paged(ctx, in.Page, func(after *waiting, n int) ([]Entry, error) { return s.waitlist(ctx, after, n) },
		func(e Entry) waiting { return waiting{e.CreatedAt, e.ID} })
}

func (s *Service) handleApprove(ctx context.Context, in *entryInput) (*entryOutput, error) {
	e, err := s.Approve(ctx, in.Entry)
	return &entryOutput{e}, err
}

func (s *Service) handleDecline(ctx context.Context, in *entryInput) (*web.Empty, error) {
	return nil, s.Decline(ctx, in.Entry)
}

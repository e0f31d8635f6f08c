package tasks

import (
	"context"
	"net/http"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	r.PathID("task", web.TypedID(func(ctx context.Context, task ID) (bool, error) {
		org := authz.MembershipFrom(ctx).Org
		return exists(ctx, s.DB.Org(org), org, task)
	}))

	web.Handle(r, web.Op{
		ID: "tasks.list", Method: http.MethodGet, Path: "/orgs/{org}/tasks",
		Summary: "List tasks", Description: "Newest first.",
		Access: authz.InOrg(PermRead),
	}, s.handleList)

	web.Handle(r, web.Op{
		ID: "tasks.create", Method: http.MethodPost, Path: "/orgs/{org}/tasks", Status: http.StatusCreated,
		Summary: "Add a task", Description: "Who is given a task is told by mail.",
		Access: authz.InOrg(PermWrite),
		Errors: []*errs.Error{ErrTitleInvalid, ErrAssigneeUnknown},
	}, s.handleCreate)

	web.Handle(r, web.Op{
		ID: "tasks.update", Method: http.MethodPatch, Path: "/orgs/{org}/tasks/{task}",
		Summary: "Change a task", Description: "Members that are absent stay as they are.",
		Access: authz.InOrg(PermWrite),
		Errors: []*errs.Error{ErrTitleInvalid, ErrAssigneeUnknown},
	}, s.handleUpdate)

	web.Handle(r, web.Op{
		ID: "tasks.complete", Method: http.MethodPost, Path: "/orgs/{org}/tasks/{task}/done",
		Summary: "Mark a task as done",
		Access:  authz.InOrg(PermWrite),
		Errors:  []*errs.Error{ErrAlreadyDone},
	}, s.handleComplete)

	web.Handle(r, web.Op{
		ID: "tasks.delete", Method: http.MethodDelete, Path: "/orgs/{org}/tasks/{task}", Status: http.StatusNoContent,
		Summary: "Throw a task away",
		Access:  authz.InOrg(PermWrite),
	}, s.handleDelete)
}

type listInput struct {
	web.InOrg
	web.Page
	State State `query:"state" enum:"open,done" doc:"Only these; absent: all"`
}

type createInput struct {
	web.InOrg
	Body struct {
		Title      string     `json:"title" example:"Order more coffee"`
		AssigneeID id.Account `json:"assignee_id,omitempty" doc:"Who is to do it"`
	}
}

// TaskInput names a task in the path.
type TaskInput struct {
	Task ID `path:"task" doc:"Task id"`
}

type taskInput struct {
	web.InOrg
	TaskInput
}

type updateInput struct {
	web.InOrg
	TaskInput
	Body struct {
		Title      *string     `json:"title,omitempty"`
		AssigneeID *id.Account `json:"assignee_id,omitempty" doc:"Empty: nobody in particular"`
	}
}

type taskOutput struct{ Body Task }

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[Task], error) {
	return web.Paged(ctx, in.Page, func(after *ID, n int) ([]Task, error) { return s.List(ctx, in.Org, in.State, after, n) },
		func(t Task) ID { return t.ID })
}

func (s *Service) handleCreate(ctx context.Context, in *createInput) (*taskOutput, error) {
	t, err := s.Create(ctx, in.Org, in.Body.Title, in.Body.AssigneeID)
	return &taskOutput{t}, err
}

func (s *Service) handleUpdate(ctx context.Context, in *updateInput) (*taskOutput, error) {
	t, err := s.Update(ctx, in.Org, in.Task, Change{Title: in.Body.Title, AssigneeID: in.Body.AssigneeID})
	return &taskOutput{t}, err
}

func (s *Service) handleComplete(ctx context.Context, in *taskInput) (*taskOutput, error) {
	t, err := s.Complete(ctx, in.Org, in.Task)
	return &taskOutput{t}, err
}

func (s *Service) handleDelete(ctx context.Context, in *taskInput) (*web.Empty, error) {
	return nil, s.Delete(ctx, in.Org, in.Task)
}

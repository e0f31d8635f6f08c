package accounts

import (
	"context"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) passwordRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "accounts.password_strength", Method: http.MethodPost, Path: "/auth/password-strength",
		Summary: "Say how good a password would be", Description: "For a form in which one is chosen. Nothing is kept of it.",
		Access: authz.Public(), Limit: ratelimit.Every(60, time.Minute),
	}, s.handlePasswordStrength)
}

type strengthInput struct {
	Body struct {
		Password string `json:"password" maxLength:"1024"`
		Email    string `json:"email,omitempty" maxLength:"320" doc:"Of whoever chooses it" example:"ada@example.com"`
		Name     string `json:"name,omitempty" maxLength:"100" doc:"Of whoever chooses it" example:"Ada Lovelace"`
	}
}

type strengthOutput struct{ Body Strength }

func (s *Service) handlePasswordStrength(ctx context.Context, in *strengthInput) (*strengthOutput, error) {
	return &strengthOutput{s.Strength(ctx, in.Body.Password, in.Body.Email, in.Body.Name)}, nil
}

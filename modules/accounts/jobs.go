package accounts

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// AnswerEmail mails what the owner of an address asked for, if there is one. The
// address is sealed: most that are asked for are nobody's business.
type AnswerEmail struct {
	Purpose purpose `json:"purpose"`
	Sealed  []byte  `json:"sealed"`
}

// Kind names the job.
func (AnswerEmail) Kind() string { return "accounts.answer_email" }

// Scope says whose rows the job works on.
func (AnswerEmail) Scope() jobs.Scope { return jobs.OnPlatform(everyone) }

func (s *Service) answerEmail(ctx context.Context, _ db.Conn, job AnswerEmail) error {
	email, _, err := s.Keys.Open("accounts.answer_email", string(job.Purpose), job.Sealed)
	if err != nil {
		return jobs.Cancel(err)
	}
	return s.answer(ctx, string(email), job.Purpose)
}

// Sweep removes tokens that are long past their use.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "accounts.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("old tokens of everybody") }

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	_, err := deleteOldTokens(ctx, c, s.Now().Add(-7*24*time.Hour))
	return err
}

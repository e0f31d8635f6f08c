package sessions

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/secret"
)

// A sign-in by mail has two secrets, and needs both: the flow's, which stays with whoever
// asked (a cookie of a browser, the answer to a program), and the one in the letter, as a
// link or as a code to type. So a letter that someone else asked for, and that its owner
// was talked into following, signs nobody in; and neither does a letter that was overheard.

type mailSignInKind struct{}

// Prefix begins the id of every sign-in by mail.
func (mailSignInKind) Prefix() string { return "msi" }

const (
	flowToken      = "flow"
	magicToken     = "magic"
	flowCookie     = "mail_sign_in"
	mailSignInLife = 10 * time.Minute
	codeDigits     = 8
	sealMailSignIn = "sessions.mail_sign_in"
)

// The outcomes.
var (
	ErrMailSignInOff = errs.New(errs.NotFound, "auth.mail_sign_in_off", "Nobody signs in by mail here.")
	ErrMagicLink     = errs.New(errs.Unauthenticated, "auth.magic_link_invalid", "This link or code is not valid any more. Ask for a new one.")
	ErrOtherBrowser  = errs.New(errs.Unauthenticated, "auth.other_browser", "Open the link in the browser that you asked for it in, or type the code from the mail there.")
)

// AnswerMailSignIn mails the link and the code to the owner of an address, if there is
// one. The address is sealed: most that are asked for are nobody's business.
type AnswerMailSignIn struct {
	Flow   []byte `json:"flow"` // its hash
	Sealed []byte `json:"sealed"`
}

// Kind names the job.
func (AnswerMailSignIn) Kind() string { return "sessions.answer_mail_sign_in" }

// Scope says whose rows the job works on.
func (AnswerMailSignIn) Scope() jobs.Scope { return jobs.OnPlatform(byAddress) }

const byAddress = "a sign-in by mail finds an account by address, before anyone is signed in"

// AskByMail begins a sign-in by mail, and returns the flow's token. The same happens for
// every address: what is mailed, and whether, is decided later, by a job.
func (s *Service) AskByMail(ctx context.Context, email string) (flow string, err error) {
	if s.Config.MailSignIn == "off" {
		return "", ErrMailSignInOff
	}
	if email, err = accounts.NormalizeEmail(email); err != nil {
		return "", err
	}
	flow, hash := secret.NewToken(flowToken)
	sealed, err := s.Keys.Seal(sealMailSignIn, string(hash), []byte(email))
	if err != nil {
		return "", err
	}
	return flow, s.DB.Platform(byAddress).Tx(ctx, func(tx *db.Tx) error {
		return s.Jobs.Enqueue(ctx, tx, AnswerMailSignIn{Flow: hash, Sealed: sealed})
	})
}

// answerMailSignIn makes the link and the code. Only an active account with a proven
// address gets a letter: one that is unproven may have a password that a stranger set.
func (s *Service) answerMailSignIn(ctx context.Context, _ db.Conn, job AnswerMailSignIn) error {
	email, _, err := s.Keys.Open(sealMailSignIn, string(job.Flow), job.Sealed)
	if err != nil {
		return jobs.Cancel(err)
	}
	a, err := s.Accounts.ByEmail(ctx, string(email))
	if errors.Is(err, accounts.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if a.Status != accounts.Active || !a.EmailVerified {
		return nil
	}
	if !s.Limits.Allow(ctx, ratelimit.KeyOf("mail:sign_in", a.Email), ratelimit.Every(5, time.Hour)).Allowed {
		return nil
	}
	return s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error { return s.In(tx).mailSignIn(ctx, a, job.Flow) })
}

func (s *Service) mailSignIn(ctx context.Context, a accounts.Account, flow []byte) error {
	code, err := newCode()
	if err != nil {
		return err
	}
	token, hash := secret.NewToken(magicToken)
	now := s.Now()
	if err := voidMailSignIns(ctx, s.tx, a.ID, flow, now); err != nil {
		return err
	}
	made, err := insertMailSignIn(ctx, s.tx, a.ID, flow, hash, codeHash(flow, code), now, now.Add(mailSignInLife))
	if err != nil || !made { // the job ran before, up to the commit
		return err
	}
	return s.Post.Enqueue(ctx, s.tx, mail.Letter{To: a.Email, Name: "sign_in", Locale: a.Locale, Data: map[string]any{
		"Name": a.Name, "URL": s.PublicURL() + "/magic-link?token=" + url.QueryEscape(token), "Code": code[:codeDigits/2] + " " + code[codeDigits/2:],
		"Minutes": int(mailSignInLife.Minutes()),
	}})
}

func newCode() (string, error) {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(codeDigits), nil)
	n, err := rand.Int(rand.Reader, most)
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%0*d", codeDigits, n), nil
}

// codeHash ties a code to its flow: the few that there are cannot be hashed beforehand.
func codeHash(flow []byte, code string) []byte { return secret.Hash(string(flow) + code) }

// readCode is the digits of a code, however they were grouped.
func readCode(code string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' {
			return -1
		}
		return r
	}, code)
}

// SignInByLink opens a session by the token of the link and the flow that it belongs to.
func (s *Service) SignInByLink(ctx context.Context, token, flow string, cookie bool) (out Opened, err error) {
	if s.Config.MailSignIn == "off" {
		return out, ErrMailSignInOff
	}
	if !secret.IsToken(magicToken, token) {
		return out, ErrMagicLink
	}
	if !secret.IsToken(flowToken, flow) {
		flow = ""
	}
	err = s.platformTx(ctx, func(bound *Service) error {
		account, err := useMagicLink(ctx, bound.tx, secret.Hash(token), secret.Hash(flow), s.Now())
		if errors.Is(err, db.ErrNoRows) {
			return bound.otherBrowser(ctx, token)
		}
		if err != nil {
			return err
		}
		out, err = bound.mailed(ctx, account, cookie)
		return err
	})
	return out, err
}

// otherBrowser tells a link that is open in the wrong browser from one that is not open:
// whoever holds its token has read the letter, and may know.
func (s *Service) otherBrowser(ctx context.Context, token string) error {
	open, err := isMagicLinkOpen(ctx, s.tx, secret.Hash(token), s.Now())
	if err == nil && open {
		return ErrOtherBrowser
	}
	return errors.Join(err, ErrMagicLink)
}

// SignInByCode opens a session by the code of the letter, typed where it was asked for.
// Wrong ones count as guesses, of the account like those of passwords, and of the address.
func (s *Service) SignInByCode(ctx context.Context, email, code, flow string, cookie bool) (out Opened, err error) {
	if s.Config.MailSignIn == "off" {
		return out, ErrMailSignInOff
	}
	if email, err = accounts.NormalizeEmail(email); err != nil {
		return out, err
	}
	a, err := s.Accounts.ByEmail(ctx, email)
	if err != nil && !errors.Is(err, accounts.ErrNotFound) {
		return out, err
	}
	flowHash, code := secret.Hash(flow), readCode(code)
	ok, err := s.fromHere(ctx, func() (bool, error) {
		return s.Guess(ctx, guessOf("mail_code", email), a, func() (ok bool, err error) {
			err = s.platformTx(ctx, func(bound *Service) error {
				ok = false
				account, err := useMailCode(ctx, bound.tx, flowHash, codeHash(flowHash, code), s.Now())
				if errors.Is(err, db.ErrNoRows) || err == nil && account != a.ID {
					return nil
				}
				if err != nil {
					return err
				}
				ok = true
				out, err = bound.mailed(ctx, account, cookie)
				return err
			})
			return ok, err
		})
	})
	if err == nil && !ok {
		err = ErrMagicLink.Because(errors.New("wrong code, or wrong flow, or too late"))
	}
	return out, err
}

// mailed signs in whoever has read a letter to the account's address.
func (s *Service) mailed(ctx context.Context, account id.Account, cookie bool) (Opened, error) {
	a, err := s.Accounts.Get(ctx, account)
	if err != nil {
		return Opened{}, err
	}
	if a.Status != accounts.Active {
		return Opened{}, ErrMagicLink.Because(fmt.Errorf("%s is %s", a.ID, a.Status))
	}
	return s.Begin(ctx, a, Proof{Method: "email"}, cookie)
}

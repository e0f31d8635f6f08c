package notifications

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

// A letter carries a link that turns letters of its kind off, for whoever has it (RFC 8058).
// It says whose and which, and that we made it.

const (
	grantMAC = "notifications.unsubscribe"
	grantTag = 20
)

// everyKind stands for the daily letter: it gathers all kinds.
const everyKind = "*"

func (s *Service) grant(account id.Account, kind string) (string, error) {
	body := append(account[:], kind...)
	tag, err := s.Keys.MAC(grantMAC, body)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(body, tag...)), nil
}

// unsubscribeURL is where mail programs turn a kind of letter off.
func (s *Service) unsubscribeURL(account id.Account, kind string) (string, error) {
	g, err := s.grant(account, kind)
	return s.PublicURL() + web.Prefix + "/unsubscribe/" + g, err
}

var errGrant = errors.New("notifications: not a grant of ours")

func (s *Service) granted(text string) (account id.Account, kind string, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) <= len(account)+grantTag {
		return account, "", ErrGrantInvalid.Because(errGrant)
	}
	body, tag := b[:len(b)-grantTag], b[len(b)-grantTag:]
	if !s.Keys.CheckMAC(grantMAC, body, tag) {
		return account, "", ErrGrantInvalid.Because(errGrant)
	}
	copy(account[:], body)
	return account, string(body[len(account):]), nil
}

// Unsubscribe turns off the letters that a link is from. Doing it again changes nothing.
func (s *Service) Unsubscribe(ctx context.Context, grant string) error {
	account, kind, err := s.granted(grant)
	if err != nil {
		return err
	}
	c := s.DB.Account(account)
	chosen, err := choices(ctx, c, account)
	if err != nil {
		return err
	}
	for _, n := range s.kinds.all {
		p := preferenceOf(n, chosen)
		if n.Kind == kind && p.Email != Off || kind == everyKind && p.Email == Daily {
			if err := choose(ctx, c, account, n.Kind, choice{p.InApp, Off}, s.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}

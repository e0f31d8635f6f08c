package sessions

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

const deviceToken = "device"

type deviceKind struct{}

// Prefix begins the id of every known device.
func (deviceKind) Prefix() string { return "dev" }

// deviceMark is by what a device is known again.
type deviceMark string

const (
	byCookie deviceMark = "cookie" // a secret of the browser's: also lets it sign in while others guess
	byLook   deviceMark = "look"   // same kind of device from the same network: only spares its owner a letter
)

// recognise remembers the device of a sign-in, and returns the cookie to know a browser
// by next time. The owner hears of a device that nobody knew, unless it is the very first.
func (s *Service) recognise(ctx context.Context, a accounts.Account, session Session, browser bool) (cookie string, err error) {
	client := web.ClientFrom(ctx)
	token := client.Device
	if !secret.IsToken(deviceToken, token) {
		token, _ = secret.NewToken(deviceToken)
	}
	now := s.Now()
	had, err := countDevices(ctx, s.tx, a.ID, secret.Hash(token), lookOf(session))
	if err != nil {
		return "", err
	}
	if browser {
		cookie = s.Web.DeviceCookie(token)
		if err := rememberDevice(ctx, s.tx, a.ID, byCookie, secret.Hash(token), now); err != nil {
			return "", err
		}
	}
	if err := rememberDevice(ctx, s.tx, a.ID, byLook, lookOf(session), now); err != nil {
		return "", err
	}
	if had.any && !had.this {
		err = s.tellOfDevice(ctx, a, session)
	}
	return cookie, err
}

// lookOf hashes what a device looks like: its system, its program and its network.
func lookOf(session Session) []byte {
	network := ""
	if a, err := netip.ParseAddr(session.IPAddress); err == nil {
		network = networkOf(a)
	}
	sum := sha256.Sum256([]byte(session.DeviceType + "\n" + session.OSName + "\n" + session.BrowserName + "\n" + network))
	return sum[:]
}

// networkOf is the network of an address: /24 of IPv4, /48 of IPv6, as providers hand them out.
func networkOf(a netip.Addr) string {
	bits := 48
	if a.Is4() {
		bits = 24
	}
	network, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return a.String()
	}
	return network.String()
}

func (s *Service) tellOfDevice(ctx context.Context, a accounts.Account, session Session) error {
	link, err := s.Accounts.DisownLink(ctx, a)
	if err != nil {
		return err
	}
	place := session.City
	if place != "" && session.Country != "" {
		place += ", "
	}
	return s.Post.Enqueue(ctx, s.tx, mail.Letter{To: a.Email, Name: "new_device", Locale: a.Locale, Data: map[string]any{
		"Name": a.Name, "Device": session.DeviceName, "Place": place + session.Country, "Address": session.IPAddress,
		"At": session.CreatedAt.UTC().Format(time.RFC1123), "URL": link,
	}})
}

// known reports whether the request comes from a browser that the account signed in
// with before.
func (s *Service) knownDevice(ctx context.Context, account id.Account) (bool, error) {
	token := web.ClientFrom(ctx).Device
	if account.IsZero() || !secret.IsToken(deviceToken, token) {
		return false, nil
	}
	return isDevice(ctx, s.DB.Account(account), account, secret.Hash(token))
}

// Disown ends everything that a stranger may have begun: the owner of an account says,
// by the link in a letter, that a sign-in was not theirs.
func (s *Service) Disown(ctx context.Context, token string) error {
	return s.platformTx(ctx, func(bound *Service) error {
		a, err := bound.Accounts.Disown(ctx, token)
		if err != nil {
			return err
		}
		if err := forgetDevices(ctx, bound.tx, a.ID); err != nil {
			return err
		}
		return bound.EndAll(s.as(ctx, a), a.ID, a.Name, ID{}, "disowned")
	})
}

package mfa

import (
	"context"
	"errors"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/secret"
)

const sealedAs = "mfa.totp"

func rowOf(account id.Account, device DeviceID) string {
	return secret.RowOf("mfa_devices", account, device)
}

// Setup makes a device that waits for its first code. Until then it opens nothing.
func (s *Service) Setup(ctx context.Context, name string) (d NewDevice, err error) {
	if name, err = cleanName(name); err != nil {
		return d, err
	}
	a, err := s.caller(ctx)
	if err != nil {
		return d, err
	}
	d = NewDevice{DeviceID: id.New[deviceKind](), Secret: newSecret()}
	d.ProvisioningURI = provisioning(s.Product, a.Email, d.Secret)
	if d.QRCode, err = qrCode(d.ProvisioningURI); err != nil {
		return d, err
	}
	sealed, err := s.Keys.Seal(sealedAs, rowOf(a.ID, d.DeviceID), []byte(d.Secret))
	if err != nil {
		return d, err
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		return s.In(tx).add(ctx, Device{ID: d.DeviceID, Name: name, CreatedAt: s.Now(), secret: sealed}, a.ID)
	})
	return d, err
}

func (s *Service) add(ctx context.Context, d Device, account id.Account) error {
	a, err := s.hold(ctx, account)
	if err != nil {
		return err
	}
	if len(a.SecondFactors) > 0 { // else it is time enough when the device is enabled
		if err := s.mayAdd(ctx, a); err != nil {
			return err
		}
	}
	if err := deletePending(ctx, s.tx, account, d.CreatedAt.Add(-pendingLife)); err != nil {
		return err
	}
	n, err := countDevices(ctx, s.tx, account)
	if err != nil {
		return err
	}
	if n >= mostDevices {
		return ErrDevices
	}
	return insertDevice(ctx, s.tx, account, d)
}

// hold makes those who change an account's factors take turns, and returns it as it is.
func (s *Service) hold(ctx context.Context, account id.Account) (accounts.Account, error) {
	if err := s.Accounts.Lock(ctx, account); err != nil {
		return accounts.Account{}, err
	}
	return s.Accounts.Get(ctx, account)
}

// mayAdd asks for a fresh proof. A session that was left open must not give itself a
// factor: it would lock the owner out, and could prove with it whatever is asked for.
func (s *Service) mayAdd(ctx context.Context, a accounts.Account) error {
	if s.Now().Sub(authz.From(ctx).AuthenticatedAt) > authz.FreshFor {
		return authz.ErrFresh.With("methods", sessions.ConfirmBy(a))
	}
	return nil
}

// Enabled is what enabling a device yields.
type Enabled struct {
	BackupCodes []string // with the first device; shown once
	Cookies     []string // values of Set-Cookie
}

// Enable lets a device that waits prove itself by its first code: that of device, or
// where none is named the one whose code it is. The caller's other sessions end.
func (s *Service) Enable(ctx context.Context, device DeviceID, code string) (out Enabled, err error) {
	a, err := s.caller(ctx)
	if err != nil {
		return out, err
	}
	ok, err := s.Sessions.Guess(ctx, sessions.Factor(a), a, func() (ok bool, err error) {
		err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
			enabled, right, err := s.In(tx).enable(ctx, a.ID, device, code)
			out, ok = enabled, right
			return err
		})
		return ok, err
	})
	if err == nil && !ok {
		err = ErrCode
	}
	return out, err
}

func (s *Service) enable(ctx context.Context, account id.Account, device DeviceID, code string) (out Enabled, ok bool, err error) {
	a, err := s.hold(ctx, account)
	if err != nil {
		return out, false, err
	}
	if err := s.mayAdd(ctx, a); err != nil {
		return out, false, err
	}
	waiting, err := s.waiting(ctx, account, device)
	if err != nil {
		return out, false, err
	}
	d, step, found := s.match(ctx, account, waiting, code)
	if !found {
		return out, false, nil
	}
	// The first code is used up like any other.
	if ok, err = advanceStep(ctx, s.tx, account, step, s.Now()); err != nil || !ok {
		return out, false, err
	}
	first, err := markEnabled(ctx, s.tx, account, d.ID, s.Now())
	if err != nil {
		return out, false, err
	}
	out, err = s.enabled(ctx, a, d, first)
	return out, true, err
}

// enabled does what follows from a new device: first says that it is the only one.
func (s *Service) enabled(ctx context.Context, a accounts.Account, d Device, first bool) (out Enabled, err error) {
	if first {
		if out.BackupCodes, err = s.renewBackupCodes(ctx, a); err != nil {
			return out, err
		}
		if err := s.Accounts.SetSecondFactor(ctx, a.ID, accounts.TOTP, true); err != nil {
			return out, err
		}
	}
	if out.Cookies, err = s.Sessions.EndOthers(ctx, "second_factor_enabled"); err != nil {
		return out, err
	}
	if err := s.tell(ctx, a, "totp_enabled", map[string]any{"Device": d.Name}); err != nil {
		return out, err
	}
	return out, s.record(ctx, a, TOTPEnabled{About{a.ID}, d.ID})
}

// waiting lists the devices that could be enabled now: device alone, if it is named.
func (s *Service) waiting(ctx context.Context, account id.Account, device DeviceID) ([]Device, error) {
	list, err := pendingDevices(ctx, s.tx, account, s.Now().Add(-pendingLife))
	switch {
	case err != nil:
	case device.IsZero() && len(list) == 0:
		err = ErrNothingPending
	case !device.IsZero():
		for _, d := range list {
			if d.ID == device {
				return []Device{d}, nil
			}
		}
		err = ErrDeviceNotFound.On("body.device_id")
	}
	return list, err
}

// match finds the device that shows a code, and the code's time step. A secret that does
// not open in its row is no secret of the account's.
func (s *Service) match(ctx context.Context, account id.Account, devices []Device, text string) (d Device, step int64, found bool) {
	code, m := readCode(text)
	if m != TOTP {
		return d, 0, false
	}
	for _, d := range devices {
		plain, _, err := s.Keys.Open(sealedAs, rowOf(account, d.ID), d.secret)
		if err != nil {
			s.Log.ErrorContext(ctx, "a secret does not open in its row", "table", "mfa_devices", "account_id", account.String(), "device_id", d.ID.String(), "err", err)
			continue
		}
		if step, ok := stepFor(string(plain), code, s.Now()); ok {
			return d, step, true
		}
	}
	return d, 0, false
}

func (s *Service) spendTOTP(ctx context.Context, a accounts.Account, code string) (bool, error) {
	devices, err := enabledDevices(ctx, s.tx, a.ID)
	if err != nil {
		return false, err
	}
	d, step, found := s.match(ctx, a.ID, devices, code)
	if !found {
		return false, nil
	}
	return s.spendStep(ctx, a.ID, d.ID, step)
}

// spendStep uses up a time step of an account, all earlier ones with it, by whichever
// device (RFC 6238 §5.2). A device that was removed a moment ago opens nothing.
func (s *Service) spendStep(ctx context.Context, account id.Account, device DeviceID, step int64) (bool, error) {
	now := s.Now()
	unused, err := advanceStep(ctx, s.tx, account, step, now)
	if err != nil || !unused {
		return false, err
	}
	return markUsed(ctx, s.tx, account, device, now)
}

// Disable removes one device of the caller, or all of them with the backup codes. With
// the last device goes the second factor. Their other sessions end. A code that is given
// must be right.
func (s *Service) Disable(ctx context.Context, device DeviceID, code string) (cookies []string, err error) {
	a, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	remove := func(bound *Service) error {
		c, err := bound.remove(ctx, a, device)
		cookies = c
		return err
	}
	if code != "" {
		return cookies, s.prove(ctx, a, given(code), remove)
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error { return remove(s.In(tx)) })
	return cookies, err
}

func (s *Service) remove(ctx context.Context, a accounts.Account, device DeviceID) (cookies []string, err error) {
	if err := s.Accounts.Lock(ctx, a.ID); err != nil {
		return nil, err
	}
	removed, err := deleteDevices(ctx, s.tx, a.ID, device)
	if errors.Is(err, db.ErrNoRows) {
		return nil, ErrDeviceNotFound.On("body.device_id")
	}
	if err != nil || removed == 0 { // it had not been enabled yet
		return nil, err
	}
	left, err := enabledDevices(ctx, s.tx, a.ID)
	if err != nil {
		return nil, err
	}
	if len(left) == 0 {
		if err := s.removeLast(ctx, a); err != nil {
			return nil, err
		}
	}
	if cookies, err = s.Sessions.EndOthers(ctx, "second_factor_disabled"); err != nil {
		return nil, err
	}
	if err := s.tell(ctx, a, "totp_disabled", map[string]any{"Left": len(left)}); err != nil {
		return nil, err
	}
	return cookies, s.record(ctx, a, TOTPDisabled{About{a.ID}, device})
}

// removeLast takes away what stands on authenticator apps. The last step stays: no code
// of before is good again.
func (s *Service) removeLast(ctx context.Context, a accounts.Account) error {
	if err := deleteBackupCodes(ctx, s.tx, a.ID); err != nil {
		return err
	}
	return s.Accounts.SetSecondFactor(ctx, a.ID, accounts.TOTP, false)
}

// Status tells the caller which second factors they have.
func (s *Service) Status(ctx context.Context) (out Status, err error) {
	who := authz.From(ctx).Account
	c := s.DB.Account(who)
	if out.Devices, err = enabledDevices(ctx, c, who); err != nil {
		return out, err
	}
	out.Enabled = len(out.Devices) > 0
	at, err := lastUsed(ctx, c, who)
	if err != nil {
		return out, err
	}
	if !at.IsZero() {
		out.LastUsedAt = &at
	}
	out.BackupCodesRemaining, err = countBackupCodes(ctx, c, who)
	return out, err
}

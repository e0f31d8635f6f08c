package mfa

import (
	"context"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const hashedAs = "mfa.backup_code"

type backupCodeKind struct{}

// Prefix begins the id of every backup code. It is never shown.
func (backupCodeKind) Prefix() string { return "bkc" }

type backupCodeID = id.ID[backupCodeKind]

// backupCode is a code as it is kept: whoever reads the table learns none, not even by
// trying all there are.
type backupCode struct {
	id   backupCodeID
	hash []byte
}

// hashed is what a code's hash is made of.
func hashed(account id.Account, code string) []byte { return append(account[:], code...) }

// RenewBackupCodes gives the caller new backup codes; the old ones are void.
func (s *Service) RenewBackupCodes(ctx context.Context) (codes []string, err error) {
	a, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		made, err := s.In(tx).renewOnDemand(ctx, a)
		codes = made
		return err
	})
	return codes, err
}

func (s *Service) renewOnDemand(ctx context.Context, a accounts.Account) ([]string, error) {
	if err := s.Accounts.Lock(ctx, a.ID); err != nil {
		return nil, err
	}
	devices, err := enabledDevices(ctx, s.tx, a.ID)
	if err != nil {
		return nil, err
	}
	if len(devices) == 0 {
		return nil, ErrNotEnabled
	}
	codes, err := s.renewBackupCodes(ctx, a)
	if err != nil {
		return nil, err
	}
	if err := s.tell(ctx, a, "backup_codes_renewed", map[string]any{}); err != nil {
		return nil, err
	}
	return codes, s.record(ctx, a, BackupCodesRenewed{About{a.ID}})
}

func (s *Service) renewBackupCodes(ctx context.Context, a accounts.Account) ([]string, error) {
	if err := deleteBackupCodes(ctx, s.tx, a.ID); err != nil {
		return nil, err
	}
	codes := make([]string, backupCodes)
	for i := range codes {
		code := newBackupCode()
		hash, err := s.Keys.MAC(hashedAs, hashed(a.ID, code))
		if err != nil {
			return nil, err
		}
		if err := insertBackupCode(ctx, s.tx, a.ID, backupCode{id.New[backupCodeKind](), hash}, s.Now()); err != nil {
			return nil, err
		}
		codes[i] = shown(code)
	}
	return codes, nil
}

// spendBackupCode uses a code up and tells the owner how many are left.
func (s *Service) spendBackupCode(ctx context.Context, a accounts.Account, text string) (bool, error) {
	code, m := readCode(text)
	if m != BackupCode {
		return false, nil
	}
	unused, err := unusedBackupCodes(ctx, s.tx, a.ID)
	if err != nil {
		return false, err
	}
	for _, c := range unused {
		if s.Keys.CheckMAC(hashedAs, hashed(a.ID, code), c.hash) {
			ok, err := useBackupCode(ctx, s.tx, a.ID, c.id, s.Now())
			if err != nil || !ok {
				return false, err
			}
			return true, s.backupCodeUsed(ctx, a, len(unused)-1)
		}
	}
	return false, nil
}

func (s *Service) backupCodeUsed(ctx context.Context, a accounts.Account, left int) error {
	if err := touch(ctx, s.tx, a.ID, s.Now()); err != nil {
		return err
	}
	if err := s.tell(ctx, a, "backup_code_used", map[string]any{"Left": left}); err != nil {
		return err
	}
	return s.record(ctx, a, BackupCodeUsed{About{a.ID}})
}

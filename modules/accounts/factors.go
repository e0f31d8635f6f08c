package accounts

import (
	"context"
	"slices"
	"strings"

	"github.com/tenonhq/tenon/platform/id"
)

// The second factors that an account may have. Their secrets belong to the modules that
// check them; that an account has one stands in its row, so that no sign-in can miss it.
const (
	TOTP    = "totp"
	Passkey = "passkey"
)

// SetSecondFactor notes that an account has a second factor, or has it no more. It
// needs a transaction (In) and makes those who change the same account take turns.
func (s *Service) SetSecondFactor(ctx context.Context, account id.Account, method string, has bool) error {
	list, err := lockSecondFactors(ctx, s.tx, account)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(m string) bool { return m == method })
	if has {
		list = append(list, method)
	}
	slices.Sort(list)
	if err := setSecondFactors(ctx, s.tx, account, list); err != nil {
		return err
	}
	return s.Changed.Invalidate(ctx, s.tx, Tag(account))
}

// Lock makes those who change how an account is entered take turns: whoever holds it
// sees what the others did. It needs a transaction (In).
func (s *Service) Lock(ctx context.Context, account id.Account) error {
	_, err := lockSecondFactors(ctx, s.tx, account)
	return err
}

func splitFactors(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

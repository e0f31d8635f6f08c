package passkeys

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/secret"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Accounts  *accounts.Service
	Sessions  *sessions.Service
	Post      *mail.Post
	PublicURL func() string
	Origins   []string // of further pages; may be none
	Product   string
	Now       clock.Now
	Log       *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	tx *db.Tx
}

// New returns the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// In returns the service bound to a transaction, of the account or the platform.
func (s *Service) In(tx *db.Tx) *Service {
	bound := &Service{Deps: s.Deps, tx: tx}
	bound.DB, bound.Accounts, bound.Sessions = s.DB.In(tx), s.Accounts.In(tx), s.Sessions.In(tx)
	return bound
}

const byCredential = "a passkey finds its account"

// Begun is what a browser needs, and the token that its answer is handed in with.
type Begun struct {
	Options json.RawMessage
	Token   string
}

// BeginRegistration lets the caller make a passkey with a name.
func (s *Service) BeginRegistration(ctx context.Context, name string) (b Begun, err error) {
	if name, err = cleanName(name); err != nil {
		return b, err
	}
	a, err := s.caller(ctx)
	if err != nil {
		return b, err
	}
	rp, err := s.relyingParty()
	if err != nil {
		return b, err
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		p, err := s.In(tx).person(ctx, a)
		if err != nil {
			return err
		}
		if len(p.passkeys) >= most {
			return ErrTooMany
		}
		token, err := s.In(tx).challenge(ctx, a, Register, name)
		if err != nil {
			return err
		}
		options, err := creationOptions(rp, p, token)
		b = Begun{options, token}
		return err
	})
	return b, err
}

// Register adds the passkey that a browser made for the caller. With the first one, the
// account has a second factor. It ends the other sessions: those that began with less.
func (s *Service) Register(ctx context.Context, token string, credential []byte) (p Passkey, cookies []string, err error) {
	a, err := s.caller(ctx)
	if err != nil {
		return p, nil, err
	}
	if !secret.IsToken(challengeToken, token) {
		return p, nil, ErrExpired
	}
	made, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return p, nil, ErrCredential.Because(told(err))
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		r, err := bound.register(ctx, a, token, made)
		if err != nil {
			return err
		}
		p = r.Passkey
		cookies, err = bound.changed(ctx, a, r, Added{About{a.ID, r.ID}}, "passkey_added")
		return err
	})
	return p, cookies, err
}

func (s *Service) register(ctx context.Context, a accounts.Account, token string, made *protocol.ParsedCredentialCreationData) (row, error) {
	// First of all, so that those who add and remove at the same time take turns.
	if err := s.Accounts.Lock(ctx, a.ID); err != nil {
		return row{}, err
	}
	name, err := useChallenge(ctx, s.tx, a.ID, Register, secret.Hash(token), s.Now())
	if errors.Is(err, db.ErrNoRows) {
		return row{}, ErrExpired
	}
	if err != nil {
		return row{}, err
	}
	who, err := s.person(ctx, a)
	if err != nil {
		return row{}, err
	}
	if len(who.passkeys) >= most {
		return row{}, ErrTooMany
	}
	rp, err := s.relyingParty()
	if err != nil {
		return row{}, err
	}
	c, err := rp.CreateCredential(who, ceremony(rp, who, token, protocol.VerificationPreferred), made)
	if err != nil {
		return row{}, ErrCredential.Because(told(err))
	}
	r := row{account: a.ID, credentialID: c.ID, publicKey: c.PublicKey, signCount: c.Authenticator.SignCount, aaguid: c.Authenticator.AAGUID, backupEligible: c.Flags.BackupEligible}
	r.Passkey = Passkey{ID: id.New[passkeyKind](), Name: name, Transports: knownTransports(c.Transport), BackedUp: c.Flags.BackupState, CreatedAt: s.Now()}
	added, err := insertPasskey(ctx, s.tx, r)
	if err == nil && !added {
		err = ErrTaken
	}
	return r, err
}

// Rename calls a passkey of the caller otherwise.
func (s *Service) Rename(ctx context.Context, passkey ID, name string) (p Passkey, err error) {
	if name, err = cleanName(name); err != nil {
		return p, err
	}
	a, err := s.caller(ctx)
	if err != nil {
		return p, err
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		r, err := found(getPasskey(ctx, tx, a.ID, passkey))
		if err != nil {
			return err
		}
		changes := map[string]audit.Change{"name": {From: r.Name, To: name}}
		p, p.Name = r.Passkey, name
		if name == r.Name {
			return nil
		}
		if err := renamePasskey(ctx, tx, a.ID, passkey, name); err != nil {
			return err
		}
		return s.In(tx).record(ctx, p, Renamed{About{a.ID, passkey}}, changes)
	})
	return p, err
}

// Remove removes a passkey of the caller. With the last one goes the second factor that
// it was; whoever has nothing else signs in by mail, or sets a password by it.
func (s *Service) Remove(ctx context.Context, passkey ID) (cookies []string, err error) {
	a, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		if err := bound.Accounts.Lock(ctx, a.ID); err != nil {
			return err
		}
		r, err := found(getPasskey(ctx, tx, a.ID, passkey))
		if err != nil {
			return err
		}
		if _, err := deletePasskey(ctx, tx, a.ID, passkey); err != nil {
			return err
		}
		cookies, err = bound.changed(ctx, a, r, Removed{About{a.ID, passkey}}, "passkey_removed")
		return err
	})
	return cookies, err
}

// RemoveAll removes every passkey of an account, in a transaction (In) that holds it. Who
// removes them ends the sessions and tells the owner.
func (s *Service) RemoveAll(ctx context.Context, a accounts.Account) (int, error) {
	all, err := passkeysOf(ctx, s.tx, a.ID)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	for _, r := range all {
		if _, err := deletePasskey(ctx, s.tx, a.ID, r.ID); err != nil {
			return 0, err
		}
		if err := s.record(ctx, r.Passkey, Removed{About{a.ID, r.ID}}, nil); err != nil {
			return 0, err
		}
	}
	return len(all), s.Accounts.SetSecondFactor(ctx, a.ID, accounts.Passkey, false)
}

// changed does what goes with every change of what opens an account: it is noted whether
// there is a second factor, other sessions end, and the owner is told.
func (s *Service) changed(ctx context.Context, a accounts.Account, r row, e jobs.Args, what string) (cookies []string, err error) {
	left, err := passkeysOf(ctx, s.tx, a.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Accounts.SetSecondFactor(ctx, a.ID, accounts.Passkey, len(left) > 0); err != nil {
		return nil, err
	}
	if err := s.record(ctx, r.Passkey, e, nil); err != nil {
		return nil, err
	}
	if err := s.tell(ctx, a, what, r.Name); err != nil {
		return nil, err
	}
	return s.Sessions.EndOthers(ctx, what)
}

// BeginSignIn lets somebody whom nobody knows yet use a passkey.
func (s *Service) BeginSignIn(ctx context.Context) (Begun, error) {
	rp, err := s.relyingParty()
	if err != nil {
		return Begun{}, err
	}
	token, hash := secret.NewToken(challengeToken)
	now := s.Now()
	if err := insertSignIn(ctx, s.DB.Platform(byCredential), hash, now, now.Add(challengeLife)); err != nil {
		return Begun{}, fmt.Errorf("offer a sign-in by passkey: %w", err)
	}
	options, err := requestOptions(rp, nil, token, protocol.VerificationRequired)
	return Begun{options, token}, err
}

// SignIn begins a session by a passkey alone. It must have verified its user, and so is
// two factors in one. What is wrong is not said: not to a stranger.
func (s *Service) SignIn(ctx context.Context, token string, credential []byte, cookie bool) (opened sessions.Opened, err error) {
	given, err := readAnswer(credential)
	if err == nil && given.token != token {
		err = errors.New("the answer is to another challenge")
	}
	if err != nil {
		return opened, ErrRefused.Because(err)
	}
	var refusal error
	err = s.DB.Platform(byCredential).Tx(ctx, func(tx *db.Tx) error {
		opened, refusal = sessions.Opened{}, nil
		bound := s.In(tx)
		a, err := bound.enter(ctx, given)
		if refused(err) {
			// The challenge is used up all the same, and what was noticed is noted.
			refusal = err
			return nil
		}
		if err != nil {
			return err
		}
		opened, err = bound.Sessions.Begin(ctx, a, sessions.Proof{Method: "passkey", Strong: true}, cookie)
		return err
	})
	if err == nil {
		err = refusal
	}
	return opened, err
}

// enter finds whose passkey it is, and checks it.
func (s *Service) enter(ctx context.Context, given answer) (a accounts.Account, err error) {
	open, err := useSignIn(ctx, s.tx, secret.Hash(given.token), s.Now())
	if err != nil {
		return a, err
	}
	if !open {
		return a, ErrRefused.Because(errors.New("the challenge has expired, was used, or never was"))
	}
	r, err := passkeyByCredential(ctx, s.tx, given.RawID)
	if errors.Is(err, db.ErrNoRows) {
		return a, ErrRefused.Because(errors.New("nobody has this passkey"))
	}
	if err != nil {
		return a, err
	}
	if a, err = s.Accounts.Get(ctx, r.account); err != nil {
		return a, err
	}
	switch {
	case a.Status != accounts.Active || !a.EmailVerified:
		return a, ErrRefused.Because(fmt.Errorf("%s is %s", a.ID, a.Status))
	case len(given.Response.UserHandle) == 0:
		return a, ErrRefused.Because(errors.New("it does not say whose it is"))
	case !given.verified():
		return a, ErrNotVerified
	}
	return a, s.check(ctx, a, given, protocol.VerificationRequired)
}

// Options lets an account use one of its passkeys, for a purpose.
func (s *Service) Options(ctx context.Context, a accounts.Account, p Purpose) (options json.RawMessage, err error) {
	rp, err := s.relyingParty()
	if err != nil {
		return nil, err
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		who, err := bound.person(ctx, a)
		if err != nil {
			return err
		}
		if len(who.passkeys) == 0 {
			return ErrNone
		}
		token, err := bound.challenge(ctx, a, p, "")
		if err != nil {
			return err
		}
		options, err = requestOptions(rp, who.descriptors(), token, verification(p))
		return err
	})
	return options, err
}

// verification is what is asked of an authenticator. Beside a password, holding it is enough.
func verification(p Purpose) protocol.UserVerificationRequirement {
	if p == SecondFactor {
		return protocol.VerificationDiscouraged
	}
	return protocol.VerificationPreferred
}

// Verify reports whether credential answers a challenge of Options with a passkey of the
// account. It uses the challenge up. It needs a transaction of the account (In), which is
// to be committed also if the answer is no: what was noticed is noted in it.
func (s *Service) Verify(ctx context.Context, a accounts.Account, p Purpose, credential []byte) (bool, error) {
	given, err := readAnswer(credential)
	if err == nil {
		err = s.verify(ctx, a, p, given)
	} else {
		err = ErrRefused.Because(err)
	}
	if refused(err) {
		s.Log.InfoContext(ctx, "a passkey was refused", "account_id", a.ID.String(), "reason", err.Error())
		return false, nil
	}
	return err == nil, err
}

func (s *Service) verify(ctx context.Context, a accounts.Account, p Purpose, given answer) error {
	_, err := useChallenge(ctx, s.tx, a.ID, p, secret.Hash(given.token), s.Now())
	if errors.Is(err, db.ErrNoRows) {
		return ErrRefused.Because(errors.New("the challenge has expired, was used, never was, or is for something else"))
	}
	if err != nil {
		return err
	}
	return s.check(ctx, a, given, verification(p))
}

// check holds an answer against the passkeys of an account, and notes the use.
func (s *Service) check(ctx context.Context, a accounts.Account, given answer, uv protocol.UserVerificationRequirement) error {
	rp, err := s.relyingParty()
	if err != nil {
		return err
	}
	who, err := s.person(ctx, a)
	if err != nil {
		return err
	}
	if _, err := rp.ValidateLogin(who, ceremony(rp, who, given.token, uv), given.ParsedCredentialAssertionData); err != nil {
		return ErrRefused.Because(told(err))
	}
	r := who.holding(given.RawID)
	data := given.Response.AuthenticatorData
	grown, err := markUsed(ctx, s.tx, a.ID, r.ID, data.Counter, data.Flags.HasBackupState(), s.Now())
	if err != nil || grown {
		return err
	}
	return s.suspect(ctx, a, r, data.Counter)
}

// suspect refuses a passkey that has counted no more uses than were seen before. It is
// not blocked: nobody can tell which of two copies is the owner's, and they are told.
func (s *Service) suspect(ctx context.Context, a accounts.Account, r row, count uint32) error {
	if authz.From(ctx).Kind == authz.ActorNobody {
		ctx = authz.With(ctx, &authz.Principal{Kind: authz.ActorAccount, Account: a.ID, Name: a.Name})
	}
	if err := s.record(ctx, r.Passkey, CloneSuspected{About{a.ID, r.ID}}, nil); err != nil {
		return err
	}
	if err := s.tell(ctx, a, "passkey_cloned", r.Name); err != nil {
		return err
	}
	return ErrRefused.Because(fmt.Errorf("%s counts %d uses, and had %d already: there may be a copy", r.ID, count, r.signCount))
}

// refused tells a refusal, which is an answer, from what went wrong.
func refused(err error) bool { return errors.Is(err, ErrRefused) || errors.Is(err, ErrNotVerified) }

// caller returns the account of a caller who acts for themselves.
func (s *Service) caller(ctx context.Context) (accounts.Account, error) {
	if authz.From(ctx).Impersonator != nil {
		return accounts.Account{}, authz.ErrNotByImpersonation
	}
	return s.Accounts.Me(ctx)
}

// person is an account with its handle, which it gets when it is first needed, and its passkeys.
func (s *Service) person(ctx context.Context, a accounts.Account) (p person, err error) {
	p.Account = a
	if p.handle, err = findHandle(ctx, s.tx, a.ID); errors.Is(err, db.ErrNoRows) {
		random := make([]byte, handleBytes)
		_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
		if err = insertHandle(ctx, s.tx, a.ID, random, s.Now()); err == nil {
			p.handle, err = findHandle(ctx, s.tx, a.ID)
		}
	}
	if err != nil {
		return p, err
	}
	p.passkeys, err = passkeysOf(ctx, s.tx, a.ID)
	return p, err
}

// holding is the passkey with a credential; the caller knows that there is one.
func (p person) holding(credential []byte) row {
	for _, k := range p.passkeys {
		if bytes.Equal(k.credentialID, credential) {
			return k
		}
	}
	return row{}
}

// challenge makes a challenge. Its bytes are a token of ours, so that an answer names
// the challenge that it is to.
func (s *Service) challenge(ctx context.Context, a accounts.Account, p Purpose, name string) (string, error) {
	token, hash := secret.NewToken(challengeToken)
	now := s.Now()
	if err := insertChallenge(ctx, s.tx, a.ID, p, hash, name, now, now.Add(challengeLife)); err != nil {
		return "", fmt.Errorf("make a challenge: %w", err)
	}
	return token, nil
}

func (s *Service) record(ctx context.Context, p Passkey, e jobs.Args, changes map[string]audit.Change) error {
	return s.Audit.In(s.tx).Record(ctx, audit.Entry{Event: e, Target: audit.Target{Kind: "passkey", ID: p.ID.String(), Name: p.Name}, Changes: changes})
}

// tell writes to the owner of an account.
func (s *Service) tell(ctx context.Context, a accounts.Account, letter, passkey string) error {
	return s.Post.Enqueue(ctx, s.tx, mail.Letter{To: a.Email, Name: letter, Locale: a.Locale,
		Data: map[string]any{"Name": a.Name, "Passkey": passkey, "At": s.Now().Format("2 January 2006, 15:04 MST"), "URL": s.PublicURL() + "/forgot-password"}})
}

func found(r row, err error) (row, error) {
	if errors.Is(err, db.ErrNoRows) {
		err = ErrNotFound
	}
	return r, err
}

package passkeys

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/secret"
)

// person is an account as WebAuthn knows it: by a random handle, so that authenticators
// and those who find one learn no id of ours.
type person struct {
	accounts.Account
	handle   []byte
	passkeys []row
}

func (p person) WebAuthnID() []byte          { return p.handle }
func (p person) WebAuthnName() string        { return p.Email }
func (p person) WebAuthnDisplayName() string { return p.Name }

func (p person) WebAuthnCredentials() []webauthn.Credential {
	all := make([]webauthn.Credential, len(p.passkeys))
	for i, k := range p.passkeys {
		all[i] = webauthn.Credential{ID: k.credentialID, PublicKey: k.publicKey, Transport: transports(k.Transports),
			Flags:         webauthn.CredentialFlags{BackupEligible: k.backupEligible, BackupState: k.BackedUp},
			Authenticator: webauthn.Authenticator{AAGUID: k.aaguid, SignCount: k.signCount}}
	}
	return all
}

func (p person) descriptors() []protocol.CredentialDescriptor {
	all := make([]protocol.CredentialDescriptor, len(p.passkeys))
	for i, c := range p.WebAuthnCredentials() {
		all[i] = c.Descriptor()
	}
	return all
}

func transports(names []string) []protocol.AuthenticatorTransport {
	all := make([]protocol.AuthenticatorTransport, len(names))
	for i, name := range names {
		all[i] = protocol.AuthenticatorTransport(name)
	}
	return all
}

// knownTransports keeps those of the standard, once each: what a browser says goes back
// to browsers.
func knownTransports(given []protocol.AuthenticatorTransport) []string {
	kept := []string{}
	for _, known := range []protocol.AuthenticatorTransport{protocol.Internal, protocol.Hybrid, protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard} {
		for _, t := range given {
			if t == known {
				kept = append(kept, string(known))
				break
			}
		}
	}
	return kept
}

// relyingParty is the product, as WebAuthn knows it.
func (s *Service) relyingParty() (*webauthn.WebAuthn, error) {
	rpID, origins, err := domain(s.PublicURL(), s.Origins)
	if err != nil {
		return nil, err
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: rpID, RPDisplayName: s.Product, RPOrigins: origins,
		AttestationPreference: protocol.PreferNoAttestation,
		// Password managers answer extensions that nobody asked for.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, ErrNoDomain.Because(err)
	}
	return rp, nil
}

// creationOptions is what a browser needs to make a passkey (WebAuthn §5.4). It can be
// found without a name being typed, and is not made twice on one authenticator.
func creationOptions(rp *webauthn.WebAuthn, p person, token string) (json.RawMessage, error) {
	creation, _, err := rp.BeginRegistration(p,
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, RequireResidentKey: protocol.ResidentKeyNotRequired(), UserVerification: protocol.VerificationPreferred}),
		webauthn.WithExclusions(p.descriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge, o.Timeout = []byte(token), int(challengeLife.Milliseconds())
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("options of a registration: %w", err)
	}
	return json.Marshal(creation.Response)
}

// requestOptions is what a browser needs to use a passkey (WebAuthn §5.5): one of these,
// or any that it finds where nobody is known yet.
func requestOptions(rp *webauthn.WebAuthn, allowed []protocol.CredentialDescriptor, token string, uv protocol.UserVerificationRequirement) (json.RawMessage, error) {
	assertion, _, err := rp.BeginDiscoverableLogin(webauthn.WithChallenge([]byte(token)), webauthn.WithUserVerification(uv), webauthn.WithAllowedCredentials(allowed),
		func(o *protocol.PublicKeyCredentialRequestOptions) error {
			o.Timeout = int(challengeLife.Milliseconds())
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("options of an assertion: %w", err)
	}
	return json.Marshal(assertion.Response)
}

// ceremony is what the library is to hold an answer against. All of it follows from
// what the database knows; nothing of it passes through the browser.
func ceremony(rp *webauthn.WebAuthn, p person, token string, uv protocol.UserVerificationRequirement) webauthn.SessionData {
	return webauthn.SessionData{Challenge: base64.RawURLEncoding.EncodeToString([]byte(token)), RelyingPartyID: rp.Config.RPID, UserID: p.handle,
		UserVerification: uv, CredParams: webauthn.CredentialParametersDefault()}
}

// answer is what a browser made of requestOptions, not yet checked.
type answer struct {
	*protocol.ParsedCredentialAssertionData
	token string // the challenge
}

func readAnswer(credential []byte) (answer, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(credential)
	if err != nil {
		return answer{}, told(err)
	}
	challenge, err := base64.RawURLEncoding.DecodeString(parsed.Response.CollectedClientData.Challenge)
	if err != nil || !secret.IsToken(challengeToken, string(challenge)) {
		return answer{}, errors.New("the challenge is none of ours")
	}
	return answer{parsed, string(challenge)}, nil
}

func (a answer) verified() bool { return a.Response.AuthenticatorData.Flags.HasUserVerified() }

// told adds what the library keeps apart for developers, and for the log.
func told(err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return fmt.Errorf("%s: %s: %s", e.Type, e.Details, e.DevInfo)
	}
	return err
}

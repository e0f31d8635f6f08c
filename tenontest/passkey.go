package tenontest

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"github.com/tenonhq/tenon/modules/passkeys"
)

// Authenticator is a virtual security key with one passkey: it signs what a browser
// would have it sign.
type Authenticator struct {
	Passkey  passkeys.Passkey
	Origin   string // of the page that asks
	Domain   string // that the page asks for
	Handle   []byte // of the account, as it was told; sent with every answer
	Uses     uint32 // that it has counted; it counts if it is not 0
	Verifies bool   // its user, by a PIN or a finger
	BackedUp bool

	t          testing.TB
	credential virtualwebauthn.Credential
}

// Authenticator returns one that a page of the app talks to.
func (a *App) Authenticator() *Authenticator {
	a.t.Helper()
	u, err := url.Parse(a.Config.Web.PublicURL)
	a.must(err)
	k := &Authenticator{Origin: u.Scheme + "://" + u.Host, Domain: u.Hostname(), Uses: 1, Verifies: true, t: a.t, credential: newCredential()}
	if strings.HasPrefix(k.Domain, "127.") {
		k.Origin, k.Domain = "http://localhost:"+u.Port(), "localhost"
	}
	return k
}

// newCredential makes a key until both of its coordinates have all 32 bytes: the library
// leaves out leading zeros, which COSE (RFC 9053 §7.1.1) does not allow.
func newCredential() virtualwebauthn.Credential {
	for {
		const whole = 77
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

// AddPasskey adds a passkey to the account of u.
func (a *App) AddPasskey(u *User) *Authenticator {
	a.t.Helper()
	k := a.Authenticator()
	begun, err := a.Passkeys.BeginRegistration(a.As(u), "Key of "+u.Name)
	a.must(err)
	k.Passkey, _, err = a.Passkeys.Register(a.As(u), begun.Token, []byte(k.Create(begun.Options)))
	a.must(err)
	return k
}

// Create makes the passkey, as navigator.credentials.create does.
func (k *Authenticator) Create(options json.RawMessage) string {
	k.t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		k.t.Fatalf("read what the authenticator is to make: %v", err)
	}
	k.Handle = []byte(o.UserID)
	return virtualwebauthn.CreateAttestationResponse(k.page(), k.device(), k.counted(), *o)
}

// Get uses the passkey, as navigator.credentials.get does.
func (k *Authenticator) Get(options json.RawMessage) string {
	k.t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		k.t.Fatalf("read what the authenticator is to sign: %v", err)
	}
	if k.Uses > 0 {
		k.Uses++
	}
	return virtualwebauthn.CreateAssertionResponse(k.page(), k.device(), k.counted(), *o)
}

// ID is the id of the credential, as options name it.
func (k *Authenticator) ID() []byte { return k.credential.ID }

func (k *Authenticator) page() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: k.Domain, Origin: k.Origin}
}

func (k *Authenticator) device() virtualwebauthn.Authenticator {
	return virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{
		UserHandle: k.Handle, UserNotVerified: !k.Verifies, BackupEligible: k.BackedUp, BackupState: k.BackedUp})
}

func (k *Authenticator) counted() virtualwebauthn.Credential {
	c := k.credential
	c.Counter = k.Uses
	return c
}

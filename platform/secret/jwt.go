package secret

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// Claims are what an access token says (RFC 7519, RFC 9068): who holds it and for
// how long, never what they may do.
type Claims struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	Subject   string `json:"sub"`
	Session   string `json:"sid"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
}

// ErrToken reports a token that we did not sign, or that has expired.
var ErrToken = errors.New("the access token is not valid")

const maxJWT = 4096

// Sign makes a JWT of claims with the current signing key (EdDSA, RFC 8037).
func (k *Keyring) Sign(c Claims) (string, error) {
	key, err := k.current(Signing)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	header := jws.NewHeaders()
	for name, value := range map[string]string{jws.TypeKey: "at+jwt", jws.KeyIDKey: keyName(key)} {
		if err := header.Set(name, value); err != nil {
			return "", fmt.Errorf("set header %s: %w", name, err)
		}
	}
	signed, err := jws.Sign(body, jws.WithKey(jwa.EdDSA(), key.signer, jws.WithProtectedHeaders(header)))
	if err != nil {
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	return string(signed), nil
}

// Verify returns the claims of a JWT that one of our keys signed and that is valid
// at now for issuer and audience. Nothing in the token chooses algorithm or key
// material: its kid only selects among our own.
func (k *Keyring) Verify(token, issuer, audience string, now time.Time) (Claims, error) {
	if len(token) > maxJWT || !compact(token) {
		return Claims{}, ErrToken
	}
	message, err := jws.ParseString(token)
	if err != nil || len(message.Signatures()) != 1 {
		return Claims{}, ErrToken
	}
	header := message.Signatures()[0].ProtectedHeaders()
	alg, _ := header.Algorithm()
	kid, _ := header.KeyID()
	typ, _ := header.Type()
	critical, _ := header.Critical()
	number, err := strconv.ParseUint(kid, 10, 32)
	if err != nil || alg != jwa.EdDSA() || typ != "at+jwt" || len(critical) > 0 {
		return Claims{}, ErrToken
	}
	key, ok := k.find(Signing, uint32(number))
	if !ok {
		return Claims{}, ErrToken
	}
	body, err := jws.Verify([]byte(token), jws.WithKey(jwa.EdDSA(), key.signer.Public()))
	if err != nil {
		return Claims{}, ErrToken
	}
	var c Claims
	if err := json.Unmarshal(body, &c); err != nil || c.Issuer != issuer || c.Audience != audience ||
		now.Unix() >= c.ExpiresAt || c.IssuedAt > now.Add(time.Minute).Unix() {
		return Claims{}, ErrToken
	}
	return c, nil
}

// compact reports whether a token is three parts in the one spelling that base64 has
// for them. The library would read JSON and line breaks too.
func compact(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || strings.ContainsAny(token, "\r\n") {
		return false
	}
	for _, p := range parts {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return false
		}
	}
	return true
}

// JWKS is the public half of the signing keys (RFC 7517).
func (k *Keyring) JWKS() (json.RawMessage, error) {
	set := jwk.NewSet()
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, key := range k.keys {
		if key.Use != Signing {
			continue
		}
		public, err := jwk.Import(key.signer.Public())
		if err != nil {
			return nil, fmt.Errorf("publish a signing key: %w", err)
		}
		for name, value := range map[string]any{jwk.KeyIDKey: keyName(key), jwk.AlgorithmKey: jwa.EdDSA(), jwk.KeyUsageKey: "sig"} {
			if err := public.Set(name, value); err != nil {
				return nil, fmt.Errorf("publish a signing key: %w", err)
			}
		}
		if err := set.AddKey(public); err != nil {
			return nil, fmt.Errorf("publish a signing key: %w", err)
		}
	}
	return json.Marshal(set)
}

func keyName(key Key) string { return strconv.FormatUint(uint64(key.ID), 10) }

package secret

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/clock"
)

const issuer = "https://app.test"

func good() Claims {
	now := time.Now()
	return Claims{Issuer: issuer, Audience: issuer, Subject: "acc_1", Session: "ses_1", IssuedAt: now.Unix(), ExpiresAt: now.Add(time.Minute).Unix()}
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// forge signs header and claims with the ring's own key, or by sign.
func forge(k *Keyring, header map[string]any, claims any, sign func(data []byte) []byte) string {
	data := encode(header) + "." + encode(claims)
	if sign == nil {
		key, err := k.current(Signing)
		if err != nil {
			panic(err)
		}
		sign = func(data []byte) []byte { return ed25519.Sign(key.signer, data) }
	}
	return data + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(data)))
}

func header(changes map[string]any) map[string]any {
	h := map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": "1"}
	for name, value := range changes {
		if h[name] = value; value == nil {
			delete(h, name)
		}
	}
	return h
}

func TestAnAccessTokenSaysWhoHoldsIt(t *testing.T) {
	k := oneRing(t, clock.System)
	token, err := k.Sign(good())
	must(t, err)
	got, err := k.Verify(token, issuer, issuer, time.Now())
	if err != nil || got != good() {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := k.Verify(forge(k, header(nil), good(), nil), issuer, issuer, time.Now()); err != nil {
		t.Errorf("the tests forge badly: %v", err) // else they would prove nothing
	}
	set, err := k.JWKS()
	must(t, err)
	if text := string(set); !strings.Contains(text, `"kid":"1"`) || !strings.Contains(text, `"crv":"Ed25519"`) || strings.Contains(text, `"d"`) {
		t.Errorf("the published keys are %s", text)
	}
}

func TestForgedAccessTokensAreRefused(t *testing.T) {
	k := oneRing(t, clock.System)
	key, err := k.current(Signing)
	must(t, err)
	public := key.signer.Public().(ed25519.PublicKey)
	_, foreign, err := ed25519.GenerateKey(nil)
	must(t, err)
	byHMAC := func(secret []byte) func([]byte) []byte {
		return func(data []byte) []byte {
			h := hmac.New(sha256.New, secret)
			h.Write(data)
			return h.Sum(nil)
		}
	}
	byStranger := func(data []byte) []byte { return ed25519.Sign(foreign, data) }
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(foreign.Public().(ed25519.PublicKey))}
	with := func(change func(*Claims)) Claims { c := good(); change(&c); return c }
	honest := forge(k, header(nil), good(), nil)
	parts := strings.Split(honest, ".")
	for name, token := range map[string]string{
		"no signature":                             forge(k, header(map[string]any{"alg": "none"}), good(), func([]byte) []byte { return nil }),
		"alg none with a signature":                forge(k, header(map[string]any{"alg": "none"}), good(), nil),
		"alg None":                                 forge(k, header(map[string]any{"alg": "None"}), good(), func([]byte) []byte { return nil }),
		"HS256 with the public key":                forge(k, header(map[string]any{"alg": "HS256"}), good(), byHMAC(public)),
		"HS256 with an empty key":                  forge(k, header(map[string]any{"alg": "HS256"}), good(), byHMAC(nil)),
		"EdDSA claimed, HMAC made":                 forge(k, header(nil), good(), byHMAC(public)),
		"signed by a stranger":                     forge(k, header(nil), good(), byStranger),
		"the stranger's key in jwk":                forge(k, header(map[string]any{"jwk": jwk}), good(), byStranger),
		"the stranger's key by jku":                forge(k, header(map[string]any{"jku": "http://127.0.0.1:1/keys"}), good(), byStranger),
		"the stranger's key by x5u":                forge(k, header(map[string]any{"x5u": "http://127.0.0.1:1/keys"}), good(), byStranger),
		"unknown kid":                              forge(k, header(map[string]any{"kid": "99"}), good(), nil),
		"kid of an encryption key":                 forge(k, header(map[string]any{"kid": "encryption/1"}), good(), nil),
		"kid as a path":                            forge(k, header(map[string]any{"kid": "../../dev/null"}), good(), byHMAC(nil)),
		"kid as SQL":                               forge(k, header(map[string]any{"kid": "1' OR '1'='1"}), good(), nil),
		"kid with a sign":                          forge(k, header(map[string]any{"kid": "+1"}), good(), nil),
		"no kid":                                   forge(k, header(map[string]any{"kid": nil}), good(), nil),
		"typ of an id token":                       forge(k, header(map[string]any{"typ": "JWT"}), good(), nil),
		"no typ":                                   forge(k, header(map[string]any{"typ": nil}), good(), nil),
		"a critical header that is not understood": forge(k, header(map[string]any{"crit": []string{"x"}, "x": 1}), good(), nil),
		"an unencoded payload":                     forge(k, header(map[string]any{"crit": []string{"b64"}, "b64": false}), good(), nil),
		"another issuer":                           forge(k, header(nil), with(func(c *Claims) { c.Issuer = issuer + "/" }), nil),
		"another audience":                         forge(k, header(nil), with(func(c *Claims) { c.Audience = "https://other.test" }), nil),
		"a list of audiences":                      forge(k, header(nil), map[string]any{"iss": issuer, "aud": []string{issuer, "x"}, "exp": good().ExpiresAt}, nil),
		"expired":                                  forge(k, header(nil), with(func(c *Claims) { c.ExpiresAt = time.Now().Unix() }), nil),
		"no expiry":                                forge(k, header(nil), with(func(c *Claims) { c.ExpiresAt = 0 }), nil),
		"an expiry that is no number":              forge(k, header(nil), map[string]any{"iss": issuer, "aud": issuer, "exp": "tomorrow"}, nil),
		"issued in the future":                     forge(k, header(nil), with(func(c *Claims) { c.IssuedAt = time.Now().Add(time.Hour).Unix() }), nil),
		"claims that are no object":                forge(k, header(nil), []string{"x"}, nil),
		"another payload":                          parts[0] + "." + encode(with(func(c *Claims) { c.Subject = "acc_2" })) + "." + parts[2],
		"two parts":                                parts[0] + "." + parts[1],
		"four parts":                               honest + ".x",
		"no signature part":                        parts[0] + "." + parts[1] + ".",
		"padding":                                  honest + "=",
		"white space":                              " " + honest,
		"a line break in the middle":               parts[0] + ".\n" + parts[1] + "." + parts[2],
		"JSON serialization":                       fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q,"header":{"x":"a.b.c"}}`, parts[0], parts[1], parts[2]),
		"general JSON serialization":               fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, parts[1], parts[0], parts[2]),
		"dots":                                     strings.Repeat(".", 100_000),
		"5 MB":                                     parts[0] + "." + strings.Repeat("A", 5<<20) + "." + parts[2],
		"nothing":                                  "",
	} {
		began := time.Now()
		if c, err := k.Verify(token, issuer, issuer, time.Now()); !errors.Is(err, ErrToken) || c != (Claims{}) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: refused after %v", name, took)
		}
	}
}

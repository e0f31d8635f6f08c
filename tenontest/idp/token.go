package idp

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
)

// Token is an ID token about to be signed, for a test to bend.
type Token struct {
	Header map[string]any
	Claims map[string]any
	// SignedBy is what makes the signature; the provider's key unless set.
	SignedBy Signer
	// Raw, if set, is sent in place of all this.
	Raw string
}

// Signer is a way to sign, or not to.
type Signer string

// The ways to sign. Only the first is right.
const (
	ByProvider  Signer = ""
	ByNobody    Signer = "none"            // alg none, no signature
	ByPublicKey Signer = "public key"      // HS256 with the provider's public key for a secret
	BySecret    Signer = "client's secret" // HS256 with the client's secret
	ByStranger  Signer = "stranger"        // RS256 with another key, under the provider's key id
)

// exchange lets the provider exchange a code, and bends the ID token of its answer.
func (p *Provider) exchange(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	form, _ := url.ParseQuery(string(body)) // the provider itself refuses what does not parse
	q.Body = io.NopCloser(bytes.NewReader(body))
	var bend func(*Token)
	p.set(func() { p.exchanges, bend = append(p.exchanges, form), p.bend })
	answered := httptest.NewRecorder()
	p.handler.ServeHTTP(answered, q)
	out := answered.Body.Bytes()
	if bend != nil && answered.Code == http.StatusOK {
		out = p.bent(out, bend)
	}
	for name, values := range answered.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	w.WriteHeader(answered.Code)
	_, _ = w.Write(out) // the client may be gone
}

func (p *Provider) bent(answer []byte, bend func(*Token)) []byte {
	var members map[string]any
	if err := json.Unmarshal(answer, &members); err != nil {
		p.t.Errorf("the provider's answer is no JSON: %v", err)
		return answer
	}
	raw, _ := members["id_token"].(string)
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		p.t.Errorf("the provider's answer has no ID token: %s", answer)
		return answer
	}
	t := &Token{Header: p.decode(parts[0]), Claims: p.decode(parts[1])}
	bend(t)
	members["id_token"] = p.sign(t)
	return []byte(p.encode(members))
}

func (p *Provider) decode(part string) (members map[string]any) {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		p.t.Errorf("the ID token cannot be read: %v", err)
	}
	return members
}

func (p *Provider) encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		p.t.Errorf("the token cannot be written: %v", err)
	}
	return string(text)
}

func (p *Provider) sign(t *Token) string {
	if t.Raw != "" {
		return t.Raw
	}
	var key *rsa.PrivateKey
	p.set(func() { key = p.key })
	switch t.SignedBy {
	case ByNobody:
		t.Header["alg"] = "none"
	case ByPublicKey, BySecret:
		t.Header["alg"] = "HS256"
	}
	content := base64.RawURLEncoding.EncodeToString([]byte(p.encode(t.Header))) + "." + base64.RawURLEncoding.EncodeToString([]byte(p.encode(t.Claims)))
	return content + "." + base64.RawURLEncoding.EncodeToString(p.signature(t.SignedBy, key, []byte(content)))
}

func (p *Provider) signature(by Signer, key *rsa.PrivateKey, content []byte) []byte {
	var secret []byte
	switch by {
	case ByNobody:
		return nil
	case ByPublicKey:
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			p.t.Error(err)
		}
		secret = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	case BySecret:
		secret = []byte(ClientSecret)
	case ByStranger:
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			p.t.Error(err)
		}
	}
	if secret != nil {
		mac := hmac.New(sha256.New, secret)
		mac.Write(content)
		return mac.Sum(nil)
	}
	sum := sha256.Sum256(content)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Error(err)
	}
	return signature
}

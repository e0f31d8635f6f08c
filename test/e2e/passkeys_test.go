package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/tenonhq/tenon/test/binary"
)

// tab is a page of the product in a real browser, with authenticators that are not real.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// browse opens a page in Chromium.
func browse(t *testing.T, url string) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed: passkeys are not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(profile(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(time.Minute))
	// Not the test's own context, which has ended when the browser is to be closed in order.
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("close the browser: %v", err)
		}
		stop()
	})
	p := &tab{t, ctx}
	p.do(chromedp.Navigate(url), webauthn.Enable())
	return p
}

// profile is an empty folder for a browser, whose helpers may write to it for a moment
// after it has ended: it is removed as far as it goes.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tenon-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 20 {
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	return dir
}

func (p *tab) do(actions ...chromedp.Action) {
	p.t.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// plug adds an authenticator.
func (p *tab) plug(o *webauthn.VirtualAuthenticatorOptions) (id webauthn.AuthenticatorID) {
	p.t.Helper()
	o.Protocol, o.AutomaticPresenceSimulation = webauthn.AuthenticatorProtocolCtap2, true
	p.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		id, err = webauthn.AddVirtualAuthenticator(o).Do(ctx)
		return err
	}))
	return id
}

// rollBack makes an authenticator forget that its passkeys were used.
func (p *tab) rollBack(id webauthn.AuthenticatorID) {
	p.t.Helper()
	p.do(chromedp.ActionFunc(func(ctx context.Context) error {
		all, err := webauthn.GetCredentials(id).Do(ctx)
		if err != nil {
			return err
		}
		for _, c := range all {
			c.SignCount = 1
			if err := webauthn.RemoveCredential(id, string(c.CredentialID)).Do(ctx); err != nil {
				p.t.Logf("remove a credential: %v", err)
			}
			if err := webauthn.AddCredential(id, c).Do(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
}

// credential has the browser make or use a passkey. What the browser refuses is an error.
func (p *tab) credential(verb, parse string, options any) (json.RawMessage, error) {
	p.t.Helper()
	raw, err := json.Marshal(options)
	if err != nil {
		p.t.Fatal(err)
	}
	script := fmt.Sprintf(`navigator.credentials.%s({publicKey: PublicKeyCredential.%s(%s)}).then(c => JSON.stringify(c.toJSON()), e => 'refused: ' + e)`, verb, parse, raw)
	var out string
	p.do(chromedp.Evaluate(script, &out, func(e *runtime.EvaluateParams) *runtime.EvaluateParams {
		return e.WithAwaitPromise(true).WithUserGesture(true)
	}))
	if refused, ok := strings.CutPrefix(out, "refused: "); ok {
		return nil, fmt.Errorf("the browser: %s", refused)
	}
	return json.RawMessage(out), nil
}

func (p *tab) create(options any) (json.RawMessage, error) {
	return p.credential("create", "parseCreationOptionsFromJSON", options)
}

func (p *tab) get(options any) (json.RawMessage, error) {
	return p.credential("get", "parseRequestOptionsFromJSON", options)
}

// enter signs in with what is plugged in; it is nil where the browser has nothing to offer.
func (p *tab) enter(c *binary.Client) (*binary.Answer, error) {
	p.t.Helper()
	begun := c.With("").Call("POST", "/auth/passkey/options", map[string]any{}).Want(p.t, 200)
	answer, err := p.get(begun.Body["options"])
	if err != nil {
		return nil, err
	}
	got := c.With("").Call("POST", "/auth/passkey", map[string]any{"challenge_token": begun.Get("challenge_token"), "credential": answer})
	return &got, nil
}

// add adds a passkey and returns its description.
func (p *tab) add(c *binary.Client, name string) binary.Answer {
	p.t.Helper()
	begun := c.Call("POST", "/passkeys/registration", map[string]any{"name": name}).Want(p.t, 200)
	made, err := p.create(begun.Body["options"])
	if err != nil {
		p.t.Fatal(err)
	}
	return c.Call("POST", "/passkeys", map[string]any{"registration_token": begun.Get("registration_token"), "credential": made}).Want(p.t, 201)
}

// The server is on 127.0.0.1, of which browsers know no passkeys: the page is opened as localhost.
func TestPasskeysInABrowser(t *testing.T) {
	node := binary.Serve(t, nil)
	c := binary.NewClient(node.URL)
	page := strings.Replace(node.URL, "127.0.0.1", "localhost", 1) + "/docs"

	t.Run("of the device, which knows its owner", func(t *testing.T) {
		p, ada := browse(t, page), c.SignUp(t, "ada@example.com")
		phone := p.plug(&webauthn.VirtualAuthenticatorOptions{Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true, IsUserVerified: true})
		made := p.add(ada, "My phone")
		if transports, _ := made.Body["transports"].([]any); len(transports) != 1 || transports[0] != "internal" {
			t.Errorf("it is reached by %v", made.Body["transports"])
		}
		for range 2 {
			got, err := p.enter(c)
			if err != nil {
				t.Fatal(err)
			}
			if me := c.With(got.Want(t, 200).Get("access_token")).Call("GET", "/users/me", nil).Want(t, 200); me.Get("email") != "ada@example.com" {
				t.Errorf("signed in as %s", me.Text)
			}
		}
		// The same authenticator is not added twice.
		again := ada.Call("POST", "/passkeys/registration", map[string]any{"name": "again"}).Want(t, 200)
		if _, err := p.create(again.Body["options"]); err == nil || !strings.Contains(err.Error(), "InvalidStateError") {
			t.Errorf("a second passkey on one authenticator: %v", err)
		}
		// For a confirmation the browser offers it too.
		begun := ada.Call("POST", "/passkeys/assertion", nil).Want(t, 200)
		answer, err := p.get(begun.Body["options"])
		if err != nil {
			t.Fatal(err)
		}
		ada.Call("POST", "/auth/confirm", map[string]any{"method": "passkey", "credential": answer}).Want(t, 204)
		ada.Call("POST", "/auth/confirm", map[string]any{"method": "passkey", "credential": answer}).Want(t, 401)
		// A finger that is not the owner's signs nothing.
		p.do(webauthn.SetUserVerified(phone, false))
		if got, err := p.enter(c); err == nil {
			t.Errorf("a stranger's finger: %s", got.Text)
		}
		p.do(webauthn.SetUserVerified(phone, true))
		p.rollBack(phone)
		got, err := p.enter(c)
		if err != nil {
			t.Fatal(err)
		}
		if got.Want(t, 401).Get("code") != "passkeys.refused" {
			t.Errorf("with a counter that went back: %s", got.Text)
		}
		told := func() bool {
			for _, letter := range c.Letters("ada@example.com") {
				if subject, _ := letter["subject"].(string); strings.Contains(subject, "copy of your passkey") {
					return true
				}
			}
			return false
		}
		node.Await("the owner to be told of a copy", 20*time.Second, told)
	})

	t.Run("a security key, which does not", func(t *testing.T) {
		p, bob := browse(t, page), c.SignUp(t, "bob@example.com")
		p.plug(&webauthn.VirtualAuthenticatorOptions{Transport: webauthn.AuthenticatorTransportUsb})
		made := p.add(bob, "Key")
		if transports, _ := made.Body["transports"].([]any); len(transports) != 1 || transports[0] != "usb" {
			t.Errorf("it is reached by %v", made.Body["transports"])
		}
		if got, err := p.enter(c); err == nil {
			t.Errorf("it signs in by itself: %s", got.Text)
		}
		half := c.With("").Call("POST", "/auth/login", map[string]any{"email": "bob@example.com", "password": binary.Password}).Want(t, 200)
		if half.Get("status") != "second_factor_required" {
			t.Fatalf("a password alone: %s", half.Text)
		}
		begun := c.With("").Call("POST", "/auth/second-factor/passkey-options", map[string]any{"challenge_token": half.Get("challenge_token")}).Want(t, 200)
		answer, err := p.get(begun.Body["options"])
		if err != nil {
			t.Fatalf("as a second factor: %v", err)
		}
		finish := map[string]any{"challenge_token": half.Get("challenge_token"), "method": "passkey", "credential": answer}
		c.With("").Call("POST", "/auth/second-factor", finish).Want(t, 200)
		c.With("").Call("POST", "/auth/second-factor", finish).Want(t, 401)
	})

	t.Run("a security key with a PIN", func(t *testing.T) {
		p, eve := browse(t, page), c.SignUp(t, "eve@example.com")
		p.plug(&webauthn.VirtualAuthenticatorOptions{Transport: webauthn.AuthenticatorTransportUsb, HasResidentKey: true, HasUserVerification: true, IsUserVerified: true})
		p.add(eve, "Key with a PIN")
		got, err := p.enter(c)
		if err != nil {
			t.Fatal(err)
		}
		got.Want(t, 200)
	})
}

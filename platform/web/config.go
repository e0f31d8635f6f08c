package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config says how the API is reached.
type Config struct {
	// PublicURL is where people reach the product, such as https://app.example.com: every
	// link in every mail begins with it. Required in production.
	PublicURL string `env:"TENON_PUBLIC_URL"`
	// TrustedProxies are the networks, such as 10.0.0.0/8, whose X-Forwarded-For is
	// believed; none unless set.
	TrustedProxies []netip.Prefix `env:"TENON_TRUSTED_PROXIES"`
	// AllowedOrigins are other web origins that may call the API from a browser, exactly.
	AllowedOrigins []string `env:"TENON_ALLOWED_ORIGINS"`
	// BodyLimit bounds JSON bodies, in bytes.
	BodyLimit int64 `env:"TENON_BODY_LIMIT" envDefault:"262144"`
	// DrainDelay is how long a stopping node still accepts work after it has said
	// that it is not ready, for load balancers to notice: 5 seconds in production.
	DrainDelay time.Duration `env:"TENON_DRAIN_DELAY"`
}

// Check completes the configuration and refuses what makes no sense.
func (c *Config) Check(production bool) error {
	if c.BodyLimit == 0 {
		c.BodyLimit = defaultBodyLimit
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("TENON_PUBLIC_URL must be like https://app.example.com, not %q", c.PublicURL)
	}
	if production && u.Scheme != "https" {
		return errors.New("TENON_PUBLIC_URL must begin with https:// in production")
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	for _, o := range c.AllowedOrigins {
		if u, err := url.Parse(o); err != nil || u.Scheme+"://"+u.Host != o || u.Host == "" {
			return fmt.Errorf("TENON_ALLOWED_ORIGINS: %q is not an origin like https://app.example.com", o)
		}
	}
	return nil
}

// origin is the scheme and host of PublicURL.
func (c Config) origin() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Base is the path of PublicURL, such as /app; usually there is none.
func (c Config) Base() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

func (c Config) https() bool { return strings.HasPrefix(c.PublicURL, "https://") }

// secureCookies is false only where the product is reached over plain HTTP, which
// Check allows in development alone: browsers keep no Secure cookie there.
func (c Config) secureCookies() bool { return c.https() }

// cookieName is what browsers call one of our cookies. With the prefix they take it
// from this host alone, and over TLS alone (RFC 6265bis §4.1.3).
func (c Config) cookieName(name string) string {
	if c.secureCookies() {
		return "__Host-tenon_" + name
	}
	return "tenon_" + name
}

// The cookies that every request may bring.
const (
	sessionCookie = "session"
	deviceCookie  = "device"
)

// BringsSession tells whether a request carries a session cookie, whatever it is worth.
func (r *Router) BringsSession(q *http.Request) bool {
	_, err := q.Cookie(r.Config.cookieName(sessionCookie))
	return err == nil
}

// SessionCookie is the Set-Cookie value that keeps a browser signed in until expires.
func (r *Router) SessionCookie(token string, expires time.Time) string {
	c := r.cookie(sessionCookie, token)
	c.Expires = expires
	return c.String()
}

// ClearSessionCookie is the Set-Cookie value that makes a browser forget its session.
func (r *Router) ClearSessionCookie() string {
	c := r.cookie(sessionCookie, "")
	c.MaxAge = -1
	return c.String()
}

// deviceLife is how long a browser is recognised; browsers keep no cookie for longer.
const deviceLife = 400 * 24 * time.Hour

// DeviceCookie is the Set-Cookie value by which a browser is recognised at its next
// sign-in. It opens nothing.
func (r *Router) DeviceCookie(token string) string {
	c := r.cookie(deviceCookie, token)
	c.MaxAge = int(deviceLife.Seconds())
	return c.String()
}

// FlowCookie is the Set-Cookie value that binds something begun in a browser, such as
// a sign-in at another provider, to that browser for a while. Empty, it is forgotten.
func (r *Router) FlowCookie(name, token string, life time.Duration) string {
	c := r.cookie(name, token)
	c.MaxAge = int(life.Seconds())
	if token == "" {
		c.MaxAge = -1
	}
	return c.String()
}

// CookieFrom is the value of the cookie of that name which the browser sent with the
// operation under way, or "".
func (r *Router) CookieFrom(ctx context.Context, name string) string {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return ""
	}
	return c.cookie(r.Config.cookieName(name))
}

// CookieName is what browsers call the cookie of that name.
func (r *Router) CookieName(name string) string { return r.Config.cookieName(name) }

func (r *Router) cookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: r.Config.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: r.Config.secureCookies(), SameSite: http.SameSiteLaxMode}
}

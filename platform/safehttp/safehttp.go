// Package safehttp owns outbound HTTP to addresses that users supply: webhooks,
// avatars, identity providers. The decision falls on the very address that is dialled,
// so no name, redirect or change of DNS leads into the operator's network.
package safehttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/tenonhq/tenon/platform/errs"
)

// The outcomes. None tells whether something listens behind a blocked address, and the
// causes are for the log.
var (
	ErrBlocked     = errs.New(errs.Invalid, "url_blocked", "This URL may not be used. Give the https or http address of a public server.")
	ErrUnreachable = errs.New(errs.Invalid, "url_unreachable", "The server at this URL did not give an answer that could be used.")
	ErrTooLarge    = errs.New(errs.Invalid, "url_too_large", "The server at this URL answered with more than is accepted.")
)

// Options change what a Client may do. The zero Options are strict.
type Options struct {
	// AllowPrefixes are networks that may be reached although they are not public: what
	// an operator names on purpose, or a test's loopback. With any, names such as
	// "localhost" are decided by the address they resolve to.
	AllowPrefixes []netip.Prefix
	MaxRedirects  int           // how many redirects of a GET or HEAD are followed, 3 at most; none unless set
	MaxBody       int64         // bytes read of an answer; 1 MiB unless set
	Timeout       time.Duration // of the whole exchange, the body included; 15 s unless set
	Resolver      *net.Resolver // the system's unless set
	RootCAs       *x509.CertPool
}

// Client makes requests to addresses that users supplied.
type Client struct {
	guard guard
	http  *http.Client
}

// New returns a client. It keeps connections for reuse: make one and share it.
func New(o Options) *Client {
	o = o.withDefaults()
	g := guard{allow: o.AllowPrefixes}
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, Resolver: o.Resolver, ControlContext: g.control}
	t := &transport{guard: g, maxBody: o.MaxBody, next: &http.Transport{
		Proxy:                  nil, // a proxy would dial for us, unchecked
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  o.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // a small answer stays small
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
	}}
	return &Client{guard: g, http: &http.Client{Transport: t, Timeout: o.Timeout, CheckRedirect: redirects(o.MaxRedirects)}}
}

// Do sends a request. The error is ErrBlocked, ErrUnreachable, or that of the request's
// context; while the body is read it may also be ErrTooLarge.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return nil, outcome(req.Context(), err)
	}
	return res, nil
}

// HTTP is the client in the standard library's clothes, for a library that wants one.
// It is as strict; only its errors are wrapped in *url.Error.
func (c *Client) HTTP() *http.Client { return c.http }

// CheckURL returns ErrBlocked for a URL that can be told to be unacceptable without
// asking DNS: call it when the URL is saved. Do checks again, and what it resolves to.
func (c *Client) CheckURL(raw string) error {
	if len(raw) > maxURL {
		return ErrBlocked.Because(errors.New("the URL is too long"))
	}
	u, err := url.Parse(raw)
	if err != nil {
		return ErrBlocked.Because(err)
	}
	return c.guard.checkURL(u)
}

func (o Options) withDefaults() Options {
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	o.MaxRedirects = min(o.MaxRedirects, 3)
	return o
}

// transport checks every request, that of each redirect included.
type transport struct {
	guard   guard
	maxBody int64
	next    *http.Transport
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.guard.checkURL(req.URL); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // the contract of RoundTripper; the request is not sent
		}
		return nil, err
	}
	res, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, outcome(req.Context(), err)
	}
	res.Body = &capped{ReadCloser: res.Body, ctx: req.Context(), left: t.maxBody}
	return res, nil
}

// CloseIdleConnections is what http.Client calls for the method of the same name.
func (t *transport) CloseIdleConnections() { t.next.CloseIdleConnections() }

// outcome turns any error of a request into a declared one. What the caller itself
// ended stays as it is.
func outcome(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, ErrBlocked) {
		return err
	}
	if declared, ok := errors.AsType[*errs.Error](err); ok {
		return declared
	}
	return ErrUnreachable.Because(err)
}

// capped reads so many bytes of a body and then fails, so that a cut answer is never
// taken for a whole one.
type capped struct {
	io.ReadCloser
	ctx  context.Context
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.ReadCloser.Read(p)
	if int64(n) > c.left {
		n, c.left = int(c.left), 0
		return n, ErrTooLarge
	}
	c.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = outcome(c.ctx, err)
	}
	return n, err
}

// redirects follows up to most of them. Only a request that carries nothing is followed:
// a body may hold a secret that was meant for the first server.
func redirects(most int) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		if most <= 0 {
			return http.ErrUseLastResponse
		}
		first := via[0]
		switch {
		case len(via) > most:
			return ErrUnreachable.Because(errors.New("too many redirects"))
		case first.Method != http.MethodGet && first.Method != http.MethodHead:
			return http.ErrUseLastResponse
		case via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https":
			return ErrBlocked.Because(errors.New("redirect from https to " + next.URL.Scheme))
		}
		for _, hop := range append(via[1:len(via):len(via)], next) {
			if hop.URL.Scheme != first.URL.Scheme || hop.URL.Host != first.URL.Host {
				keepHarmless(next.Header)
				break
			}
		}
		return nil
	}
}

// keepHarmless drops every header that could be a credential, whatever its name.
func keepHarmless(h http.Header) {
	for name := range h {
		switch name {
		case "Accept", "Accept-Language", "User-Agent":
		default:
			delete(h, name)
		}
	}
}

// control is called with each address about to be dialled, after DNS and before a packet.
func (g guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrBlocked.Because(err)
	}
	if !g.allows(to.Addr()) || !allowedPort(int(to.Port())) {
		return ErrBlocked.Because(errors.New("dial " + address))
	}
	return nil
}

func portOf(u *url.URL) (int, error) {
	switch text := u.Port(); {
	case text != "":
		return strconv.Atoi(text)
	case u.Scheme == "https":
		return 443, nil
	default:
		return 80, nil
	}
}

package safehttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/tenonhq/tenon/platform/safehttp"
)

func TestTheAddressThatIsDialledDecides(t *testing.T) {
	world := newWorld(t)
	var asked atomic.Int64
	resolver := dns(t, map[string]func() []netip.Addr{
		"good.example.":      func() []netip.Addr { return []netip.Addr{public} },
		"private.example.":   func() []netip.Addr { return []netip.Addr{private} },
		"mapped.example.":    func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("::ffff:127.0.0.1")} },
		"loopback6.example.": func() []netip.Addr { return []netip.Addr{netip.IPv6Loopback()} },
		"zero.example.":      func() []netip.Addr { return []netip.Addr{netip.IPv4Unspecified()} },
		"both.example.":      func() []netip.Addr { return []netip.Addr{private, public} },
		"both6.example.":     func() []netip.Addr { return []netip.Addr{netip.IPv6Loopback(), public} },
		"rebinding.example.": func() []netip.Addr {
			if asked.Add(1) == 1 {
				return []netip.Addr{public}
			}
			return []netip.Addr{private}
		},
	})
	client := world.client(safehttp.Options{Resolver: resolver})
	for name, want := range map[string]error{
		"good.example": nil, "both.example": nil, "both6.example": nil,
		"private.example": safehttp.ErrBlocked, "mapped.example": safehttp.ErrBlocked, "loopback6.example": safehttp.ErrBlocked,
		"zero.example": safehttp.ErrBlocked, "absent.example": safehttp.ErrUnreachable,
	} {
		if _, err := get(t, client, world.url(name)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if _, err := get(t, client, world.url("rebinding.example")); err != nil {
		t.Errorf("first: %v", err)
	}
	client.HTTP().CloseIdleConnections()
	if _, err := get(t, client, world.url("rebinding.example")); !errors.Is(err, safehttp.ErrBlocked) {
		t.Errorf("after it changed its mind: %v", err)
	}
	if n := world.heard.Load(); n != 0 {
		t.Errorf("%d connections reached the private address", n)
	}
}

func TestRedirectsAreNotFollowedUnlessAskedFor(t *testing.T) {
	world := newWorld(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		world.answer = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, world.url(private.String()), status)
		}
		res, err := get(t, world.client(safehttp.Options{}), world.url(public.String()))
		if err != nil || res.StatusCode != status {
			t.Errorf("%d: %v, %v", status, res, err)
		}
	}
	if n := world.heard.Load(); n != 0 {
		t.Errorf("%d connections reached the private address", n)
	}
}

func TestEachHopIsCheckedAgain(t *testing.T) {
	world := newWorld(t)
	client := world.client(safehttp.Options{MaxRedirects: 9})
	for to, want := range map[string]error{
		world.url(private.String()): safehttp.ErrBlocked, "file:///etc/passwd": safehttp.ErrBlocked, "http://u:p@" + public.String() + "/": safehttp.ErrBlocked,
		"http://0x7f.1/": safehttp.ErrBlocked, "http://[::1]/": safehttp.ErrBlocked, "http://" + public.String() + ":6379/": safehttp.ErrBlocked,
		world.url(public.String()) + "/loop": safehttp.ErrUnreachable, world.url(public.String()) + "/end": nil,
	} {
		world.answer = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/end" {
				http.Redirect(w, r, to, http.StatusFound)
			}
		}
		if _, err := get(t, client, world.url(public.String())); !errors.Is(err, want) {
			t.Errorf("to %s: %v, want %v", to, err, want)
		}
	}
	if n := world.heard.Load(); n != 0 {
		t.Errorf("%d connections reached the private address", n)
	}
}

func TestAtMostThreeRedirectsAreFollowed(t *testing.T) {
	world := newWorld(t)
	asked := 0
	world.answer = func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, fmt.Sprintf("/%d", asked), http.StatusFound)
	}
	_, err := get(t, world.client(safehttp.Options{MaxRedirects: 20}), world.url(public.String()))
	if !errors.Is(err, safehttp.ErrUnreachable) || asked != 4 {
		t.Errorf("%d requests, then %v", asked, err)
	}
}

func TestSecretsStayWithTheirHost(t *testing.T) {
	world := newWorld(t)
	var seen http.Header
	target := ""
	world.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			seen = r.Header.Clone()
			return
		}
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	}
	client := world.client(safehttp.Options{MaxRedirects: 3})
	send := func(method string) *http.Response {
		t.Helper()
		seen = nil
		req, err := http.NewRequestWithContext(t.Context(), method, world.url(public.String()), strings.NewReader("secret"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "Webhook-Signature"} {
			req.Header.Set(name, "secret")
		}
		req.Header.Set("Accept", "application/json")
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	target = world.url(other.String()) + "/end"
	send(http.MethodGet)
	if seen.Get("Accept") != "application/json" {
		t.Errorf("headers = %v", seen)
	}
	for name, values := range seen {
		if strings.Contains(strings.Join(values, ""), "secret") || name == "Referer" {
			t.Errorf("%s went to another host", name)
		}
	}
	target = "/end"
	if send(http.MethodGet); seen.Get("X-Api-Key") != "secret" {
		t.Errorf("headers = %v", seen)
	}
	if res := send(http.MethodPost); seen != nil || res.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("a POST was followed: %v", seen)
	}
}

func TestALongAnswerIsCutWithAnError(t *testing.T) {
	world := newWorld(t)
	size := 0
	world.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) }
	client := world.client(safehttp.Options{MaxBody: 1000})
	for _, size = range []int{0, 999, 1000, 1001, 100_000} {
		res, err := client.Do(request(t, world.url(public.String())))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if size <= 1000 && (err != nil || len(body) != size) || size > 1000 && (!errors.Is(err, safehttp.ErrTooLarge) || len(body) > 1000) {
			t.Errorf("of %d bytes %d were read: %v", size, len(body), err)
		}
	}
}

func TestASlowServerIsLeft(t *testing.T) {
	world := newWorld(t)
	world.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, "begin")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}
	client := world.client(safehttp.Options{Timeout: 100 * time.Millisecond})
	start := time.Now()
	if _, err := get(t, client, world.url(public.String())); !errors.Is(err, safehttp.ErrUnreachable) {
		t.Errorf("no header: %v", err)
	}
	res, err := client.Do(request(t, world.url(public.String())+"/body"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("no end, and no error")
	}
	res.Body.Close()
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Do(request(t, world.url(public.String())).WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller left: %v", err)
	}
}

func TestAProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	world := newWorld(t)
	t.Setenv("HTTP_PROXY", world.url(private.String()))
	if _, err := get(t, world.client(safehttp.Options{}), world.url(public.String())); err != nil {
		t.Error(err)
	}
	if n := world.heard.Load(); n != 0 {
		t.Errorf("%d connections reached the proxy", n)
	}
}

// The whole of 127.0.0.0/8 is this machine: two addresses play the internet, the third
// is private and must hear nothing.
var (
	public  = netip.MustParseAddr("127.0.0.2")
	other   = netip.MustParseAddr("127.0.0.3")
	private = netip.MustParseAddr("127.0.0.1")
)

type world struct {
	port   int
	answer http.HandlerFunc
	heard  *atomic.Int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{answer: func(http.ResponseWriter, *http.Request) {}}
	w.heard, w.port = canary(t)
	for _, address := range []netip.Addr{public, other} {
		l, err := net.Listen("tcp", netip.AddrPortFrom(address, uint16(w.port)).String())
		if err != nil {
			t.Skipf("this machine has one loopback address only: %v", err)
		}
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.answer(rw, r) }))
		s.Listener.Close()
		s.Listener = l
		s.Start()
		t.Cleanup(s.Close)
	}
	return w
}

func (w *world) url(host string) string { return fmt.Sprintf("http://%s:%d", host, w.port) }

func (w *world) client(o safehttp.Options) *safehttp.Client {
	o.AllowPrefixes = []netip.Prefix{netip.PrefixFrom(public, 32), netip.PrefixFrom(other, 32)}
	return safehttp.New(o)
}

func get(t *testing.T, c *safehttp.Client, url string) (*http.Response, error) {
	t.Helper()
	res, err := c.Do(request(t, url))
	if err == nil {
		res.Body.Close()
	}
	return res, err
}

func request(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// dns answers questions over UDP, with no time to live.
func dns(t *testing.T, zone map[string]func() []netip.Addr) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			var question dnsmessage.Message
			if question.Unpack(buf[:n]) != nil || len(question.Questions) != 1 {
				continue
			}
			if reply, err := answer(question, zone).Pack(); err == nil {
				_, _ = server.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// answer asks the zone once for each name, when the IPv4 question comes, so that a
// name which changes its mind does so between look-ups.
func answer(m dnsmessage.Message, zone map[string]func() []netip.Addr) *dnsmessage.Message {
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	addresses := zone[q.Name.String()]
	if addresses == nil {
		m.RCode = dnsmessage.RCodeNameError
		return &m
	}
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
	if q.Type == dnsmessage.TypeAAAA && strings.HasPrefix(q.Name.String(), "rebinding") {
		return &m
	}
	for _, a := range addresses() {
		switch {
		case q.Type == dnsmessage.TypeA && a.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
		case q.Type == dnsmessage.TypeAAAA && !a.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return &m
}

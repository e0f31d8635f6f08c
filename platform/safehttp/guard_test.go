package safehttp_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/safehttp"
)

// notPublic are hosts that a user must never make us reach.
func notPublic() []string {
	return []string{
		"127.0.0.1", "127.255.255.254", "0", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:8.8.8.8]",
		"2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "0177.1", "0177.0.0.1", "127.1", "127.0.1", "017700000001", "127.0.0.1.", "00127.0.0.1",
		"127.0.0.0x1", "127.0.0.1%00", "127.0.0.256", "1.2.3.4.5",
		"169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.192", "192.0.0.1", "198.18.0.1", "198.19.255.255",
		"240.0.0.1", "255.255.255.255", "224.0.0.1", "239.1.1.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.2.1",
		"198.51.100.1", "203.0.113.1", "192.88.99.1", "168.63.129.16",
		"[fd00:ec2::254]", "[fd20:ce::254]", "[fc00::1]", "[fe80::1]", "[fe80::1%25lo]", "[::1%25lo]", "[2606:4700::1%25lo]", "[fec0::1]", "[ff02::1]",
		"[64:ff9b::7f00:1]", "[64:ff9b::808:808]", "[64:ff9b:1::a9fe:a9fe]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
		"[2001:db8::1]", "[2001:2::1]", "[2001:10::1]", "[100::1]", "[3fff::1]", "[5f00::1]", "[::7f00:1]", "[0:0:0:0:0:ffff:7f00:1]", "[2620:4f:8000::1]",
		"localhost", "LOCALHOST.", "LocalHost", "a.localhost", "localhost.localdomain", "printer.local", "metadata.google.internal", "metadata",
		"kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "db.cluster.local.", "router.home.arpa", "router.lan",
		"１２７.０.０.１", "127。0。0。1", "ⓛocalhost", "127%2e0%2e0%2e1", "loc%61lhost", "%6cocalhost", "a..b", ".", "..", "a b",
	}
}

func TestNoCanaryEverHearsFromUs(t *testing.T) {
	heard, port := canary(t)
	client := safehttp.New(safehttp.Options{})
	for _, host := range notPublic() {
		for _, suffix := range []string{fmt.Sprintf(":%d", port), "", ":443"} {
			raw := "http://" + host + suffix + "/x"
			if err := client.CheckURL(raw); !errors.Is(err, safehttp.ErrBlocked) {
				t.Errorf("save %s: %v", raw, err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, raw, nil)
			if err != nil {
				continue // not even a URL
			}
			if res, err := client.Do(req); !errors.Is(err, safehttp.ErrBlocked) {
				t.Errorf("get %s: %v, %v", raw, res, err)
			}
		}
	}
	if n := heard.Load(); n != 0 {
		t.Errorf("%d connections reached this machine", n)
	}
}

func TestOnlyTheWebIsSpoken(t *testing.T) {
	client := safehttp.New(safehttp.Options{})
	for _, raw := range []string{
		"file:///etc/passwd", "FILE:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "javascript:alert(1)", "data:text/plain,x", "ws://example.com",
		"//example.com/", "/path", "", "example.com", "http:example.com", "http://", "http:///x", "https://user@example.com/", "https://u:p@example.com/", "https://@example.com/",
		"http://example.com\\@127.0.0.1/", "http://example.com:70000/", "http://example.com:0/", "http://example.com:-1/", "http://example.com:x/", "http://exam\nple.com/", "http://[::1/",
		"http://example.com/" + strings.Repeat("x", 2048),
	} {
		if err := client.CheckURL(raw); !errors.Is(err, safehttp.ErrBlocked) {
			t.Errorf("%.60q: %v", raw, err)
		}
	}
	for _, port := range []int{1, 22, 25, 110, 143, 445, 1023, 2375, 3306, 5432, 6379, 9200, 10250, 11211, 27017} {
		if err := client.CheckURL(fmt.Sprintf("http://example.com:%d/", port)); !errors.Is(err, safehttp.ErrBlocked) {
			t.Errorf("port %d: %v", port, err)
		}
	}
	for _, raw := range []string{
		"https://example.com/hook?a=1", "hTTp://EXAMPLE.com.", "http://example.com:80", "https://example.com:8443/", "http://8.8.8.8/", "https://[2606:4700:4700::1111]/",
		"https://münchen.example/", "https://under_score.example.com/", "https://xn--mnchen-3ya.example/", "https://1password.com/", "https://example.com:3000/",
		"http://172.32.0.1/", "http://100.128.0.1/", "http://169.253.0.1/", "http://192.0.1.1/", "http://198.20.0.1/", "http://[2001:4860:4860::8888]/",
	} {
		if err := client.CheckURL(raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestABlockedURLTellsNothingAboutItsPort(t *testing.T) {
	_, open := canary(t)
	client := safehttp.New(safehttp.Options{})
	var said []string
	for _, port := range []int{open, closedPort(t)} {
		err := client.CheckURL(fmt.Sprintf("http://127.0.0.1:%d/", port))
		declared, ok := errors.AsType[*errs.Error](err)
		if !ok {
			t.Fatalf("error is %v", err)
		}
		said = append(said, fmt.Sprint(declared.Kind, declared.Code, declared.Message, declared.Field, declared.Extra))
	}
	if said[0] != said[1] {
		t.Errorf("%q differs from %q", said[0], said[1])
	}
}

func TestAnOperatorMayOpenANetwork(t *testing.T) {
	client := safehttp.New(safehttp.Options{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}})
	for raw, want := range map[string]bool{
		"http://10.1.2.3/": true, "http://[fd00:1::5]/": true, "http://hook.internal/": true, "http://kubernetes/": true,
		"http://10.2.0.1/": false, "http://[fd00:2::5]/": false, "http://[::ffff:10.1.2.3]/": false, "http://127.0.0.1/": false,
		"http://10.1.515/": false, "http://10.1.2.3:6379/": false,
	} {
		if err := client.CheckURL(raw); (err == nil) != want {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, host := range notPublic() {
		f.Add("http://" + host + "/")
	}
	client := safehttp.New(safehttp.Options{})
	f.Fuzz(func(t *testing.T, raw string) {
		if client.CheckURL(raw) != nil {
			return
		}
		req, err := http.NewRequest(http.MethodGet, raw, nil)
		if err != nil {
			t.Fatalf("%q was accepted: %v", raw, err)
		}
		host := strings.ToLower(req.URL.Hostname())
		if ip := net.ParseIP(strings.TrimSuffix(host, ".")); ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()) {
			t.Errorf("%q was accepted", raw)
		}
		if strings.TrimSuffix(host, ".") == "localhost" || req.URL.User != nil {
			t.Errorf("%q was accepted", raw)
		}
	})
}

// canary listens on both loopback addresses and counts who comes.
func canary(t *testing.T) (heard *atomic.Int64, port int) {
	t.Helper()
	heard = &atomic.Int64{}
	first := listen(t, "127.0.0.1:0")
	port = first.Addr().(*net.TCPAddr).Port
	listeners := []net.Listener{first}
	if second, err := net.Listen("tcp", fmt.Sprintf("[::1]:%d", port)); err == nil { // not every machine has IPv6
		t.Cleanup(func() { second.Close() })
		listeners = append(listeners, second)
	}
	for _, l := range listeners {
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				heard.Add(1)
				conn.Close()
			}
		}()
	}
	return heard, port
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func closedPort(t *testing.T) int {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

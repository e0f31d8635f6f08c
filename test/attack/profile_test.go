package attack

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tenonhq/tenon/tenontest"
)

// H01 for avatars: an address is text that browsers fetch, from known hosts only. We
// never do; and every refusal is the same.
func TestH01PicturesComeFromKnownHostsOnly(t *testing.T) {
	canary, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var heard atomic.Int64
	go func() {
		for {
			c, err := canary.Accept()
			if err != nil {
				return
			}
			heard.Add(1)
			_ = c.Close()
		}
	}()
	port := canary.Addr().(*net.TCPAddr).Port
	var addresses []string
	for _, host := range []string{
		"127.0.0.1", "0", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "2130706433", "0x7f.1", "0177.1", "127.1", "169.254.169.254", "100.64.0.1", "192.0.0.192", "198.18.0.1",
		"240.0.0.1", "[fd00:ec2::254]", "[fe80::1%25lo]", "[fec0::1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "168.63.129.16",
		"localhost", "LOCALHOST.", "a.localhost", "db.cluster.local", "metadata.google.internal", "evil.test", "secure.gravatar.com.evil.test", "evilgravatar.com", "x.secure.gravatar.com",
		"secure.gravatar.com.", "secure%2egravatar%2ecom", "secure。gravatar。com", "ｓecure.gravatar.com", "sеcure.gravatar.com", "SECURE.gravatar.com", "[secure.gravatar.com]", "",
	} {
		addresses = append(addresses, "https://"+host+"/x.png", "http://"+host+"/x.png", fmt.Sprintf("https://%s:%d/", host, port), "https://"+host+"?secure.gravatar.com", "https://"+host)
	}
	for _, p := range []string{"22", "25", "80", "443", "5432", "6379", "", "0443"} {
		addresses = append(addresses, "https://secure.gravatar.com:"+p+"/x.png")
	}
	addresses = append(addresses,
		"http://secure.gravatar.com/x.png", "HTTPS://secure.gravatar.com/x.png", "hTTps://secure.gravatar.com/x", "file:///etc/passwd", "FILE:///etc/passwd", "gopher://secure.gravatar.com/", "ftp://secure.gravatar.com/x",
		"javascript:alert(1)", "javascript://secure.gravatar.com/%0aalert(1)", "data:image/svg+xml,<svg onload=alert(1)>", "//secure.gravatar.com/x", "/x.png", "https:secure.gravatar.com/x", "https:/secure.gravatar.com/x",
		"https:///secure.gravatar.com/x", "secure.gravatar.com/x", "https://ada@secure.gravatar.com/x", "https://ada:pw@secure.gravatar.com/x", "https://secure.gravatar.com@evil.test/x", "https://secure.gravatar.com:x@evil.test/",
		`https://secure.gravatar.com\@evil.test/`, `https://evil.test\@secure.gravatar.com/`, `https:\\secure.gravatar.com\x`, "https://secure.gravatar.com/x#fragment", "https://evil.test/#@secure.gravatar.com/", "https://secure.gravatar.com#@evil.test/",
		"https://secure.gravatar.com/x\r\nX: y", "https://secure.gravatar.com/\x00", "https://secure.gravatar.com/\t", " https://secure.gravatar.com/x", "https://secure.gravatar.com/x ", "https://secure.gravatar.com /x",
		`https://secure.gravatar.com/"><script>alert(1)</script>`, "https://secure.gravatar.com/'x", "https://secure.gravatar.com/`x", "https://secure.gravatar.com/ü", "https://secure.gravatar.com/%zz", "https://secure.gravatar.com/\u202e", "x", "https://", " ",
		"https://secure.gravatar.com/"+strings.Repeat("a", 1973),
	)
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		app.Call(ada, "PATCH", "/users/me", `{"avatar_url":"https://secure.gravatar.com/mine"}`).Want(t, 200)
		first := ""
		for _, address := range addresses {
			got := app.Call(ada, "PATCH", "/users/me", `{"avatar_url":`+quoted(address)+`}`)
			if len(address) > 2000 || strings.Contains(address, "\x00") { // no text that any operation takes
				if got.Status != 422 && got.Status != 400 {
					t.Errorf("%.40q: %d %s", address, got.Status, got.Text)
				}
				continue
			}
			if got.Status != 422 || got.Get("code") != "accounts.avatar_url_invalid" {
				t.Errorf("%q: %d %s", address, got.Status, got.Text)
				continue
			}
			if s := shape(got); first == "" {
				first = s
			} else if s != first {
				t.Errorf("%q is told apart:\n%s\n%s", address, s, first)
			}
		}
		if got := app.Call(ada, "GET", "/users/me", "").Get("avatar_url"); got != "https://secure.gravatar.com/mine" {
			t.Errorf("the picture is %q", got)
		}
		app.Settle()
	})
	t.Cleanup(func() {
		_ = canary.Close()
		if n := heard.Load(); n != 0 {
			t.Errorf("%d connections reached this machine", n)
		}
	})
}

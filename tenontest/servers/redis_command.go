package servers

import (
	"net"
	"net/url"
	"testing"
	"time"
)

// Command sends one command line to the server, such as "FLUSHALL", and fails the
// test if the answer is an error.
func (r *RedisServer) Command(t testing.TB, line string) {
	t.Helper()
	u, err := url.Parse(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(line + "\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 256)
	n, err := c.Read(answer)
	if err != nil || answer[0] == '-' {
		t.Fatalf("%s: %s %v", line, answer[:n], err)
	}
}

// Within polls until ok, and fails with the sentence what if that takes longer than limit.
func Within(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is still not true that %s", limit, what)
		}
	}
}

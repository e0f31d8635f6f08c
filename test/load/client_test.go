package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAnswersOfEveryShapeAreRead(t *testing.T) {
	long := strings.Repeat("x", 5000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/short":
			fmt.Fprint(w, "short")
		case "/chunked":
			for _, part := range []string{long, "y", long} {
				fmt.Fprint(w, part)
				w.(http.Flusher).Flush()
			}
		}
	}))
	defer s.Close()
	c, err := dial(t.Context(), s.Listener.Addr().String(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		for path, want := range map[string]string{"/empty": "", "/short": "short", "/chunked": long + "y" + long} {
			status, err := c.roundTrip(message("GET", path, "token", ""))
			if err != nil || status/100 != 2 || string(c.body) != want {
				t.Fatalf("%s: status %d, %d bytes, %v", path, status, len(c.body), err)
			}
		}
	}
}

func TestTheNextRequestCarriesTheTokenOfTheLastAnswer(t *testing.T) {
	var count atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 100)
		n, _ := r.Body.Read(body)
		if want := fmt.Sprintf(`{"refresh_token":"t%d"}`, count.Load()); string(body[:n]) != want {
			http.Error(w, "out of turn", http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"access_token":"a","refresh_token":"t%d"}`, count.Add(1))
	}))
	defer s.Close()
	token := "t0"
	got, err := load(t.Context(), s.Listener.Addr().String(), []*flow{rotating("/", &token)}, 50*time.Millisecond)
	if err != nil || got.errors > 0 || len(got.latencies) == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if want := fmt.Sprintf("t%d", count.Load()); token != want {
		t.Errorf("ends with %s, not with %s", token, want)
	}
}

func TestWrongStatusesAndBrokenConnectionsAreErrors(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }))
	defer s.Close()
	got, err := load(t.Context(), s.Listener.Addr().String(), []*flow{get("/", "")}, 20*time.Millisecond)
	if err != nil || got.errors == 0 || len(got.latencies) != 0 || !strings.Contains(got.firstErr.Error(), "418") {
		t.Errorf("%+v, %v", got, err)
	}
	for _, answer := range []string{"", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "SSH-2.0-server of another kind\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"} {
		if got := against(t, answer); got.errors != 1 || len(got.latencies) != 0 {
			t.Errorf("%q: %d errors, %d successes", answer, got.errors, len(got.latencies))
		}
	}
}

// against loads a server that says the same to everybody and hangs up.
func against(t *testing.T, answer string) *measured {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if _, err := c.Read(make([]byte, 1000)); err == nil {
			_, _ = c.Write([]byte(answer)) // the other side may be gone
		}
	}()
	got, err := load(t.Context(), l.Addr().String(), []*flow{get("/", "")}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestALoadEndsWithItsContext(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := load(ctx, s.Listener.Addr().String(), []*flow{get("/", "")}, time.Hour); err == nil {
		t.Error("it did not say that it was interrupted")
	}
}

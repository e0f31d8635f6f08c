package fault

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// relay is a mail server with bad habits. It speaks just enough SMTP (RFC 5321).
type relay struct {
	listener net.Listener
	habit    habit
	closing  chan struct{}

	mu      sync.Mutex
	letters []letter // taken whole, acknowledged or not
	seen    map[string][]time.Time
}

// habit is what a relay does instead of delivering; n counts the tries for one recipient, from 1.
type habit struct {
	greet func(n int) string            // instead of the greeting; n counts connections
	rcpt  func(to string, n int) string // instead of "250 ok"
	data  func(to string, n int) bool   // drop the connection instead of acknowledging
	pause func(to string) time.Duration // before the letter is acknowledged
	tls   bool                          // offers STARTTLS with a certificate that nobody trusts
}

type letter struct{ to, id string }

func listen(t testing.TB, h habit) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	r := &relay{listener: l, habit: h, closing: make(chan struct{}), seen: map[string][]time.Time{}}
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.talk(c, n)
		}
	}()
	t.Cleanup(func() { close(r.closing); l.Close() })
	return r
}

// settings make a node send its mail here.
func (r *relay) settings(more ...string) []string {
	_, port, _ := net.SplitHostPort(r.listener.Addr().String())
	return append([]string{"SMTP_HOST=127.0.0.1", "SMTP_PORT=" + port, "SMTP_TLS=off", "SMTP_FROM=Tenon <no-reply@example.com>",
		"TENON_ACCOUNTS_VERIFY_EMAIL=on"}, more...)
}

// got are the letters to one address.
func (r *relay) got(to string) (letters []letter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.letters {
		if l.to == to {
			letters = append(letters, l)
		}
	}
	return letters
}

// tries is when somebody tried to send to one address.
func (r *relay) tries(to string) []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time(nil), r.seen[to]...)
}

var messageID = regexp.MustCompile(`(?im)^Message-ID: *(\S+)`)

func (r *relay) talk(c net.Conn, n int) {
	defer c.Close()
	in := bufio.NewReader(c)
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) } // whoever left hears nothing
	greeting := "220 relay.example.com"
	if r.habit.greet != nil {
		greeting = r.habit.greet(n)
	}
	if greeting == "" { // a tarpit
		r.wait(time.Minute)
		return
	}
	say(greeting)
	if !strings.HasPrefix(greeting, "220") {
		return
	}
	to := ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch {
		case verb == "EHLO" && r.habit.tls:
			say("250-relay.example.com\r\n250 STARTTLS")
		case verb == "EHLO":
			say("250-relay.example.com\r\n250 8BITMIME")
		case verb == "STARTTLS":
			say("220 go ahead")
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{selfSigned()}}).Handshake() // refused by the client
			return
		case verb == "RCPT":
			_, after, _ := strings.Cut(line, "<")
			to, _, _ = strings.Cut(after, ">")
			say(r.recipient(to))
		case verb == "DATA":
			say("354 go ahead")
			text, err := readLetter(in)
			if err != nil || !r.take(to, text) {
				return
			}
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (r *relay) recipient(to string) string {
	r.mu.Lock()
	r.seen[to] = append(r.seen[to], time.Now())
	n := len(r.seen[to])
	r.mu.Unlock()
	if r.habit.rcpt != nil {
		if said := r.habit.rcpt(to, n); said != "" {
			return said
		}
	}
	return "250 ok"
}

// take keeps a letter, and reports whether to acknowledge it.
func (r *relay) take(to, text string) bool {
	l := letter{to: to}
	if found := messageID.FindStringSubmatch(text); found != nil {
		l.id = found[1]
	}
	if r.habit.pause != nil {
		r.wait(r.habit.pause(to))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.letters = append(r.letters, l)
	return r.habit.data == nil || !r.habit.data(to, len(r.seen[to]))
}

func (r *relay) wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.closing:
	}
}

func readLetter(in *bufio.Reader) (string, error) {
	var text strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return text.String(), err
		}
		text.WriteString(line)
	}
}

// selfSigned makes a certificate for the relay that no authority stands for.
func selfSigned() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

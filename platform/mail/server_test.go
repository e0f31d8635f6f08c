package mail_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/tenonhq/tenon/platform/mail"
)

// relay is a real SMTP server with a certificate from an authority of its own, which
// behaves as well or badly as a test asks.
type relay struct {
	host   string
	port   int
	caFile string

	mu       sync.Mutex
	received []delivery

	onConn func(net.Conn) bool // takes the connection over if it returns true
	onRcpt func(to string) error
	onData func(*smtp.Conn) error // after the message is read, before it is answered
}

type delivery struct {
	from, to, user string
	encrypted      bool
	raw            string
}

type relayOption func(*relay, *smtp.Server)

func startRelay(t *testing.T, options ...relayOption) *relay {
	t.Helper()
	certificate, ca := makeCertificate(t)
	r := &relay{caFile: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(r.caFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{relay: r, conn: c}, nil }))
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.EnableSMTPUTF8 = true
	server.ErrorLog = log.New(io.Discard, "", 0)
	for _, option := range options {
		option(r, server)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	r.host = host
	r.port, _ = strconv.Atoi(port)
	if r.onConn != nil {
		listener = &intercepted{listener, r.onConn}
	}
	if server.Domain == "implicit" {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close(); listener.Close(); <-done })
	return r
}

func (r *relay) config() mail.Config {
	return mail.Config{Host: r.host, Port: r.port, From: "Acme, Inc. <no-reply@acme.test>", CAFile: r.caFile, Timeout: 5 * time.Second}
}

func (r *relay) deliveries() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivery(nil), r.received...)
}

type session struct {
	relay *relay
	conn  *smtp.Conn
	now   delivery
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "right" {
			return smtp.ErrAuthFailed
		}
		s.now.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.now.from = from
	_, s.now.encrypted = s.conn.TLSConnectionState()
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.now.to = to
	if s.relay.onRcpt != nil {
		return s.relay.onRcpt(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err
	}
	s.now.raw = raw.String()
	s.relay.mu.Lock()
	s.relay.received = append(s.relay.received, s.now)
	s.relay.mu.Unlock()
	if s.relay.onData != nil {
		return s.relay.onData(s.conn)
	}
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// intercepted hands some connections to take instead of the server.
type intercepted struct {
	net.Listener
	take func(net.Conn) bool
}

func (l *intercepted) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.take(conn) {
			return conn, nil
		}
	}
}

// drop ends the connection without an answer.
func drop(c *smtp.Conn) error {
	return errors.Join(c.Conn().Close(), errors.New("dropped"))
}

func makeCertificate(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

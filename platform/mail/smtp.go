package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/textproto"
	"os"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Config says how mail leaves. Without a Host there is no SMTP; use a Box.
type Config struct {
	Host     string `env:"SMTP_HOST"`     // the relay that mail leaves by; required in production
	Port     int    `env:"SMTP_PORT"`     // 587 unless set; 465 with TLS "tls"
	Username string `env:"SMTP_USERNAME"` // of the relay, where it asks for one
	Password string `env:"SMTP_PASSWORD"` // of the relay, where it asks for one
	// From is the sender of every mail: "name@example.com" or "Product <name@example.com>".
	From string `env:"SMTP_FROM"`
	// TLS is "starttls" (the default: encrypted or not sent), "tls" (from the first
	// byte) or "off" (in production only to this machine).
	TLS string `env:"SMTP_TLS"`
	// CAFile is a PEM file with the authorities to trust instead of the system's.
	CAFile string `env:"SMTP_CA_FILE"`
	// Timeout bounds one whole delivery, from the lookup of the name to the last answer; 30 s unless set.
	Timeout time.Duration `env:"SMTP_TIMEOUT"`

	// Production refuses what is fine on a developer's machine only.
	Production bool
}

// The values of Config.TLS.
const (
	StartTLS    = "starttls"
	ImplicitTLS = "tls"
	NoTLS       = "off"
)

// SMTP sends through one relay, with a connection of its own for every message: what
// happens to one delivery cannot touch another.
type SMTP struct {
	cfg     Config
	name    string // of the sender, may be empty
	sender  Address
	options []gomail.Option
	tls     *tls.Config
}

// NewSMTP checks cfg and prepares to send. It does not connect.
func NewSMTP(cfg Config) (*SMTP, error) {
	cfg = cfg.withDefaults()
	if cfg.Host == "" {
		return nil, errors.New("mail: SMTP_HOST is empty")
	}
	name, sender, err := parseSender(cfg.From)
	if err != nil {
		return nil, err
	}
	s := &SMTP{cfg: cfg, name: name, sender: sender}
	if s.tls, err = cfg.tlsConfig(); err != nil {
		return nil, err
	}
	if s.options, err = s.clientOptions(); err != nil {
		return nil, err
	}
	return s, nil
}

// Send delivers m within the timeout. An error after the server has taken the message
// is not reported: to send it again would be a duplicate.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	letter, err := s.compose(m)
	if err != nil {
		return fmt.Errorf("send mail: %w", permanent(err))
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := s.deliver(ctx, letter); err != nil {
		err = classify(err, m.To)
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		return fmt.Errorf("send mail: %w", err)
	}
	return nil
}

func (s *SMTP) deliver(ctx context.Context, letter *gomail.Msg) error {
	var line connection
	defer line.close()
	options := append(s.options[:len(s.options):len(s.options)], gomail.WithDialContextFunc(
		func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := s.dial(ctx, network, address)
			line.set(conn)
			return conn, err
		}))
	client, err := gomail.NewClient(s.cfg.Host, options...)
	if err != nil {
		return permanent(err)
	}
	// The library extends its deadline at every step; a server that answers byte by
	// byte would hold a worker for minutes. Closing the connection ends that.
	defer context.AfterFunc(ctx, line.close)()
	err = client.DialAndSendWithContext(ctx, letter)
	if letter.IsDelivered() {
		return nil
	}
	return err
}

func (s *SMTP) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{}
	if s.cfg.TLS == ImplicitTLS {
		return (&tls.Dialer{NetDialer: dialer, Config: s.tls}).DialContext(ctx, network, address)
	}
	return dialer.DialContext(ctx, network, address)
}

func (s *SMTP) compose(m Message) (*gomail.Msg, error) {
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	letter.FromMailAddress(&mail.Address{Name: s.name, Address: s.sender.String()})
	if err := letter.To(m.To.String()); err != nil {
		return nil, err
	}
	letter.Subject(plain(m.Subject))
	letter.SetDateWithValue(m.CreatedAt.UTC())
	letter.SetMessageIDWithValue(m.headerID() + "@" + s.sender.Domain())
	// RFC 3834: nobody's vacation responder answers this.
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Unsubscribe != "" {
		letter.SetGenHeader("List-Unsubscribe", "<"+m.Unsubscribe+">")
		letter.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	letter.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		letter.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return letter, nil
}

func (s *SMTP) clientOptions() ([]gomail.Option, error) {
	// The library's own timeout is per step and only a safety net: the context ends the delivery.
	options := []gomail.Option{
		gomail.WithPort(s.cfg.Port), gomail.WithTimeout(2 * s.cfg.Timeout), gomail.WithTLSConfig(s.tls), gomail.WithoutNoop(),
	}
	switch s.cfg.TLS {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case ImplicitTLS:
		options = append(options, gomail.WithSSL())
	case NoTLS:
		if !isLoopback(s.cfg.Host) && s.cfg.Production {
			return nil, fmt.Errorf("mail: SMTP_TLS=off would send mail to %s in the clear; use starttls or tls", s.cfg.Host)
		}
		if s.cfg.Username != "" {
			return nil, errors.New("mail: SMTP_TLS=off would send SMTP_PASSWORD in the clear; use starttls or tls")
		}
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		return nil, fmt.Errorf("mail: SMTP_TLS is %q, want starttls, tls or off", s.cfg.TLS)
	}
	if s.cfg.Username != "" {
		options = append(options, gomail.WithUsername(s.cfg.Username), gomail.WithPassword(s.cfg.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return options, nil
}

// parseSender reads an address, alone or in angle brackets behind a name. The name needs
// no quotes, whatever it holds.
func parseSender(s string) (name string, sender Address, err error) {
	address := strings.TrimSpace(s)
	if before, inside, ok := cutLast(address, "<"); ok && strings.HasSuffix(inside, ">") {
		name = strings.Trim(plain(before), `"`)
		address = strings.TrimSuffix(inside, ">")
	}
	if sender, err = ParseAddress(address); err != nil {
		return "", Address{}, fmt.Errorf("mail: SMTP_FROM is %q, want name@example.com or Product <name@example.com>", s)
	}
	return name, sender, nil
}

func (c Config) withDefaults() Config {
	if c.TLS == "" {
		c.TLS = StartTLS
	}
	if c.Port == 0 && c.TLS == ImplicitTLS {
		c.Port = 465
	}
	if c.Port == 0 {
		c.Port = 587
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	return c
}

func (c Config) tlsConfig() (*tls.Config, error) {
	cfg := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("mail: read SMTP_CA_FILE: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("mail: SMTP_CA_FILE %s holds no certificate", c.CAFile)
	}
	return cfg, nil
}

// classify marks the answers 500 to 599 of a server as permanent. Anything else may pass:
// 4xx, a lost connection, a certificate that is about to be renewed. So may a refused
// sign-in (530 to 538): it is the operator's mistake, and mail must not be lost over it.
// The recipient is taken out of what the server said: errors outlive erased accounts.
func classify(err error, to Address) error {
	status := 0
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		status = answer.Code
	}
	if refused, ok := errors.AsType[*gomail.SendError](err); ok {
		status = refused.ErrorCode()
		err = errors.New(strings.ReplaceAll(err.Error(), to.String(), "[recipient]"))
	}
	if status >= 500 && status <= 599 && (status < 530 || status > 538) {
		return permanent(err)
	}
	return err
}

// connection closes a network connection from two sides: the deadline and the end of the delivery.
type connection struct {
	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

func (c *connection) set(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	if c.closed && conn != nil {
		conn.Close()
	}
}

func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.conn != nil {
		c.conn.Close()
	}
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

package mail_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/mail"
)

func TestAMessageArrivesWhole(t *testing.T) {
	r := startRelay(t)
	m := message(t, "zoë@x.test")
	m.Subject = "Grüße\r\nBcc: evil@e.test"
	m.Text = "first\n.\nMAIL FROM:<evil@e.test>\n-- \nÜber\n"
	m.HTML = "<p>" + strings.Repeat("long ", 400) + "</p>"
	if err := newSMTP(t, r.config()).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := r.deliveries()
	if len(got) != 1 || got[0].from != "no-reply@acme.test" || got[0].to != "zoë@x.test" || !got[0].encrypted {
		t.Fatalf("deliveries = %+v", got)
	}
	parsed, err := netmail.ReadMessage(strings.NewReader(got[0].raw))
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]string{}
	for _, name := range []string{"Bcc", "Message-Id", "Auto-Submitted", "Date", "Mime-Version", "User-Agent", "X-Mailer"} {
		header[name] = parsed.Header.Get(name)
	}
	if diff := cmp.Diff(map[string]string{
		"Bcc": "", "Message-Id": "<mail_01@acme.test>", "Auto-Submitted": "auto-generated", "User-Agent": "", "X-Mailer": "",
		"Date": "Fri, 02 Jan 2026 03:04:05 +0000", "Mime-Version": "1.0",
	}, header); diff != "" {
		t.Error(diff)
	}
	decode := &mime.WordDecoder{}
	if subject, err := decode.DecodeHeader(parsed.Header.Get("Subject")); err != nil || subject != "Grüße Bcc: evil@e.test" {
		t.Errorf("subject = %q (%v)", subject, err)
	}
	if from, err := parsed.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Name != "Acme, Inc." {
		t.Errorf("from = %v (%v)", from, err)
	}
	if diff := cmp.Diff([]string{"text/plain", m.Text, "text/html", m.HTML}, parts(t, parsed)); diff != "" {
		t.Error(diff)
	}
}

func TestARetryHasTheSameMessageID(t *testing.T) {
	r := startRelay(t, func(r *relay, _ *smtp.Server) { r.onData = drop })
	sender := newSMTP(t, r.config())
	m := message(t, "a@x.test")
	m.ID = "accounts.verify/é 1" // not fit for a header as it is
	for range 2 {
		if err := sender.Send(t.Context(), m); err == nil || mail.IsPermanent(err) {
			t.Fatalf("accepted, then dropped: %v", err)
		}
	}
	got := r.deliveries()
	if len(got) != 2 || messageID(t, got[0]) != messageID(t, got[1]) || !strings.HasSuffix(messageID(t, got[0]), "@acme.test>") {
		t.Errorf("deliveries = %+v", got)
	}
}

func TestAMessageTheServerTookIsSent(t *testing.T) {
	// The server answers 250 and hangs up: there is no QUIT to say.
	r := startRelay(t, func(r *relay, _ *smtp.Server) {
		r.onData = func(c *smtp.Conn) error {
			conn := c.Conn()
			go func() { time.Sleep(20 * time.Millisecond); conn.Close() }()
			return nil
		}
	})
	if err := newSMTP(t, r.config()).Send(t.Context(), message(t, "a@x.test")); err != nil {
		t.Error(err)
	}
}

func TestOneBadRecipientBlocksNobody(t *testing.T) {
	r := startRelay(t, func(r *relay, _ *smtp.Server) {
		r.onRcpt = func(to string) error {
			switch to {
			case "gone@x.test":
				return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user gone@x.test"}
			case "busy@x.test":
				return &smtp.SMTPError{Code: 450, Message: "mailbox busy"}
			}
			return nil
		}
	})
	sender := newSMTP(t, r.config())
	err := sender.Send(t.Context(), message(t, "gone@x.test"))
	if !mail.IsPermanent(err) || !strings.Contains(err.Error(), "550") || strings.Contains(err.Error(), "gone@x.test") {
		t.Errorf("550: %v", err)
	}
	if err := sender.Send(t.Context(), message(t, "busy@x.test")); err == nil || mail.IsPermanent(err) {
		t.Errorf("450: %v", err)
	}
	if err := sender.Send(t.Context(), message(t, "fine@x.test")); err != nil || len(r.deliveries()) != 1 {
		t.Errorf("the good recipient: %v, %d deliveries", err, len(r.deliveries()))
	}
}

func TestAServerThatIsAwayIsTriedAgainLater(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	greet := func(text string) relayOption {
		return func(r *relay, _ *smtp.Server) {
			r.onConn = func(c net.Conn) bool {
				_, _ = io.WriteString(c, text)
				c.Close()
				return true
			}
		}
	}
	refusing := startRelay(t).config()
	refusing.Port = closed.Addr().(*net.TCPAddr).Port
	untrusted := startRelay(t).config()
	untrusted.CAFile = ""
	wrongName := startRelay(t).config()
	wrongName.Host = "localhost"
	wrongPassword := startRelay(t).config()
	wrongPassword.Username, wrongPassword.Password = "u", "wrong"
	plainOnly := startRelay(t, func(_ *relay, s *smtp.Server) { s.TLSConfig = nil }).config()
	old := startRelay(t, func(_ *relay, s *smtp.Server) { s.TLSConfig.MaxVersion = 0x0302 }).config()

	for name, cfg := range map[string]mail.Config{
		"refused connection":  refusing,
		"421 greeting":        startRelay(t, greet("421 4.3.2 come back later\r\n")).config(),
		"no SMTP at all":      startRelay(t, greet("\x00\x01\x02")).config(),
		"unknown authority":   untrusted,
		"certificate's name":  wrongName,
		"no STARTTLS offered": plainOnly,
		"TLS 1.1":             old,
		"wrong password":      wrongPassword,
	} {
		t.Run(name, func(t *testing.T) {
			err := newSMTP(t, cfg).Send(t.Context(), message(t, "a@x.test"))
			if err == nil || mail.IsPermanent(err) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestATarpitHoldsNobodyLongerThanTheTimeout(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	slow := func(r *relay, _ *smtp.Server) {
		r.onConn = func(c net.Conn) bool {
			go func() {
				defer c.Close()
				for { // one byte now and then keeps any timeout per read alive
					select {
					case <-release:
						return
					case <-time.After(20 * time.Millisecond):
						if _, err := io.WriteString(c, "2"); err != nil {
							return
						}
					}
				}
			}()
			return true
		}
	}
	stuckAtTheEnd := func(r *relay, _ *smtp.Server) {
		r.onData = func(*smtp.Conn) error { <-release; return nil }
	}
	for name, behaviour := range map[string]relayOption{"greeting": slow, "answer to the message": stuckAtTheEnd} {
		t.Run(name, func(t *testing.T) {
			cfg := startRelay(t, behaviour).config()
			cfg.Timeout = 200 * time.Millisecond
			start := time.Now()
			err := newSMTP(t, cfg).Send(t.Context(), message(t, "a@x.test"))
			if !errors.Is(err, context.DeadlineExceeded) || mail.IsPermanent(err) {
				t.Errorf("error is %v", err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestImplicitTLSAndSignIn(t *testing.T) {
	r := startRelay(t, func(_ *relay, s *smtp.Server) { s.Domain = "implicit" })
	cfg := r.config()
	cfg.TLS, cfg.Username, cfg.Password = mail.ImplicitTLS, "u", "right"
	if err := newSMTP(t, cfg).Send(t.Context(), message(t, "a@x.test")); err != nil {
		t.Fatal(err)
	}
	if got := r.deliveries(); len(got) != 1 || got[0].user != "u" || !got[0].encrypted {
		t.Errorf("deliveries = %+v", got)
	}
}

func TestInTheClearOnlyWhenAskedFor(t *testing.T) {
	r := startRelay(t, func(_ *relay, s *smtp.Server) { s.TLSConfig = nil })
	cfg := r.config()
	cfg.TLS, cfg.Production = mail.NoTLS, true
	if err := newSMTP(t, cfg).Send(t.Context(), message(t, "a@x.test")); err != nil || len(r.deliveries()) != 1 {
		t.Errorf("loopback in the clear: %v", err)
	}
	for name, change := range map[string]func(*mail.Config){
		"another host":  func(c *mail.Config) { c.Host = "192.0.2.1" },
		"name of it":    func(c *mail.Config) { c.Host = "relay.internal" },
		"with password": func(c *mail.Config) { c.Username = "u" },
		"unknown TLS":   func(c *mail.Config) { c.TLS = "maybe" },
		"no host":       func(c *mail.Config) { c.Host = "" },
		"no sender":     func(c *mail.Config) { c.From = "" },
		"two senders":   func(c *mail.Config) { c.From = "a@x.test, b@x.test" },
		"no CA file":    func(c *mail.Config) { c.CAFile = "testdata/absent.pem" },
		"no CA in it":   func(c *mail.Config) { c.CAFile = "smtp_test.go" },
	} {
		bad := cfg
		change(&bad)
		if _, err := mail.NewSMTP(bad); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestAnIncompleteMessageIsNeverRetried(t *testing.T) {
	sender := newSMTP(t, startRelay(t).config())
	for name, change := range map[string]func(*mail.Message){
		"ID": func(m *mail.Message) { m.ID = "" }, "recipient": func(m *mail.Message) { m.To = mail.Address{} },
		"subject": func(m *mail.Message) { m.Subject = "" }, "date": func(m *mail.Message) { m.CreatedAt = time.Time{} },
	} {
		m := message(t, "a@x.test")
		change(&m)
		if err := sender.Send(t.Context(), m); !mail.IsPermanent(err) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func newSMTP(t *testing.T, cfg mail.Config) *mail.SMTP {
	t.Helper()
	sender, err := mail.NewSMTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func message(t *testing.T, to string) mail.Message {
	t.Helper()
	address, err := mail.ParseAddress(to)
	if err != nil {
		t.Fatal(err)
	}
	return mail.Message{
		ID: "mail_01", To: address, Subject: "Hello", Text: "Hello.\n", HTML: "<p>Hello.</p>",
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func messageID(t *testing.T, d delivery) string {
	t.Helper()
	parsed, err := netmail.ReadMessage(strings.NewReader(d.raw))
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Header.Get("Message-Id")
}

// parts lists media type and decoded text of each part, in order.
func parts(t *testing.T, m *netmail.Message) (all []string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %s (%v)", kind, err)
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, kind, strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
}

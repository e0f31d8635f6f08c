package fault

import (
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/tenonhq/tenon/test/binary"
)

// relay is a mail server that behaves as badly as a test asks.
type relay struct {
	addr    string
	refuses string        // recipient that does not exist
	answers time.Duration // how long it thinks before it takes a message

	mu   sync.Mutex
	mail map[string]int // how many messages each recipient got
}

func (r *relay) start(t *testing.T) {
	t.Helper()
	if r.addr == "" {
		r.addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	r.addr, r.mail = l.Addr().String(), map[string]int{}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &visit{relay: r}, nil }))
	server.ErrorLog = log.New(io.Discard, "", 0)
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
}

func (r *relay) settings() binary.Settings {
	host, port, _ := strings.Cut(r.addr, ":")
	return binary.Settings{"SMTP_HOST": host, "SMTP_PORT": port, "SMTP_TLS": "off", "SMTP_TIMEOUT": "5s"}
}

func (r *relay) got(to string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mail[to]
}

type visit struct {
	relay *relay
	to    string
}

func (v *visit) Mail(string, *smtp.MailOptions) error { return nil }

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == v.relay.refuses {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	v.to = to
	return nil
}

func (v *visit) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	time.Sleep(v.relay.answers)
	v.relay.mu.Lock()
	defer v.relay.mu.Unlock()
	v.relay.mail[v.to]++
	return nil
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

func register(t *testing.T, c *binary.Client, email string) {
	t.Helper()
	began := time.Now()
	c.Call("POST", "/auth/register", map[string]any{"email": email, "password": binary.Password, "name": "Someone"}).Want(t, 202)
	if took := time.Since(began); took > time.Second {
		t.Errorf("signing up took %s; nobody waits for mail", took)
	}
}

func TestMailIsSentOnceItsRelayIsBack(t *testing.T) {
	t.Parallel()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: gone.Addr().String()}
	gone.Close()
	node := binary.Serve(t, r.settings())
	c := binary.NewClient(node.URL)
	register(t, c, "ada@example.com")
	node.Await("try to send", 20*time.Second, func() bool { return strings.Contains(node.Log(), `"job failed","job":"mail.send"`) })
	r.start(t)
	node.Await("send again", 40*time.Second, func() bool { return r.got("ada@example.com") == 1 })
}

func TestASlowRelayHoldsUpNobodyAndGetsEachLetterOnce(t *testing.T) {
	t.Parallel()
	r := &relay{answers: 2 * time.Second}
	r.start(t)
	node := binary.Serve(t, r.settings())
	c := binary.NewClient(node.URL)
	people := []string{"ada@example.com", "bob@example.com", "eve@example.com", "dan@example.com"}
	for _, email := range people {
		register(t, c, email)
	}
	node.Await("send all letters", 20*time.Second, func() bool {
		for _, email := range people {
			if r.got(email) == 0 {
				return false
			}
		}
		return true
	})
	for _, email := range people {
		if n := r.got(email); n != 1 {
			t.Errorf("%s got %d letters, want 1", email, n)
		}
	}
}

func TestOneRefusedRecipientHoldsUpNoOthers(t *testing.T) {
	t.Parallel()
	r := &relay{refuses: "nobody@example.com"}
	r.start(t)
	node := binary.Serve(t, r.settings())
	c := binary.NewClient(node.URL)
	register(t, c, "nobody@example.com")
	register(t, c, "ada@example.com")
	node.Await("send the good letter", 20*time.Second, func() bool { return r.got("ada@example.com") == 1 })
	node.Await("note the bad one", 20*time.Second, func() bool { return strings.Contains(node.Log(), "550") })
	time.Sleep(2 * time.Second) // it would try again after one
	if n := strings.Count(node.Log(), `"job failed","job":"mail.send"`); n != 1 {
		t.Errorf("the refused letter was tried %d times, want 1: refused for good", n)
	}
}

package realtime

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/centrifugal/centrifuge"
	"github.com/gorilla/websocket"
)

// What a WebSocket may bring.
const (
	largestFrame  = 64 << 10 // bytes of a message; more is closed with 1009
	mostFragments = 1024     // of a message
	whole         = 10 * time.Second
	writing       = 5 * time.Second // that a client may take no bytes at all
	goodbye       = time.Second     // that a client may take to say goodbye, too
)

// newUpgrader answers nothing where it refuses: a problem document says it. Messages are not compressed: they are small,
// and what is not inflated is no bomb.
func newUpgrader() websocket.Upgrader {
	return websocket.Upgrader{ReadBufferSize: 1 << 10, WriteBufferPool: &sync.Pool{}, HandshakeTimeout: writing,
		Error:       func(http.ResponseWriter, *http.Request, int, error) {},
		CheckOrigin: func(*http.Request) bool { return true }, // done before, for all transports
	}
}

// socket is a WebSocket as the transport of a connection. What a client may not send closes it with
// the code that RFC 6455 has for it.
type socket struct {
	ws    *websocket.Conn
	pings *bucket
	once  sync.Once
	ended chan struct{} // closed by Close
	gone  chan struct{} // closed when nothing more is read
}

var _ centrifuge.Transport = (*socket)(nil)

func newSocket(ws *websocket.Conn) *socket {
	s := &socket{ws: ws, pings: newBucket(pingsAtOnce, pingsPerSecond), ended: make(chan struct{}), gone: make(chan struct{})}
	ws.SetReadLimit(largestFrame)
	answer := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		if !s.pings.take() {
			return disconnectPolicy("too many pings")
		}
		return answer(data)
	})
	return s
}

// serve reads commands until the connection ends.
func (s *socket) serve(ctx context.Context, node *centrifuge.Node) error {
	client, end, err := centrifuge.NewClient(ctx, node, s)
	if err != nil {
		return errors.Join(err, s.ws.Close())
	}
	err = s.readAll(client)
	if refused, ok := errors.AsType[centrifuge.Disconnect](err); ok {
		go client.Disconnect(refused)
	}
	s.linger(err)
	close(s.gone)
	return end()
}

var errEnded = errors.New("the connection is being ended")

// readAll hands on commands until there is a reason to stop, which it returns.
func (s *socket) readAll(client *centrifuge.Client) error {
	handled := make(chan bool)
	for {
		message, err := s.read()
		if err != nil {
			return err
		}
		// Elsewhere, because what handles a command needs a deep stack, which an idle connection
		// would then keep.
		go func() { handled <- centrifuge.HandleReadFrame(client, bytes.NewReader(message), largestFrame) }()
		if !<-handled {
			return errEnded
		}
	}
}

// read returns the next message.
func (s *socket) read() ([]byte, error) {
	kind, r, err := s.ws.NextReader()
	if err != nil {
		return nil, err
	}
	if kind != websocket.TextMessage {
		return nil, centrifuge.Disconnect{Code: websocket.CloseInvalidFramePayloadData, Reason: "text expected"}
	}
	if err := s.ws.SetReadDeadline(time.Now().Add(whole)); err != nil {
		return nil, err
	}
	var all bytes.Buffer
	for part, n := make([]byte, 1<<10), 0; ; n++ {
		if n == mostFragments {
			return nil, disconnectPolicy("too many fragments")
		}
		got, err := r.Read(part)
		all.Write(part[:got])
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if !utf8.Valid(all.Bytes()) {
		return nil, centrifuge.Disconnect{Code: websocket.CloseInvalidFramePayloadData, Reason: "invalid UTF-8"}
	}
	return all.Bytes(), s.ws.SetReadDeadline(time.Time{})
}

// linger reads on for a moment after our last word, if it is us who end the connection for why. To
// close at once what a client still sends to would make its system forget that word unread
// (RFC 9112 §9.6 knows the same of HTTP).
func (s *socket) linger(why error) {
	_, refused := errors.AsType[centrifuge.Disconnect](why)
	if !refused && !errors.Is(why, errEnded) && !errors.Is(why, websocket.ErrReadLimit) {
		return
	}
	if !errors.Is(why, websocket.ErrReadLimit) { // which was said already
		select {
		case <-s.ended:
		case <-time.After(goodbye):
		}
	}
	raw := s.ws.NetConn()
	if half, ok := raw.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the client may be gone
	}
	_ = raw.SetReadDeadline(time.Now().Add(goodbye))
	_, _ = io.Copy(io.Discard, raw)
}

// Write sends one message.
func (s *socket) Write(message []byte) error { return s.WriteMany(message) }

// WriteMany sends messages in one frame, a line each.
func (s *socket) WriteMany(messages ...[]byte) error {
	select {
	case <-s.ended:
		return nil
	default:
	}
	if err := s.ws.SetWriteDeadline(time.Now().Add(writing)); err != nil {
		return err
	}
	if len(messages) == 1 {
		return s.ws.WriteMessage(websocket.TextMessage, messages[0])
	}
	return s.ws.WriteMessage(websocket.TextMessage, bytes.Join(messages, []byte{'\n'}))
}

// Close says why, and ends the connection.
func (s *socket) Close(why centrifuge.Disconnect) error {
	err := error(nil)
	s.once.Do(func() {
		if why.Code != centrifuge.DisconnectConnectionClosed.Code {
			last := websocket.FormatCloseMessage(int(why.Code), why.Reason)
			err = s.ws.WriteControl(websocket.CloseMessage, last, time.Now().Add(goodbye))
		}
		close(s.ended)
		if err == nil {
			s.wait()
		}
		err = s.ws.Close()
	})
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// wait waits until the client has read our last word.
func (s *socket) wait() {
	_ = s.ws.SetReadDeadline(time.Now().Add(goodbye)) // who reads notices
	select {
	case <-s.gone:
	case <-time.After(2 * goodbye):
	}
}

// Name is how the transport is called.
func (s *socket) Name() string { return "websocket" }

// AcceptProtocol is for metrics that nobody reads.
func (s *socket) AcceptProtocol() string { return "" }

// Protocol is JSON: a line per command.
func (s *socket) Protocol() centrifuge.ProtocolType { return centrifuge.ProtocolTypeJSON }

// ProtocolVersion is that of the stock clients.
func (s *socket) ProtocolVersion() centrifuge.ProtocolVersion { return centrifuge.ProtocolVersion2 }

// Unidirectional is false: clients send commands.
func (s *socket) Unidirectional() bool { return false }

// Emulation is false: they send them on this connection.
func (s *socket) Emulation() bool { return false }

// DisabledPushFlags says that a disconnection is told by the closing frame.
func (s *socket) DisabledPushFlags() uint64 { return centrifuge.PushFlagDisconnect }

// PingPongConfig is the usual one: a ping each 25 seconds, and an answer within 8.
func (s *socket) PingPongConfig() centrifuge.PingPongConfig { return pings() }

func pings() centrifuge.PingPongConfig {
	return centrifuge.PingPongConfig{PingInterval: 25 * time.Second, PongTimeout: 8 * time.Second}
}

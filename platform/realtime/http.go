package realtime

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/centrifugal/centrifuge"
	"github.com/gorilla/websocket"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/web"
)

// doors are the ways in, one per transport.
type doors struct {
	sse, stream, emulation http.Handler
}

func doorsOf(node *centrifuge.Node) doors {
	return doors{
		sse:       centrifuge.NewSSEHandler(node, centrifuge.SSEConfig{PingPongConfig: pings(), MaxRequestBodySize: largestFrame}),
		stream:    centrifuge.NewHTTPStreamHandler(node, centrifuge.HTTPStreamConfig{PingPongConfig: pings(), MaxRequestBodySize: largestFrame}),
		emulation: centrifuge.NewEmulationHandler(node, centrifuge.EmulationConfig{MaxRequestBodySize: largestFrame}),
	}
}

var (
	errUpgrade      = errs.New(errs.Malformed, "realtime.upgrade_required", "This address speaks WebSocket (RFC 6455) only.")
	errAddressToken = errs.New(errs.Malformed, "realtime.token_in_address", "Send the token in the Authorization header or in the connect command, never in the address: addresses are written to logs.")
	errConnect      = errs.New(errs.Malformed, "realtime.connect_missing", "Begin with the connect command, in the parameter cf_connect.")
)

const aboutProtocol = "The protocol is that of Centrifugo's stock clients, as JSON. The caller is recognised by its session cookie, from a page of ours or of an allowed origin; " +
	"by `Authorization: Bearer …`; or by the `token` of the connect command. What is not recognised is told so and disconnected."

// Routes adds the ways in.
func (h *Hub) Routes(r *web.Router) {
	upgrader := newUpgrader()
	may := authz.PublicOrSignedIn()
	busy := []*errs.Error{errFull, errStorm, errAddress, errStopping, errNoRedis}
	web.HandleConnection(r, web.Op{ID: "realtime.connect", Method: http.MethodGet, Path: "/ws", Summary: "Connect by WebSocket", Access: may,
		Status: http.StatusSwitchingProtocols, Description: aboutProtocol, Errors: append(busy, errUpgrade)},
		func(w http.ResponseWriter, q *http.Request, c web.Credential) error {
			return h.websocket(&upgrader, w, q, c)
		})
	web.HandleConnection(r, web.Op{ID: "realtime.sse", Method: http.MethodGet, Path: "/ws/sse", Summary: "Connect by server-sent events", Access: may,
		Description: aboutProtocol + "\n\nCommands after the first go to `/ws/emulation`.", Errors: append(busy, errConnect, errAddressToken), AnyQuery: true, Content: "text/event-stream"},
		func(w http.ResponseWriter, q *http.Request, c web.Credential) error {
			if err := checkConnect(q); err != nil {
				return err
			}
			return h.streamed(func() http.Handler { return h.doors.sse }, w, q, c)
		})
	web.HandleConnection(r, web.Op{ID: "realtime.http_stream", Method: http.MethodPost, Path: "/ws/http_stream", Summary: "Connect by HTTP streaming", Access: may,
		Description: aboutProtocol + "\n\nThe body is the connect command, the answer a line of JSON per message.", Errors: busy, BodyLimit: largestFrame, WhileLooking: true, Content: "application/x-ndjson"},
		func(w http.ResponseWriter, q *http.Request, c web.Credential) error {
			return h.streamed(func() http.Handler { return h.doors.stream }, w, q, c)
		})
	web.Handle(r, web.Op{ID: "realtime.emulation", Method: http.MethodPost, Path: "/ws/emulation", Summary: "Send commands of a one-way connection", Access: authz.Public(),
		Description: "For a connection by server-sent events or HTTP streaming, on whichever node it is.", Status: http.StatusNoContent,
		BodyLimit: largestFrame, Errors: []*errs.Error{errStopping, errNoRedis, errNoSession}}, h.emulate)
}

type emulationInput struct {
	Body struct {
		Session string `json:"session" maxLength:"100" doc:"As the connect command was answered with; nobody else knows it"`
		Node    string `json:"node" maxLength:"100" doc:"As the connect command was answered with"`
		Data    string `json:"data" maxLength:"65536" doc:"Commands, a line of JSON each"`
	}
}

var errNoSession = errs.New(errs.NotFound, "realtime.no_connection", "There is no such connection any more. Connect again.")

// emulate hands commands to the node that has the connection. The machinery has one way in for that, and it is an HTTP handler.
func (h *Hub) emulate(ctx context.Context, in *emulationInput) (*web.Empty, error) {
	if err := h.start(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	got := statusOnly{header: http.Header{}}
	h.doors.emulation.ServeHTTP(&got, q)
	if got.status != http.StatusNoContent {
		return nil, errNoSession.Because(fmt.Errorf("emulation answered %d", got.status))
	}
	return &web.Empty{}, nil
}

// statusOnly takes an answer of which only the status matters.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }

// admit lets a connection in, or not.
func (h *Hub) admit(q *http.Request, c web.Credential) (a *arrival, leave func(), err error) {
	if h.draining.Load() {
		return nil, nil, errStopping
	}
	from := web.ClientFrom(q.Context())
	if leave, err = h.arrivals.admit(from.Bucket()); err != nil {
		return nil, nil, err
	}
	if err := h.start(); err != nil {
		leave()
		return nil, nil, err
	}
	return &arrival{credential: c, commands: newBucket(commandsAtOnce, commandsPerSecond)}, leave, nil
}

func (h *Hub) websocket(u *websocket.Upgrader, w http.ResponseWriter, q *http.Request, c web.Credential) error {
	if !websocket.IsWebSocketUpgrade(q) || q.URL.RawQuery != "" {
		return errUpgrade
	}
	a, leave, err := h.admit(q, c)
	if err != nil {
		return err
	}
	ws, err := u.Upgrade(w, q, nil)
	if err != nil {
		leave()
		return errUpgrade.Because(err)
	}
	// What the connection needs of the request is in a: the rest is let go of.
	ctx := context.WithValue(context.Background(), arrivalKey{}, a)
	go func() {
		defer leave()
		if err := newSocket(ws).serve(ctx, running(h)); err != nil {
			h.Log.DebugContext(ctx, "realtime connection broke", "err", err)
		}
	}()
	return nil
}

// streamed serves a connection that is an answer without an end.
func (h *Hub) streamed(door func() http.Handler, w http.ResponseWriter, q *http.Request, c web.Credential) error {
	a, leave, err := h.admit(q, c)
	if err != nil {
		return err
	}
	defer leave()
	body, err := io.ReadAll(q.Body)
	if err != nil || q.Method == http.MethodPost && !utf8.Valid(body) {
		return errConnect.Because(err)
	}
	// Reading is over: what it may take ends the connection no more.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // not every transport has deadlines
	q.Body = io.NopCloser(bytes.NewReader(body))
	door().ServeHTTP(w, q.WithContext(context.WithValue(q.Context(), arrivalKey{}, a)))
	return nil
}

// checkConnect refuses an address that holds a token.
func checkConnect(q *http.Request) error {
	values := q.URL.Query()
	connect := values.Get("cf_connect")
	if connect == "" {
		return errConnect
	}
	if len(values) > 1 {
		return errAddressToken
	}
	lines := json.NewDecoder(strings.NewReader(connect))
	for lines.More() {
		var command struct {
			Connect *struct{ Token string }
			Refresh *struct{ Token string }
		}
		if err := lines.Decode(&command); err != nil {
			return errConnect.Because(err)
		}
		if command.Connect != nil && command.Connect.Token != "" || command.Refresh != nil && command.Refresh.Token != "" {
			return errAddressToken
		}
	}
	return nil
}

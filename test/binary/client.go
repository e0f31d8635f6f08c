package binary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Client is a program that uses the API at one address.
type Client struct {
	URL   string
	Token string
	http  *http.Client
}

// NewClient returns a stranger to the API at url.
func NewClient(url string) *Client {
	return &Client{URL: url, http: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 100, IdleConnTimeout: 30 * time.Second},
	}}
}

// At returns the same caller at another address.
func (c *Client) At(url string) *Client {
	other := NewClient(url)
	other.Token = c.Token
	return other
}

// With returns the client with another token.
func (c *Client) With(token string) *Client {
	other := *c
	other.Token = token
	return &other
}

// Answer is what a request got. Status is 0 when there was none; then Err says why.
type Answer struct {
	Status int
	Header http.Header
	Body   map[string]any
	Text   string
	Err    error
}

// Call sends a request; path is below /api/v1 unless it begins with //.
func (c *Client) Call(method, path string, body any) Answer {
	var reader io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return Answer{Err: err}
		}
		reader = bytes.NewReader(b)
	}
	q, err := http.NewRequest(method, c.at(path), reader)
	if err != nil {
		return Answer{Err: err}
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	return c.Send(q)
}

// Send sends a request of one's own making.
func (c *Client) Send(q *http.Request) Answer {
	if c.Token != "" {
		q.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := c.http.Do(q)
	if err != nil {
		return Answer{Err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return Answer{Err: fmt.Errorf("read the answer: %w", err)}
	}
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Text: string(text)}
	_ = json.Unmarshal(text, &a.Body) // Body stays nil for what is no object
	return a
}

func (c *Client) at(path string) string {
	if root, ok := strings.CutPrefix(path, "//"); ok {
		return c.URL + "/" + root
	}
	return c.URL + "/api/v1" + path
}

// Want fails the test unless the answer has the status.
func (a Answer) Want(t testing.TB, status int) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s%v", a.Status, status, a.Text, a.Err)
	}
	return a
}

// Get returns a member of the answer as text.
func (a Answer) Get(key string) string { s, _ := a.Body[key].(string); return s }

// Items returns the items of a list.
func (a Answer) Items() []map[string]any {
	list, _ := a.Body["items"].([]any)
	items := make([]map[string]any, len(list))
	for i := range list {
		items[i], _ = list[i].(map[string]any)
	}
	return items
}

// Password is good for everybody that SignUp makes.
const Password = "a phrase that nobody guesses"

// SignUp makes an account with a proven address and returns it signed in.
func (c *Client) SignUp(t testing.TB, email string) *Client {
	t.Helper()
	name, _, _ := strings.Cut(email, "@")
	c.With("").Call("POST", "/auth/register", map[string]any{"email": email, "password": Password, "name": name}).Want(t, 202)
	token := c.Mailed(t, email)
	c.With("").Call("POST", "/auth/verify-email", map[string]any{"token": token}).Want(t, 200)
	return c.SignIn(t, email)
}

// SignIn opens a session.
func (c *Client) SignIn(t testing.TB, email string) *Client {
	t.Helper()
	got := c.With("").Call("POST", "/auth/login", map[string]any{"email": email, "password": Password}).Want(t, 200)
	return c.With(got.Get("access_token"))
}

// Mailed waits for a letter in the development mail box and returns its link's token.
func (c *Client) Mailed(t testing.TB, to string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, letter := range c.Letters(to) {
			links, _ := letter["links"].([]any)
			for _, l := range links {
				link, _ := l.(string)
				if _, token, ok := strings.Cut(link, "token="); ok {
					return token
				}
			}
		}
	}
	t.Fatalf("no letter with a link reached %s", to)
	return ""
}

// Letters are those in the development mail box, newest first.
func (c *Client) Letters(to string) []map[string]any {
	return c.Call("GET", "//_dev/mail/messages?to="+url.QueryEscape(to), nil).Items()
}

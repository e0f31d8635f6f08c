package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// work is one thing that people ask of a backend.
type work string

const (
	health   work = "health"
	me       work = "me"
	uncached work = "uncached"
	logged   work = "logged"
	list     work = "list"
	key      work = "key"
	refresh  work = "refresh"
	signIn   work = "sign-in"
	signUp   work = "sign-up"
	storm    work = "storm"
)

func (w work) known() bool {
	return slices.Contains([]work{health, me, uncached, logged, list, key, refresh, signIn, signUp, storm}, w)
}

// title names a work in tables.
func (w work) title() string {
	switch w {
	case list:
		return "list of 20"
	case key:
		return "list of 20, by API key"
	case uncached:
		return "me, not cached"
	case logged:
		return "me, default log"
	}
	return string(w)
}

// hashes reports whether a work is mostly the hash of a password.
func (w work) hashes() bool { return w == signIn || w == signUp }

// target is a program that does the works: ours and the bare one, which has for each
// of ours one that fetches the same with a single query.
type target interface {
	base() *server
	flows(w work, n int) ([]*flow, error)
}

const bareName = "bare"

// bare is the yardstick. What it knows is written in its schema.
type bare struct {
	*server
	rotated map[int]*string // where each connection's refresh tokens have got to
}

func (b bare) base() *server { return b.server }

func (b bare) flows(w work, n int) ([]*flow, error) {
	flows := make([]*flow, n)
	for i := range flows {
		switch w {
		case health:
			flows[i] = get("/health", "")
		case me:
			flows[i] = get("/me", fmt.Sprintf("token-%d", i))
		case list, key:
			flows[i] = get(fmt.Sprintf("/orgs/%d/teams?limit=20", i%50+1), "")
		case refresh:
			token := fmt.Sprintf("refresh-%d", i)
			if b.rotated[i] == nil {
				b.rotated[i] = &token
			}
			flows[i] = rotating("/refresh", b.rotated[i])
		case signIn, signUp:
			flows[i] = &flow{request: message("POST", "/hash", "", ""), status: 200}
		}
	}
	return flows, nil
}

// product is ours, with two people for each connection.
type product struct {
	*server
	people  []*person
	newcome *atomic.Int64 // people who signed up so far
}

type person struct {
	Email string
	Org   string // made when it is needed
	Key   string // likewise
}

const password = "a long enough passphrase 4711"

type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

func (p product) base() *server { return p.server }

// settle signs up n people.
func (p *product) settle(n int) error {
	for i := range n {
		who := &person{Email: fmt.Sprintf("owner-%d@example.com", i)}
		if err := p.call("POST", "/api/v1/auth/register", "",
			map[string]any{"email": who.Email, "password": password, "name": fmt.Sprint("Owner ", i)}, 201, nil); err != nil {
			return err
		}
		p.people = append(p.people, who)
	}
	return nil
}

// found makes the organization of somebody, with 20 teams.
func (p product) found(who *person, token string) error {
	var org struct {
		ID string `json:"id"`
	}
	name, _, _ := strings.Cut(who.Email, "@")
	if err := p.call("POST", "/api/v1/orgs", token, map[string]any{"name": name, "slug": name}, 201, &org); err != nil {
		return err
	}
	for n := range 20 {
		team := map[string]any{"name": fmt.Sprint("Team ", n), "slug": fmt.Sprintf("team-%d", n)}
		if err := p.call("POST", "/api/v1/orgs/"+org.ID+"/teams", token, team, 201, nil); err != nil {
			return err
		}
	}
	who.Org = org.ID
	return nil
}

// handOut makes an API key of somebody that may list teams.
func (p product) handOut(who *person, token string) error {
	var made struct {
		Key string `json:"key"`
	}
	in := map[string]any{"name": "load", "scopes": []string{"orgs.read", "orgs.list_members", "orgs.list_teams"}}
	err := p.call("POST", "/api/v1/orgs/"+who.Org+"/api-keys", token, in, 201, &made)
	who.Key = made.Key
	return err
}

func (p product) flows(w work, n int) ([]*flow, error) {
	flows := make([]*flow, n)
	for i := range flows {
		who := p.people[i]
		if w == signIn { // by others than those who ask: a person has a hundred sessions, and the oldest ends
			who = p.people[len(p.people)-1-i]
		}
		t := tokens{}
		if w == me || w == list || w == key || w == refresh {
			if err := p.call("POST", "/api/v1/auth/login", "", credentials(who.Email), 200, &t); err != nil {
				return nil, err
			}
		}
		if (w == list || w == key) && who.Org == "" {
			if err := p.found(who, t.AccessToken); err != nil {
				return nil, err
			}
		}
		if w == key && who.Key == "" {
			if err := p.handOut(who, t.AccessToken); err != nil {
				return nil, err
			}
		}
		switch w {
		case health:
			flows[i] = get("/health", "")
		case me:
			flows[i] = get("/api/v1/users/me", t.AccessToken)
		case list:
			flows[i] = get("/api/v1/orgs/"+who.Org+"/teams?limit=20", t.AccessToken)
		case key:
			flows[i] = get("/api/v1/orgs/"+who.Org+"/teams?limit=20", who.Key)
		case refresh:
			flows[i] = rotating("/api/v1/auth/refresh", &t.RefreshToken)
		case signIn:
			body, err := json.Marshal(credentials(who.Email))
			if err != nil {
				return nil, err
			}
			flows[i] = &flow{request: message("POST", "/api/v1/auth/login", "", string(body)), status: 200}
		case signUp:
			flows[i] = &flow{next: p.newcomer, status: 201}
		}
	}
	return flows, nil
}

func credentials(email string) map[string]any {
	return map[string]any{"email": email, "password": password}
}

// newcomer is the request of somebody who was never seen before.
func (p product) newcomer() []byte {
	n := p.newcome.Add(1)
	return message("POST", "/api/v1/auth/register", "",
		fmt.Sprintf(`{"email":"new-%d-%d@example.com","password":"%s","name":"Newcomer %[2]d"}`, time.Now().UnixNano(), n, password))
}

// rotating sends the token that the last answer brought.
func rotating(path string, token *string) *flow {
	return &flow{
		next: func() []byte { return message("POST", path, "", `{"refresh_token":"`+*token+`"}`) },
		answer: func(body []byte) (err error) {
			*token, err = field(body, "refresh_token")
			return err
		},
		status: 200,
	}
}

// field returns a text of a JSON object, without decoding the rest.
func field(body []byte, name string) (string, error) {
	if _, rest, ok := bytes.Cut(body, []byte(`"`+name+`":"`)); ok {
		if value, _, ok := bytes.Cut(rest, []byte(`"`)); ok {
			return string(value), nil
		}
	}
	return "", fmt.Errorf("the answer has no %s: %.300s", name, body)
}

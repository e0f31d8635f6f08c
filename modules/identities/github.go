package identities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

// GitHub speaks OAuth but not OpenID Connect: who has signed in is asked of its API.
// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps

func (s *source) github() *discovery {
	site := strings.TrimRight(s.Issuer, "/")
	return &discovery{issuer: site, endpoint: oauth2.Endpoint{
		AuthURL: site + "/login/oauth/authorize", TokenURL: site + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams,
	}}
}

// githubAPI is where the API is: beside github.com, and below any other site.
func (s *source) githubAPI() string {
	site := strings.TrimRight(s.Issuer, "/")
	if site == "https://github.com" {
		return "https://api.github.com"
	}
	return site + "/api/v3"
}

func (s *source) githubPerson(ctx context.Context, token *oauth2.Token) (person, error) {
	var user struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
		Name  string `json:"name"`
	}
	if err := s.githubGet(ctx, token, "/user", &user); err != nil {
		return person{}, err
	}
	if user.ID <= 0 {
		return person{}, ErrToken.Because(errors.New("the user has no id"))
	}
	p := person{issuer: strings.TrimRight(s.Issuer, "/"), subject: strconv.FormatInt(user.ID, 10), name: user.Name}
	if p.name == "" {
		p.name = user.Login
	}
	var emails []struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	if err := s.githubGet(ctx, token, "/user/emails", &emails); err != nil {
		return person{}, err
	}
	for _, e := range emails {
		if e.Primary {
			p.email, p.emailVerified = e.Email, e.Verified
		}
	}
	return p, nil
}

func (s *source) githubGet(ctx context.Context, token *oauth2.Token, path string, into any) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, s.githubAPI()+path, nil)
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+token.AccessToken)
	q.Header.Set("Accept", "application/vnd.github+json")
	q.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	res, err := s.client.Do(q)
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return ErrUnavailable.Because(fmt.Errorf("GET %s answered %d", path, res.StatusCode))
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return ErrUnavailable.Because(fmt.Errorf("read the answer to GET %s: %w", path, err))
	}
	return nil
}

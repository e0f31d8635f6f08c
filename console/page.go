package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// boot is what the application knows before it asks the API: Boot in src/lib/boot.ts.
type boot struct {
	Base       string                       `json:"base"`
	Name       string                       `json:"name"`
	Logo       string                       `json:"logo"`
	Tagline    string                       `json:"tagline"`
	Locale     string                       `json:"locale"`
	Locales    []string                     `json:"locales"`
	Wording    map[string]map[string]string `json:"wording"`
	Hidden     []string                     `json:"hidden"`
	Extensions []string                     `json:"extensions"`
	SignUp     string                       `json:"signUp"`
	Developer  bool                         `json:"developer"`
	Session    bool                         `json:"session"`
}

// look is what the page depends on: cookies say it before any script runs. The theme is
// the reader's choice, so that the page comes in its colours. Without a session nobody is
// signed in, and the application need not ask who it is.
type look struct {
	theme   string
	session bool
}

// render makes the page in every look.
func (c *Console) render(index []byte, p Product) (map[look][]byte, error) {
	pages := map[look][]byte{}
	for _, session := range []bool{false, true} {
		page, err := c.page(index, p, session)
		if err != nil {
			return nil, err
		}
		for _, theme := range []string{"", "light", "dark"} {
			themed := page
			if theme != "" {
				themed = bytes.Replace(page, []byte("<html "), []byte(`<html data-theme="`+theme+`" `), 1)
				if bytes.Equal(themed, page) {
					return nil, errors.New("console: index.html has no <html lang=…> to write the theme into")
				}
			}
			pages[look{theme, session}] = themed
		}
	}
	return pages, nil
}

func (c *Console) page(index []byte, p Product, session bool) ([]byte, error) {
	logo := c.config.Logo
	if strings.HasPrefix(logo, "/") {
		logo = p.Base + logo
	}
	b := boot{Base: p.Base, Name: p.Name, Logo: logo, Tagline: c.config.Tagline, Locale: c.config.Locales[0], Locales: c.config.Locales,
		Wording: c.config.Wording, Hidden: c.config.Hidden, Extensions: c.extensions, SignUp: p.SignUp, Developer: p.Developer, Session: session}
	if b.Wording == nil {
		b.Wording = map[string]map[string]string{}
	}
	b.Hidden, b.Extensions = append([]string{}, b.Hidden...), append([]string{}, b.Extensions...)
	data, err := json.Marshal(b) // escapes <, > and &
	if err != nil {
		return nil, err
	}
	head := `<meta name="description" content="` + html.EscapeString(c.description(p)) + `"><script type="application/json" id="boot">` + string(data) + `</script>`
	if c.config.brand() != "" {
		head += `<link rel="stylesheet" href="` + p.Base + `/brand.css">`
	}
	page := bytes.ReplaceAll(index, []byte(`="./`), []byte(`="`+p.Base+`/`))
	page = bytes.Replace(page, []byte("<title>Tenon</title>"), []byte("<title>"+html.EscapeString(p.Name)+"</title>"), 1)
	page = bytes.Replace(page, []byte(">Tenon</p>"), []byte(">"+html.EscapeString(p.Name)+"</p>"), 1) // until the application shows its first page
	return bytes.Replace(page, []byte("</head>"), []byte(head+"</head>"), 1), nil
}

// description is what search engines and those who share a link show of the product.
func (c *Console) description(p Product) string {
	if c.config.Tagline == "" {
		return p.Name
	}
	return p.Name + ": " + c.config.Tagline
}

// policy is the Content-Security-Policy of the page: what it loads comes from here, and
// no text becomes a script or markup.
func (p Product) policy(logo string) string {
	images := "'self' data: blob:"
	for _, host := range p.ImageHosts {
		images += " https://" + host
	}
	if p.Files != "" {
		images += " " + p.Files
	}
	if u, err := url.Parse(logo); err == nil && u.Host != "" {
		images += " " + u.Scheme + "://" + u.Host
	}
	return fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src %s; font-src 'self'; connect-src 'self'; manifest-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'", images)
}

func themeOf(q *http.Request) string {
	if c, err := q.Cookie("theme"); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

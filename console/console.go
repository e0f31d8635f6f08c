// Package console serves the web application from the binary: its files, and the one
// page that starts it.
//
// The sources in TypeScript are beside it; dist holds what they build to, so that Go
// alone builds the product. A product changes the console from Go: its name and colour
// (Config), pages of its own (Extend), or all of it (Config.Files).
package console

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Config says how the console looks, and what of it there is.
type Config struct {
	// Switch is "off" where the product brings its own front end and wants the API alone.
	Switch string `env:"TENON_CONSOLE"`
	// Logo is the address of the product's sign: a path such as /ext/logo.svg, or https://….
	Logo string `env:"TENON_CONSOLE_LOGO"`
	// Tagline is said beside the sign-in form.
	Tagline string `env:"TENON_CONSOLE_TAGLINE"`
	// Hue turns all colours of the product: degrees of OKLCH, 262 (blue) unless set.
	Hue int `env:"TENON_CONSOLE_HUE"`
	// Locales are the languages that are offered; all there are, en and de, unless set.
	Locales []string `env:"TENON_CONSOLE_LOCALES"`
	// Hidden are entries of the navigation that are not shown: teams, api-keys, ….
	Hidden []string `env:"TENON_CONSOLE_HIDDEN"`

	// The rest is set in Go.

	// Wording replaces texts, by language and key: {"en": {"nav.teams": "Squads"}}.
	Wording map[string]map[string]string
	// Files replaces the application: what `npm run build` made of an ejected source.
	Files fs.FS
}

// Off reports whether there is no console.
func (c Config) Off() bool { return c.Switch == "off" }

// languages are those that the application speaks.
func languages() []string { return []string{"en", "de"} }

// Check completes the configuration and refuses what makes no sense.
func (c *Config) Check() error {
	if c.Switch != "" && c.Switch != "on" && c.Switch != "off" {
		return fmt.Errorf("TENON_CONSOLE must be on or off, not %q", c.Switch)
	}
	if c.Hue < 0 || c.Hue > 360 {
		return fmt.Errorf("TENON_CONSOLE_HUE must be degrees from 0 to 360, not %d", c.Hue)
	}
	if len(c.Locales) == 0 {
		c.Locales = languages()
	}
	for _, l := range c.Locales {
		if !slices.Contains(languages(), l) {
			return fmt.Errorf("TENON_CONSOLE_LOCALES: there is no %q; there are %s", l, strings.Join(languages(), ", "))
		}
	}
	if c.Files == nil {
		c.Files = Built()
	}
	return nil
}

// Console is the web application of one product.
type Console struct {
	config     Config
	extensions []string
	sources    map[string]file
}

// New returns the console; Handler serves it.
func New(c Config) *Console { return &Console{config: c, sources: map[string]file{}} }

var extensionName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// Extend serves a file below /ext/. One that ends with .js is an ES module, and the
// console loads it: its default export is called with the SDK of docs/CONSOLE.md.
// A name that is not like reports.js is a programming error and panics.
func (c *Console) Extend(name string, body []byte) {
	if !extensionName.MatchString(name) {
		panic("console: an extension is named like reports.js, not " + name)
	}
	if _, dup := c.sources["ext/"+name]; dup {
		panic("console: there are two extensions " + name)
	}
	c.sources["ext/"+name] = inMemory(name, body)
	if path.Ext(name) == ".js" {
		c.extensions = append(c.extensions, "/ext/"+name)
	}
}

// Add extends the console with the files below pages/ of a module.
func (c *Console) Add(module fs.FS) {
	files, err := fs.Glob(module, "pages/*")
	if err != nil || len(files) == 0 {
		panic("console: a module has no pages/*.js")
	}
	for _, name := range files {
		body, err := fs.ReadFile(module, name)
		if err != nil {
			panic(fmt.Sprintf("console: %v", err)) // it was there a moment ago
		}
		c.Extend(path.Base(name), body)
	}
}

// Product is what the console shows of the app around it.
type Product struct {
	Name       string
	Base       string   // the path that the product is below, such as /app; usually none
	SignUp     string   // open, invitation, waitlist or domains
	ImageHosts []string // other hosts that pictures of people may come from
	Files      string   // origin that files are fetched from, if it is not the product's own
	Developer  bool     // shows what helps on a developer's machine
	// Session tells whether a request brings a session cookie; nil: it may, always.
	Session func(*http.Request) bool
}

// Handler serves the files, and for every other path the page. What is asked for and
// is not there it hands to missing.
func (c *Console) Handler(p Product, missing http.Handler) (http.Handler, error) {
	files, err := readFiles(c.config.Files)
	if err != nil {
		return nil, err
	}
	for name, f := range c.sources {
		files[name] = f
	}
	index, ok := files["index.html"]
	if !ok {
		return nil, errors.New("console: there is no index.html; build it with: npm run build")
	}
	delete(files, "index.html")
	early, err := takePreloads(files, p.Base)
	if err != nil {
		return nil, err
	}
	if style := c.config.brand(); style != "" {
		files["brand.css"] = inMemory("brand.css", []byte(style))
	}
	if p.Session == nil {
		p.Session = func(*http.Request) bool { return true }
	}
	body, err := index.read(index.name)
	if err != nil {
		return nil, err
	}
	pages, err := c.render(body, p)
	if err != nil {
		return nil, err
	}
	return &handler{files: files, pages: pages, preloads: early, session: p.Session, policy: p.policy(c.config.Logo), missing: missing}, nil
}

// brand is the style sheet that turns the colours.
func (c Config) brand() string {
	if c.Hue == 0 {
		return ""
	}
	return fmt.Sprintf(":root{--brand-h:%d}\n", c.Hue)
}

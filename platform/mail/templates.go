package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	htmltemplate "github.com/DataDog/datadog-agent/pkg/template/html"
	template "github.com/DataDog/datadog-agent/pkg/template/text"
)

// Branding is what a product shows of itself in every mail.
type Branding struct {
	ProductName string `env:"MAIL_PRODUCT_NAME"` // what the product is called, in mail and in the API reference
	LogoURL     string `env:"MAIL_LOGO_URL"`     // an https picture, shown 32 px high; without one the name is shown
	Color       string `env:"MAIL_COLOR"`        // of buttons, as #rrggbb
	SupportURL  string `env:"MAIL_SUPPORT_URL"`  // where to ask for help: https: or mailto:, in the footer of every mail
}

// Templates are the mails a product can write, each in one or more languages.
type Templates struct {
	brand   Branding
	letters map[letterKey]*letter
	html    *htmltemplate.Template
	text    *template.Template
}

type letterKey struct{ name, locale string }

const fallbackLocale = "en"

// NewTemplates reads every file called <name>.<locale>.txt in sources, in any folder,
// and layout.html and layout.txt; a file of a later source replaces the one of the same
// name in an earlier source. To re-brand a mail is to overlay its file, to speak another
// language is to add one. A file is a letter:
//
//	Subject: {{.Inviter}} invites you to {{.Org}}
//	Preview: Join your team on {{product}}.
//
//	An ordinary paragraph; its lines
//	are joined.
//
//	[Accept the invitation]({{.URL}})
//
//	`{{.Code}}`
//
//	- Device: {{.Device}}
//	- Place: {{.Place}}
//
//	> Small print.
//
// Blocks are told apart by empty lines before any value is filled in, and each value
// becomes one line of plain text: no value adds a block, a link, a header or mark-up.
// A block that comes out empty is left out, so {{if}} stays inside one block.
func NewTemplates(brand Branding, sources ...fs.FS) (*Templates, error) {
	brand, err := brand.checked()
	if err != nil {
		return nil, err
	}
	t := &Templates{brand: brand, letters: map[letterKey]*letter{}}
	for _, source := range append([]fs.FS{layouts}, sources...) {
		if err := fs.WalkDir(source, ".", func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return t.read(source, file)
		}); err != nil {
			return nil, fmt.Errorf("read mail templates: %w", err)
		}
	}
	return t, nil
}

// Render writes the mail name in the best language there is: the locale itself ("de-AT"),
// its language ("de"), then English.
func (t *Templates) Render(name, locale string, data any) (subject, text, html string, err error) {
	l, locale, err := t.find(name, locale)
	if err != nil {
		return "", "", "", err
	}
	filled, err := l.fill(data)
	if err != nil {
		return "", "", "", fmt.Errorf("render mail %s.%s: %w", name, locale, err)
	}
	filled.Brand, filled.Locale, filled.Dir = t.brand, locale, direction(locale)
	var plainText, page bytes.Buffer
	if err := errors.Join(t.text.Execute(&plainText, filled), t.html.Execute(&page, filled)); err != nil {
		return "", "", "", fmt.Errorf("render mail %s.%s: %w", name, locale, err)
	}
	return filled.Subject, strings.TrimSpace(plainText.String()) + "\n", page.String(), nil
}

// Preview renders a mail with made-up values: each field shows its own name.
func (t *Templates) Preview(name, locale string) (subject, text, html string, err error) {
	l, _, err := t.find(name, locale)
	if err != nil {
		return "", "", "", err
	}
	return t.Render(name, locale, l.sample())
}

// Names lists the mails there are, sorted.
func (t *Templates) Names() []string {
	var names []string
	for key := range t.letters {
		names = append(names, key.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Locales lists the languages in which the mail name is written, sorted.
func (t *Templates) Locales(name string) []string {
	var locales []string
	for key := range t.letters {
		if key.name == name {
			locales = append(locales, key.locale)
		}
	}
	slices.Sort(locales)
	return locales
}

func (t *Templates) read(source fs.FS, file string) error {
	base, ext := path.Base(file), path.Ext(file)
	if ext != ".txt" && base != "layout.html" {
		return nil
	}
	body, err := fs.ReadFile(source, file)
	if err != nil {
		return err
	}
	content := strings.ReplaceAll(string(body), "\r\n", "\n")
	switch base {
	case "layout.html":
		t.html, err = htmltemplate.New(base).Parse(content)
	case "layout.txt":
		t.text, err = template.New(base).Parse(content)
	default:
		name, locale, ok := cutLast(strings.TrimSuffix(base, ext), ".")
		if !ok {
			return fmt.Errorf("%s: want a name like invitation.en.txt", file)
		}
		if t.letters[letterKey{name, locale}], err = parseLetter(content, t.brand); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return err
}

func (t *Templates) find(name, locale string) (*letter, string, error) {
	language, _, _ := strings.Cut(locale, "-")
	for _, l := range []string{locale, language, fallbackLocale} {
		if found, ok := t.letters[letterKey{name, l}]; ok {
			return found, l, nil
		}
	}
	return nil, "", fmt.Errorf("there is no mail %q, in %q or in English", name, locale)
}

func (b Branding) checked() (Branding, error) {
	if b.ProductName = plain(b.ProductName); b.ProductName == "" {
		b.ProductName = "Tenon"
	}
	if b.Color == "" {
		b.Color = "#1f5eff"
	}
	if !isColor(b.Color) {
		return b, fmt.Errorf("mail color %q is not of the form #rrggbb", b.Color)
	}
	if b.LogoURL != "" && !isLink(b.LogoURL) {
		return b, fmt.Errorf("mail logo %q is not an http or https URL", b.LogoURL)
	}
	if b.SupportURL != "" && !isLink(b.SupportURL) && !strings.HasPrefix(b.SupportURL, "mailto:") {
		return b, fmt.Errorf("mail support link %q is not an https or mailto URL", b.SupportURL)
	}
	return b, nil
}

func isColor(s string) bool {
	return len(s) == 7 && s[0] == '#' && strings.Trim(s[1:], "0123456789abcdefABCDEF") == ""
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && s == plain(s)
}

// direction is the writing direction of a language.
func direction(locale string) string {
	switch language, _, _ := strings.Cut(locale, "-"); language {
	case "ar", "dv", "fa", "he", "ps", "ur", "yi":
		return "rtl"
	}
	return "ltr"
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i <= 0 || i == len(s)-1 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

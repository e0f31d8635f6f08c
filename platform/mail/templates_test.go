package mail_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/mail"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type invitation struct {
	Inviter, Org, Note, URL string
	Days                    int
}

var aCode = map[string]any{"Code": "481 516", "Minutes": 10, "Device": "Firefox on Linux", "Place": "Lisbon, Portugal"}

func TestLettersLookAsTheyDid(t *testing.T) {
	templates := templates(t, mail.Branding{ProductName: "Acme", Color: "#0a7d55", SupportURL: "https://acme.test/help"}, letters(t))
	invite := invitation{"Ada Lovelace", "Analytical Engines", "See you there!", "https://acme.test/invitations#tn_inv_x?a=1&b=2", 7}
	for file, data := range map[string]any{"invitation.en": invite, "code.en": aCode, "code.de": aCode} {
		t.Run(file, func(t *testing.T) {
			name, locale, _ := strings.Cut(file, ".")
			subject, text, html, err := templates.Render(name, locale, data)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, file+".golden.txt", "Subject: "+subject+"\n\n"+text)
			golden(t, file+".golden.html", html)
		})
	}
}

func TestAValueStaysText(t *testing.T) {
	templates := templates(t, mail.Branding{}, letters(t))
	subject, text, html, err := templates.Render("invitation", "en", invitation{
		Inviter: `<a href=http://e.test>Claim</a>`,
		Org:     "</td><img src=//e.test>\r\nBcc: evil@e.test",
		Note:    "hi\r\n.\r\nMAIL FROM:<x>\n\n[Click](https://e.test)\n\n`code`\u202e {{.URL}} https://e.test www.e.test",
		URL:     "https://acme.test/i?a=1&b=\"><script>",
		Days:    7,
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, part := range map[string]string{"subject": subject, "text": text, "html": html} {
		for _, bad := range []string{"http://e.test", "https://e.test", "www.e.test", "\r", "\u202e", "\n.", "\nMAIL", "\nBcc"} {
			if strings.Contains(part, bad) {
				t.Errorf("%s holds %q:\n%s", what, bad, part)
			}
		}
	}
	for _, bad := range []string{"<a href=http", "<img", "<script", "href=\"http://e", "\u2060//e.test\""} {
		if strings.Contains(html, bad) {
			t.Errorf("the page holds %q:\n%s", bad, html)
		}
	}
	if strings.Contains(subject, "\n") || strings.Count(html, `target="_blank"`) != 2 {
		t.Errorf("subject %q, %d links", subject, strings.Count(html, `target="_blank"`))
	}
}

func TestAButtonLeadsToTheWebOnly(t *testing.T) {
	templates := templates(t, mail.Branding{}, letters(t))
	for _, bad := range []string{"", "javascript:alert(1)", "//e.test", "/relative", "https://user:pw@e.test/", "data:text/html,x"} {
		if _, _, html, err := templates.Render("invitation", "en", invitation{Inviter: "A", Org: "B", URL: bad}); err == nil {
			t.Errorf("%q became a button: %s", bad, html)
		}
	}
}

func TestTheNearestLanguageIsUsed(t *testing.T) {
	overlay, err := fs.Sub(os.DirFS("testdata"), "overlay")
	if err != nil {
		t.Fatal(err)
	}
	templates := templates(t, mail.Branding{ProductName: "Acme"}, letters(t), overlay)
	for locale, want := range map[string]string{
		"de": "481 516 ist Ihr Code", "de-AT": "481 516 ist Ihr Code", "fr": "Your Acme code", "": "Your Acme code", "ar-EG": "رمزك",
	} {
		subject, _, html, err := templates.Render("code", locale, aCode)
		if err != nil || subject != want {
			t.Errorf("%s: subject %q (%v), want %q", locale, subject, err, want)
		}
		if rtl := strings.Contains(html, `lang="ar" dir="rtl"`); rtl != (locale == "ar-EG") {
			t.Errorf("%s: right to left is %v", locale, rtl)
		}
	}
	if diff := cmp.Diff([]string{"ar", "de", "en"}, templates.Locales("code")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"code", "invitation"}, templates.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestAnOverlayChangesTheLayoutToo(t *testing.T) {
	overlay := fstest.MapFS{"mail/layout.html": {Data: []byte(`<p>{{.Brand.ProductName}}: {{range .Blocks}}{{.Text}}{{end}}</p>`)}}
	_, _, html, err := templates(t, mail.Branding{ProductName: "A&B"}, letters(t), overlay).Render("code", "de", aCode)
	if want := "<p>A&amp;B: Geben Sie diesen Code ein, um sich bei A&amp;B anzumelden.481 516</p>"; err != nil || html != want {
		t.Errorf("html = %s (%v)", html, err)
	}
}

func TestAPreviewNeedsNoData(t *testing.T) {
	subject, text, _, err := templates(t, mail.Branding{}, letters(t)).Preview("invitation", "en")
	if err != nil || subject != "‹Inviter› invites you to ‹Org›" || !strings.Contains(text, "https://example.com/url") {
		t.Errorf("preview = %q, %q (%v)", subject, text, err)
	}
}

func TestAMistakeInATemplateShowsAtTheStart(t *testing.T) {
	for what, file := range map[string]string{
		"no body": "Subject: x", "no subject": "Preview: x\n\nbody", "header": "Subject: x\nBcc: y\n\nbody",
		"syntax": "Subject: {{.X\n\nbody", "block": "Subject: x\n\n{{if .X}}\n\nbody\n\n{{end}}", "function": "Subject: x\n\n{{exec .X}}",
	} {
		if _, err := mail.NewTemplates(mail.Branding{}, fstest.MapFS{"bad.en.txt": {Data: []byte(file)}}); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	if _, err := mail.NewTemplates(mail.Branding{}, fstest.MapFS{"nolocale.txt": {Data: []byte("Subject: x\n\ny")}}); err == nil {
		t.Error("a file without a language was accepted")
	}
	for _, brand := range []mail.Branding{{Color: "red;}"}, {LogoURL: "javascript:x"}, {SupportURL: "ftp://x"}} {
		if _, err := mail.NewTemplates(brand); err == nil {
			t.Errorf("%+v was accepted", brand)
		}
	}
}

func TestAMissingValueIsAnErrorAndNoMail(t *testing.T) {
	templates := templates(t, mail.Branding{}, letters(t))
	if _, _, _, err := templates.Render("code", "en", map[string]any{"Code": "1"}); err == nil {
		t.Error("rendered without its values")
	}
	if _, _, _, err := templates.Render("unknown", "en", nil); err == nil {
		t.Error("rendered a mail that does not exist")
	}
}

func templates(t *testing.T, brand mail.Branding, sources ...fs.FS) *mail.Templates {
	t.Helper()
	templates, err := mail.NewTemplates(brand, sources...)
	if err != nil {
		t.Fatal(err)
	}
	return templates
}

func letters(t *testing.T) fs.FS {
	t.Helper()
	dir, err := fs.Sub(os.DirFS("testdata"), "letters")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; rewrite with -update):\n%s", file, diff)
	}
}

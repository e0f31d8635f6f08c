package files_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/files"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/blob"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// world is an organization with people of all roles, at a time of its own.
type world struct {
	*tenontest.App
	t      *testing.T
	now    *clock.Manual
	folder string // of local files

	owner, member, viewer, stranger *tenontest.User
	org, theirs                     id.Org
}

// stores are where files are kept: each test of bytes runs on both, on both databases.
func eachStore(t *testing.T, fn func(t *testing.T, w *world), configure ...func(*tenon.Config)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		for _, provider := range []string{"local", "s3"} {
			t.Run(string(dialect)+"/"+provider, func(t *testing.T) {
				t.Parallel()
				fn(t, newWorld(t, dialect, provider, configure...))
			})
		}
	}
}

func each(t *testing.T, fn func(t *testing.T, w *world), configure ...func(*tenon.Config)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			fn(t, newWorld(t, dialect, "local", configure...))
		})
	}
}

func newWorld(t *testing.T, dialect db.Dialect, provider string, configure ...func(*tenon.Config)) *world {
	t.Helper()
	w := &world{t: t, now: clock.NewManual(time.Now()), folder: filepath.Join(t.TempDir(), "files")}
	w.App = tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) {
		c.Now, c.Blobs.Folder = w.now.Now, w.folder
		if provider == "s3" {
			s := servers.S3(t)
			c.Blobs = blob.Config{Provider: "s3", Bucket: s.Bucket, AccessKey: s.AccessKey, SecretKey: s.SecretKey, Region: s.Region, Endpoint: s.Endpoint()}
		}
		for _, fn := range configure {
			fn(c)
		}
	}))
	w.owner, w.stranger = w.User("owner"), w.User("stranger")
	w.org, w.theirs = w.Org(w.owner, "acme"), w.Org(w.stranger, "theirs")
	w.member, w.viewer = w.Member(w.org, "member", authz.Member), w.Member(w.org, "viewer", authz.Viewer)
	w.Call(w.member, "PATCH", "/users/me", fmt.Sprintf(`{"default_org_id":%q}`, w.org)).Want(t, 200)
	return w
}

// send sends a file to a path, as a form of a browser does.
func (w *world) send(u *tenontest.User, path, name string, content []byte, headers ...string) *tenontest.Answer {
	w.t.Helper()
	body, contentType := form("file", name, content)
	return w.Send(w.request(u, "POST", path, contentType, body, headers...))
}

func form(field, name string, content []byte) (*bytes.Buffer, string) {
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	h := textproto.MIMEHeader{"Content-Disposition": {multipart.FileContentDisposition(field, name)}, "Content-Type": {"image/png"}} // which nobody believes
	part, err := m.CreatePart(h)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		panic(err)
	}
	return &body, m.FormDataContentType()
}

func (w *world) request(u *tenontest.User, method, path, contentType string, body io.Reader, headers ...string) *http.Request {
	q := httptest.NewRequestWithContext(w.t.Context(), method, "/api/v1"+path, body)
	if contentType != "" {
		q.Header.Set("Content-Type", contentType)
	}
	if u != nil {
		q.Header.Set("Authorization", "Bearer "+u.Tokens.AccessToken)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	return q
}

// upload stores a file for the member, and returns its id.
func (w *world) upload(name string, content []byte) string {
	w.t.Helper()
	return w.send(w.member, "/files/upload", name, content).Want(w.t, 201).Get("id")
}

// in calls within the organization.
func (w *world) in(u *tenontest.User, org id.Org, method, path, body string) *tenontest.Answer {
	w.t.Helper()
	q := w.Request(method, path, body)
	q.Header.Set("Authorization", "Bearer "+u.Tokens.AccessToken)
	q.Header.Set("X-Org-Id", org.String())
	return w.Send(q)
}

// link asks for the address of a file.
func (w *world) link(file, query string) string {
	w.t.Helper()
	return w.in(w.member, w.org, "GET", "/files/"+file+"/download"+query, "").Want(w.t, 200).Get("download_url")
}

// fetch fetches an address: our own through the router, another one over the network.
func (w *world) fetch(url string, headers ...string) (status int, h http.Header, body []byte) {
	w.t.Helper()
	if path, ours := strings.CutPrefix(url, w.Config.Web.PublicURL); ours {
		q := w.request(nil, "GET", strings.TrimPrefix(path, "/api/v1"), "", nil, headers...)
		out := httptest.NewRecorder()
		w.Handler().ServeHTTP(out, q)
		return out.Code, out.Header(), out.Body.Bytes()
	}
	q, err := http.NewRequestWithContext(w.t.Context(), "GET", url, nil)
	w.must(err)
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	r, err := http.DefaultClient.Do(q)
	w.must(err)
	defer r.Body.Close()
	body, err = io.ReadAll(r.Body)
	w.must(err)
	return r.StatusCode, r.Header, body
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) usage() (bytes, n float64) {
	u := w.in(w.owner, w.org, "GET", "/files/usage", "").Want(w.t, 200)
	return u.Body["bytes"].(float64), u.Body["files"].(float64)
}

// kept lists the keys of all blobs.
func (w *world) kept() (keys []string) {
	w.t.Helper()
	w.must(w.Blobs.Walk(w.t.Context(), "", func(b blob.Info) error { keys = append(keys, b.Key); return nil }))
	return keys
}

func sum(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }

// pdf is a document of n bytes.
func pdf(n int) []byte {
	return append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("0123456789\n"), n/11+1)...)[:n]
}

func picture(w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(i*7) | 0x80
	}
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{byte(x), byte(y), 90, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func docx() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "word/document.xml"} {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write([]byte("<x/>"))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestAFileComesBackAsItWasSent(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		content := pdf(300_000)
		f := w.send(w.member, "/files/upload", "Über uns.pdf", content).Want(t, 201)
		if f.Get("name") != "Über uns.pdf" || f.Get("content_type") != "application/pdf" || f.Body["size"] != float64(len(content)) || f.Get("sha256") != sum(content) ||
			f.Get("status") != "ready" || f.Get("account_id") != w.member.ID.String() {
			t.Errorf("uploaded: %s", f.Text)
		}
		list := w.in(w.viewer, w.org, "GET", "/files", "").Want(t, 200).Items()
		if len(list) != 1 || list[0]["id"] != f.Get("id") {
			t.Errorf("listed: %v", list)
		}
		if got := w.in(w.viewer, w.org, "GET", "/files?q=%C3%BCBER", "").Want(t, 200).Items(); len(got) != 1 {
			t.Errorf("searched by a part of the name: %v", got)
		}
		if got := w.in(w.viewer, w.org, "GET", "/files?q=%25", "").Want(t, 200).Items(); len(got) != 0 {
			t.Errorf("searched by a percent sign: %v", got)
		}
		d := w.in(w.viewer, w.org, "GET", "/files/"+f.Get("id")+"/download", "").Want(t, 200)
		if d.Body["expires_in"] != float64(900) {
			t.Errorf("expires in %v", d.Body["expires_in"])
		}
		status, h, body := w.fetch(d.Get("download_url"))
		if status != 200 || !bytes.Equal(body, content) || h.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment; filename*=utf-8''") {
			t.Errorf("fetched: %d, %d bytes, %v", status, len(body), h)
		}
		status, h, body = w.fetch(d.Get("download_url"), "Range", "bytes=100-199")
		if status != 206 || !bytes.Equal(body, content[100:200]) || h.Get("Content-Range") != fmt.Sprintf("bytes 100-199/%d", len(content)) {
			t.Errorf("a range: %d, %d bytes, %v", status, len(body), h)
		}
		status, h, body = w.fetch(d.Get("download_url"), "Range", "bytes=1000000-")
		ours := strings.HasPrefix(d.Get("download_url"), w.Config.Web.PublicURL) // or S3 says it
		if status != 416 || ours && !bytes.Contains(body, []byte(`"code":"request.range"`)) || ours && h.Get("Content-Range") != fmt.Sprintf("bytes */%d", len(content)) || ours && h.Get("Content-Type") != "application/problem+json" {
			t.Errorf("a range beyond the end: %d, %s, %v", status, body, h)
		}
		if b, n := w.usage(); b != float64(len(content)) || n != 1 {
			t.Errorf("usage: %v bytes, %v files", b, n)
		}
		w.in(w.member, w.org, "DELETE", "/files/"+f.Get("id"), "").Want(t, 204)
		w.in(w.member, w.org, "GET", "/files/"+f.Get("id"), "").WantCode(t, 404, "files.not_found")
		w.Settle()
		if left := w.kept(); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
		if status, _, _ := w.fetch(d.Get("download_url")); status != 404 {
			t.Errorf("the address of a deleted file answers %d", status)
		}
		if b, n := w.usage(); b != 0 || n != 0 {
			t.Errorf("usage: %v bytes, %v files", b, n)
		}
	})
}

func TestWhichOrganizationAFileBelongsTo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		beta := w.Org(w.member, "beta")
		w.Call(w.member, "PATCH", "/users/me", fmt.Sprintf(`{"default_org_id":%q}`, beta)).Want(t, 200)
		for name, c := range map[string]struct {
			headers []string
			want    id.Org
		}{"the header": {[]string{"X-Org-Id", w.org.String()}, w.org}, "the default": {nil, beta}} {
			f := w.send(w.member, "/files/upload", "a.pdf", pdf(100), c.headers...).Want(t, 201)
			w.in(w.member, c.want, "GET", "/files/"+f.Get("id"), "").Want(t, 200)
			if name == "the header" {
				w.in(w.member, beta, "GET", "/files/"+f.Get("id"), "").WantCode(t, 404, "files.not_found")
			}
		}
		key := w.Key(w.owner, w.org, files.PermUpload, files.PermRead)
		body, contentType := form("file", "k.pdf", pdf(100))
		q := w.request(nil, "POST", "/files/upload", contentType, body, "Authorization", "Bearer "+key)
		f := w.Send(q).Want(t, 201)
		w.in(w.owner, w.org, "GET", "/files/"+f.Get("id"), "").Want(t, 200)
		foreign := w.Request("GET", "/files", "")
		foreign.Header.Set("Authorization", "Bearer "+key)
		foreign.Header.Set("X-Org-Id", w.theirs.String())
		w.Send(foreign).WantCode(t, 404, "not_found")

		w.Call(w.User("homeless"), "GET", "/files", "").WantCode(t, 400, "request.no_org")
		for _, org := range []string{w.theirs.String(), "org_nonsense", id.New[id.OrgKind]().String()} {
			q := w.request(w.member, "GET", "/files", "", nil, "X-Org-Id", org)
			w.Send(q).WantCode(t, 404, "not_found")
		}
		twice := w.request(w.member, "GET", "/files", "", nil)
		twice.Header["X-Org-Id"] = []string{w.org.String(), w.theirs.String()}
		w.Send(twice).WantCode(t, 404, "not_found")
	})
}

// G08: what is not yours is not there.
func TestWhoMayNotReachAFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.send(w.owner, "/files/upload", "a.pdf", pdf(100)).Want(t, 201).Get("id")
		for _, c := range [][2]string{{"GET", ""}, {"DELETE", ""}, {"GET", "/download"}, {"GET", "/download?variant=thumbnail"}, {"POST", "/complete"}} {
			w.Call(nil, c[0], "/files/"+f+c[1], "").WantCode(t, 401, "auth.required")
			w.in(w.stranger, w.theirs, c[0], "/files/"+f+c[1], "").Want(t, 404)
			w.in(w.stranger, w.org, c[0], "/files/"+f+c[1], "").WantCode(t, 404, "not_found")
		}
		w.send(w.viewer, "/files/upload", "a.pdf", pdf(100), "X-Org-Id", w.org.String()).WantCode(t, 403, "auth.denied")
		w.in(w.viewer, w.org, "DELETE", "/files/"+f, "").WantCode(t, 403, "auth.denied")
		w.in(w.member, w.org, "DELETE", "/files/"+f, "").WantCode(t, 403, "files.not_yours")
		mine := w.send(w.member, "/files/upload", "a.pdf", pdf(100), "X-Org-Id", w.org.String()).Want(t, 201).Get("id")
		w.in(w.owner, w.org, "DELETE", "/files/"+mine, "").Want(t, 204)

		// Somebody else's unfinished upload cannot be taken over.
		a := w.in(w.member, w.org, "POST", "/files/presign", `{"name":"a.pdf","content_type":"application/pdf","size":100}`).Want(t, 201)
		theirs := a.Body["file"].(map[string]any)["id"].(string)
		other := w.Member(w.org, "other", authz.Member)
		w.in(other, w.org, "POST", "/files/"+theirs+"/complete", "").WantCode(t, 403, "files.not_yours")
	})
}

// A link says all that it allows, and nobody can make one.
func TestLinksAreOursAndExpire(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		link := w.link(w.upload("a.pdf", pdf(100)), "")
		if status, h, _ := w.fetch(link); status != 200 || h.Get("Cache-Control") != "private, no-store" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Content-Security-Policy") != "sandbox; default-src 'none'; frame-ancestors 'none'" {
			t.Errorf("%d %v", status, h)
		}
		at := strings.LastIndex(link, "/") + 1
		for i := at; i < len(link); i += 7 {
			forged := []byte(link)
			forged[i] ^= 1
			if status, _, _ := w.fetch(string(forged)); status != 404 {
				t.Errorf("changed at %d: %d", i-at, status)
			}
		}
		put := w.request(nil, "PUT", strings.TrimPrefix(link, w.Config.Web.PublicURL+"/api/v1"), "application/pdf", bytes.NewReader(pdf(100)))
		w.Send(put).WantCode(t, 404, "files.not_found")
		w.now.Advance(15*time.Minute + time.Second)
		if status, _, _ := w.fetch(link); status != 403 {
			t.Errorf("after its time: %d", status)
		}
	})
}

// G02, FS-3: what counts is the content; what could act is not taken, or never shown in place.
func TestTypesAreFoundByContent(t *testing.T) {
	png1 := func() []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
			panic(err)
		}
		return b.Bytes()
	}()
	hostile := map[string][]byte{
		"page.png":  []byte("<!doctype html><script>alert(1)</script>"),
		"a.svg":     []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><foreignObject/></svg>`),
		"b.png":     []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"x.xml":     []byte(`<?xml version="1.0"?><a/>`),
		"page":      []byte("<html><body>hello"),
		"a.txt":     []byte("text"),
		"a.tiff":    []byte("II*\x00\x08\x00\x00\x00"),
		"a.bmp":     append([]byte("BM"), make([]byte, 100)...),
		"a.exe":     append([]byte("MZ"), make([]byte, 100)...),
		"empty.pdf": {},
	}
	each(t, func(t *testing.T, w *world) {
		for name, content := range hostile {
			got := w.send(w.member, "/files/upload", name, content)
			if got.Status != 415 && got.Get("code") != "files.empty" {
				t.Errorf("%s: %d %s", name, got.Status, got.Text)
			}
		}
		for name, c := range map[string]struct {
			content []byte
			want    string
		}{"a.html": {png1, "image/png"}, "b": {docx(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}, "c.png": {pdf(50), "application/pdf"}} {
			if got := w.send(w.member, "/files/upload", name, c.content).Want(t, 201).Get("content_type"); got != c.want {
				t.Errorf("%s: %s", name, got)
			}
		}
		if left := w.kept(); len(left) < 3 {
			t.Errorf("kept: %v", left)
		}
	})
	everything := func(c *tenon.Config) { c.Files.Types = []string{"*"} }
	each(t, func(t *testing.T, w *world) {
		for name, content := range hostile {
			if len(content) == 0 {
				continue
			}
			file := w.upload(name, content)
			status, h, _ := w.fetch(w.link(file, "?inline=true"))
			if status != 200 || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox") {
				t.Errorf("%s: %d %v", name, status, h)
			}
		}
		// A picture that is a page as well is a picture.
		both := w.upload("both.html", append(append([]byte{}, png1...), "<script>alert(1)</script>"...))
		if _, h, _ := w.fetch(w.link(both, "?inline=true")); h.Get("Content-Type") != "image/png" || !strings.HasPrefix(h.Get("Content-Disposition"), "inline") {
			t.Errorf("%v", h)
		}
	}, everything)
}

// G01: a name is text; where a file is kept is ours to say.
func TestNamesLeadNowhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"../../etc/x", `..\..\x`, `C:\x`, "/abs", "a/../../b", ".", "..", "CON", "-rf", "x. ", "\u202Ex", "x\r\nSet-Cookie: a=b", `"; filename=evil.html`, strings.Repeat("n", 4096)} {
			got := w.send(w.member, "/files/upload", name, pdf(100))
			if got.Status != 201 {
				if got.Status != 400 {
					t.Errorf("%.30q: %d %s", name, got.Status, got.Text)
				}
				continue
			}
			_, h, _ := w.fetch(w.link(got.Get("id"), ""))
			if len(h["Content-Disposition"]) != 1 || h.Get("Set-Cookie") != "" || strings.ContainsAny(h.Get("Content-Disposition"), "\r\n\x00") {
				t.Errorf("%.30q: %v", name, h)
			}
		}
		outside := filepath.Dir(w.folder)
		entries, err := os.ReadDir(outside)
		w.must(err)
		if len(entries) != 1 {
			t.Errorf("beside the folder: %v", entries)
		}
	})
}

func TestRequestsThatAreNoUpload(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		plain, contentType := form("file", "a.pdf", pdf(100))
		other, otherType := form("document", "a.pdf", pdf(100))
		var two bytes.Buffer
		m := multipart.NewWriter(&two)
		for _, name := range []string{"a.pdf", "b.pdf"} {
			part, err := m.CreateFormFile("file", name)
			w.must(err)
			_, err = part.Write(pdf(100))
			w.must(err)
		}
		w.must(m.Close())
		var text bytes.Buffer
		n := multipart.NewWriter(&text)
		w.must(n.WriteField("file", "no file"))
		w.must(n.Close())
		for name, c := range map[string]struct {
			contentType string
			body        io.Reader
			status      int
			code        string
		}{
			"JSON":            {"application/json", strings.NewReader("{}"), 415, "request.media_type"},
			"no type":         {"", bytes.NewReader(plain.Bytes()), 415, "request.media_type"},
			"no boundary":     {"multipart/form-data", bytes.NewReader(plain.Bytes()), 415, "request.media_type"},
			"no parts":        {contentType, strings.NewReader(""), 400, "request.multipart"},
			"another field":   {otherType, other, 400, "request.multipart"},
			"two files":       {m.FormDataContentType(), &two, 400, "request.multipart"},
			"a field":         {n.FormDataContentType(), &text, 400, "request.multipart"},
			"it breaks off":   {contentType, bytes.NewReader(plain.Bytes()[:plain.Len()/2]), 400, "request.broken_off"},
			"wrong boundary":  {contentType + "x", bytes.NewReader(plain.Bytes()), 400, "request.multipart"},
			"it stops at end": {contentType, bytes.NewReader(plain.Bytes()[:plain.Len()-8]), 400, "request.broken_off"},
		} {
			t.Run(name, func(t *testing.T) {
				w.Send(w.request(w.member, "POST", "/files/upload", c.contentType, c.body)).WantCode(t, c.status, c.code)
			})
		}
		packed := w.request(w.member, "POST", "/files/upload", contentType, bytes.NewReader(plain.Bytes()), "Content-Encoding", "gzip")
		w.Send(packed).WantCode(t, 415, "request.media_type")
		if left := w.kept(); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
		if b, n := w.usage(); b != 0 || n != 0 {
			t.Errorf("usage: %v bytes, %v files", b, n)
		}
	})
}

// G05: size and quota hold whatever a request says, and whoever comes at once.
func TestSizeAndQuotaHold(t *testing.T) {
	small := func(c *tenon.Config) { c.Files.MaxSize, c.Files.Quota = 1000, 5000 }
	each(t, func(t *testing.T, w *world) {
		w.send(w.member, "/files/upload", "a.pdf", pdf(1001)).WantCode(t, 413, "files.too_large")
		body, contentType := form("file", "a.pdf", pdf(200_000))
		q := w.request(w.member, "POST", "/files/upload", contentType, body)
		w.Send(q).WantCode(t, 413, "request.too_large")
		body, contentType = form("file", "a.pdf", pdf(200_000))
		chunked := w.request(w.member, "POST", "/files/upload", contentType, body)
		chunked.ContentLength = -1
		if got := w.Send(chunked); got.Status != 413 {
			t.Errorf("without a length: %d %s", got.Status, got.Text)
		}
		w.in(w.member, w.org, "POST", "/files/presign", `{"name":"a.pdf","content_type":"application/pdf","size":1001}`).WantCode(t, 413, "files.too_large")

		var stored, refused atomic.Int32
		start := make(chan struct{})
		var all sync.WaitGroup
		for i := range 24 {
			all.Go(func() {
				<-start
				var got *tenontest.Answer
				if i%2 == 0 {
					got = w.send(w.member, "/files/upload", "a.pdf", pdf(600), "X-Org-Id", w.org.String())
				} else {
					got = w.in(w.member, w.org, "POST", "/files/presign", `{"name":"a.pdf","content_type":"application/pdf","size":600}`)
				}
				switch got.Status {
				case 201:
					stored.Add(1)
				case 413:
					refused.Add(1)
				default:
					t.Errorf("%d %s", got.Status, got.Text)
				}
			})
		}
		close(start)
		all.Wait()
		if b, n := w.usage(); stored.Load() != 8 || refused.Load() != 16 || b != 4800 || n != 8 {
			t.Errorf("%d stored, %d refused; %v bytes, %v files", stored.Load(), refused.Load(), b, n)
		}
		if got := len(w.kept()); got > 8 {
			t.Errorf("%d blobs are left", got)
		}
	}, small)
}

// announced announces a file and returns its id, and how to send it.
func (w *world) announced(body string) (file string, url string, headers map[string]any) {
	w.t.Helper()
	a := w.in(w.member, w.org, "POST", "/files/presign", body).Want(w.t, 201)
	up := a.Body["upload"].(map[string]any)
	return a.Body["file"].(map[string]any)["id"].(string), up["url"].(string), up["headers"].(map[string]any)
}

// put sends bytes to an address that was handed out.
func (w *world) put(url string, headers map[string]any, contentType string, body []byte) int {
	w.t.Helper()
	if path, ours := strings.CutPrefix(url, w.Config.Web.PublicURL+"/api/v1"); ours {
		return w.Send(w.request(nil, "PUT", path, contentType, bytes.NewReader(body))).Status
	}
	q, err := http.NewRequestWithContext(w.t.Context(), "PUT", url, bytes.NewReader(body))
	w.must(err)
	for name, v := range headers {
		if name != "Content-Length" {
			q.Header.Set(name, v.(string))
		}
	}
	q.Header.Set("Content-Type", contentType)
	r, err := http.DefaultClient.Do(q)
	w.must(err)
	r.Body.Close()
	return r.StatusCode
}

// FS-2: the same steps with both stores, and the same bounds.
func TestAFileIsSentStraightToTheStore(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		content := pdf(50_000)
		announce := fmt.Sprintf(`{"name":"big.pdf","content_type":"application/pdf","size":%d,"sha256":%q}`, len(content), sum(content))
		file, url, headers := w.announced(announce)
		w.in(w.member, w.org, "GET", "/files/"+file+"/download", "").WantCode(t, 409, "files.not_ready")
		w.in(w.member, w.org, "POST", "/files/"+file+"/complete", "").WantCode(t, 409, "files.not_uploaded")
		if b, _ := w.usage(); b != float64(len(content)) {
			t.Errorf("announced, and %v bytes are counted", b)
		}
		for name, status := range map[string]int{
			"more":         w.put(url, headers, "application/pdf", append(content, '!')),
			"less":         w.put(url, headers, "application/pdf", content[1:]),
			"another type": w.put(url, headers, "text/html", content),
		} {
			if status < 400 || status >= 500 {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status := w.put(url, headers, "application/pdf", content); status != 204 && status != 200 {
			t.Fatalf("as announced: %d", status)
		}
		done := w.in(w.member, w.org, "POST", "/files/"+file+"/complete", "").Want(t, 200)
		if done.Get("status") != "ready" || done.Get("sha256") != sum(content) {
			t.Errorf("%s", done.Text)
		}
		again := w.in(w.member, w.org, "POST", "/files/"+file+"/complete", "").Want(t, 200)
		if again.Text != done.Text {
			t.Errorf("again: %s", again.Text)
		}
		// The address still works for its store, but what is sent there changes nothing.
		w.put(url, headers, "application/pdf", bytes.Repeat([]byte("x"), len(content)))
		if _, _, body := w.fetch(w.link(file, "")); !bytes.Equal(body, content) {
			t.Error("the file has changed after it was completed")
		}

		// What is not what was announced is gone.
		file, url, headers = w.announced(announce)
		page := append([]byte("<!doctype html><script>"), bytes.Repeat([]byte(" "), len(content)-23)...)
		w.put(url, headers, "application/pdf", page)
		if got := w.in(w.member, w.org, "POST", "/files/"+file+"/complete", ""); got.Status != 415 && got.Status != 422 {
			t.Errorf("a page that was announced as a document: %d %s", got.Status, got.Text)
		}
		w.in(w.member, w.org, "GET", "/files/"+file, "").WantCode(t, 404, "files.not_found")
		file, url, headers = w.announced(announce)
		changed := append([]byte{}, content...)
		changed[len(changed)-1]++
		w.put(url, headers, "application/pdf", changed)
		w.in(w.member, w.org, "POST", "/files/"+file+"/complete", "").WantCode(t, 422, "files.mismatch")
		if b, n := w.usage(); b != float64(len(content)) || n != 1 {
			t.Errorf("usage: %v bytes, %v files", b, n)
		}
	})
}

// Of many who complete a file at once, one does, whatever is sent meanwhile.
func TestManyCompleteAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		content := pdf(100_000)
		file, url, headers := w.announced(fmt.Sprintf(`{"name":"a.pdf","content_type":"application/pdf","size":%d}`, len(content)))
		w.put(url, headers, "application/pdf", content)
		evil := append([]byte("%PDF-1.7\n<script>"), bytes.Repeat([]byte("x"), len(content)-17)...)
		start := make(chan struct{})
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				<-start
				if i%4 == 0 {
					w.put(url, headers, "application/pdf", evil)
					return
				}
				if got := w.in(w.member, w.org, "POST", "/files/"+file+"/complete", ""); got.Status != 200 && got.Status != 409 {
					t.Errorf("%d %s", got.Status, got.Text)
				}
			})
		}
		close(start)
		all.Wait()
		f := w.in(w.member, w.org, "POST", "/files/"+file+"/complete", "").Want(t, 200)
		_, _, body := w.fetch(w.link(file, ""))
		if sum(body) != f.Get("sha256") {
			t.Error("the checksum is not that of the bytes")
		}
		events := w.Call(w.owner, "GET", "/orgs/"+w.org.String()+"/events?type=files.uploaded", "").Want(t, 200).Items()
		if len(events) != 1 {
			t.Errorf("%d events", len(events))
		}
	})
}

// FS-4: pictures get variants in the background.
func TestPicturesGetVariants(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		f := w.send(w.member, "/files/upload", "holiday.jpeg", picture(2000, 1000)).Want(t, 201)
		if f.Get("status") != "processing" {
			t.Errorf("at first: %s", f.Text)
		}
		w.link(f.Get("id"), "") // it can be read already
		w.Settle()
		got := w.in(w.member, w.org, "GET", "/files/"+f.Get("id"), "").Want(t, 200)
		want := map[string]image.Point{"thumbnail": {256, 128}, "preview": {1280, 640}, "original": {2000, 1000}}
		variants := got.Body["variants"].([]any)
		if got.Get("status") != "ready" || len(variants) != 3 {
			t.Fatalf("%s", got.Text)
		}
		for _, v := range variants {
			v := v.(map[string]any)
			name := v["name"].(string)
			status, h, body := w.fetch(w.link(f.Get("id"), "?inline=true&variant="+name))
			config, _, err := image.DecodeConfig(bytes.NewReader(body))
			if err != nil || status != 200 || image.Pt(config.Width, config.Height) != want[name] || float64(len(body)) != v["size"] ||
				h.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(h.Get("Content-Disposition"), "inline; filename=holiday") {
				t.Errorf("%s: %d %v %v %v", name, status, config, h, err)
			}
		}
		broken := w.send(w.member, "/files/upload", "b.jpg", picture(300, 300)[:2000]).Want(t, 201).Get("id")
		w.Settle()
		if got := w.in(w.member, w.org, "GET", "/files/"+broken, "").Want(t, 200); got.Get("status") != "ready" || len(got.Body["variants"].([]any)) != 0 {
			t.Errorf("half a picture: %s", got.Text)
		}
		w.in(w.member, w.org, "GET", "/files/"+broken+"/download?variant=thumbnail", "").WantCode(t, 404, "files.no_variant")
		w.in(w.member, w.org, "DELETE", "/files/"+f.Get("id"), "").Want(t, 204)
		w.in(w.member, w.org, "DELETE", "/files/"+broken, "").Want(t, 204)
		w.Settle()
		if left := w.kept(); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// G03: a bomb is refused before anything of it is kept.
func TestPictureBombsAreRefused(t *testing.T) {
	var bomb bytes.Buffer
	if err := png.Encode(&bomb, image.NewPaletted(image.Rect(0, 0, 12000, 12000), color.Palette{color.Black})); err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, w *world) {
		w.send(w.member, "/files/upload", "bomb.png", bomb.Bytes()).WantCode(t, 422, "files.picture_too_large")
		w.send(w.member, "/users/me/avatar", "bomb.png", bomb.Bytes()).WantCode(t, 422, "files.picture_too_large")
		if left := w.kept(); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestPortraits(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		me := w.send(w.member, "/users/me/avatar", "me.jpg", picture(600, 400)).Want(t, 200)
		first := me.Get("avatar_url")
		status, h, body := w.fetch(first)
		config, _, err := image.DecodeConfig(bytes.NewReader(body))
		if err != nil || status != 200 || config.Width != 256 || config.Height != 256 || h.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%d %v %v %v", status, config, h, err)
		}
		second := w.send(w.member, "/users/me/avatar", "me.jpg", picture(300, 300)).Want(t, 200).Get("avatar_url")
		w.Settle()
		if status, _, _ := w.fetch(first); status != 404 || first == second {
			t.Errorf("the one before: %d", status)
		}
		if got := w.Call(w.member, "GET", "/users/me", "").Want(t, 200).Get("avatar_url"); got != second {
			t.Errorf("shown: %s", got)
		}
		w.send(w.member, "/users/me/avatar", "a.pdf", pdf(100)).WantCode(t, 422, "files.not_a_picture")
		w.send(w.member, "/users/me/avatar", "a.html", []byte("<html>")).WantCode(t, 422, "files.not_a_picture")
		w.send(nil, "/users/me/avatar", "me.jpg", picture(300, 300)).WantCode(t, 401, "auth.required")
		w.Call(w.member, "PATCH", "/users/me", `{"avatar_url":""}`).Want(t, 200)
		w.Settle()
		if left := w.kept(); len(left) != 0 {
			t.Errorf("left after it was taken away in the profile: %v", left)
		}
		third := w.send(w.member, "/users/me/avatar", "me.jpg", picture(300, 300)).Want(t, 200).Get("avatar_url")
		w.Call(w.member, "DELETE", "/users/me/avatar", "").Want(t, 204)
		w.Settle()
		if status, _, _ := w.fetch(third); status != 404 || len(w.kept()) != 0 {
			t.Errorf("deleted: %d, %v", status, w.kept())
		}
	})
}

// R01: what a stopped process or a broken connection leaves is found and removed; what
// is lost is reported, and its row stays.
func TestTheSweepFindsOrphansBothWays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kept, lost := w.upload("kept.pdf", pdf(100)), w.upload("lost.pdf", pdf(100))
		late, _, _ := w.announced(`{"name":"late.pdf","content_type":"application/pdf","size":100}`)
		orphan := fmt.Sprintf("orgs/%s/%s/upload", w.org, files.ID(id.New[id.OrgKind]()))
		for _, key := range []string{orphan, "incoming/" + w.org.String() + "/" + late, "avatars/" + files.AvatarID(id.New[id.OrgKind]()).String()} {
			w.must(w.Blobs.Put(t.Context(), key, bytes.NewReader(pdf(10))))
		}
		w.must(w.Blobs.Delete(t.Context(), fmt.Sprintf("orgs/%s/%s/upload", w.org, lost)))
		w.sweep()
		if got := len(w.kept()); got != 4 {
			t.Errorf("what may still be on its way is gone: %v", w.kept())
		}
		w.now.Advance(3 * time.Hour)
		w.member.Tokens, w.owner.Tokens = w.SignIn(w.member), w.SignIn(w.owner)
		w.sweep()
		if got := w.kept(); len(got) != 1 || !strings.Contains(got[0], kept) {
			t.Errorf("kept: %v", got)
		}
		w.in(w.member, w.org, "GET", "/files/"+late, "").WantCode(t, 404, "files.not_found")
		if got := w.in(w.member, w.org, "GET", "/files/"+lost, "").Want(t, 200).Get("status"); got != "missing" {
			t.Errorf("the lost one is %s", got)
		}
		w.in(w.member, w.org, "GET", "/files/"+lost+"/download", "").WantCode(t, 409, "files.missing")
		events := w.Call(w.owner, "GET", "/orgs/"+w.org.String()+"/events?type=files.lost", "").Want(t, 200).Items()
		if len(events) != 1 {
			t.Errorf("%d events", len(events))
		}
		if b, n := w.usage(); b != 200 || n != 2 {
			t.Errorf("usage: %v bytes, %v files", b, n)
		}
	})
}

// sweep runs the sweep now.
func (w *world) sweep() {
	w.t.Helper()
	w.must(w.DB.Platform("test").Tx(w.t.Context(), func(tx *db.Tx) error { return w.Jobs.Enqueue(w.t.Context(), tx, files.Sweep{}) }))
	w.Settle()
}

// R11: what the store returns is compared with what it was given, before anything is made of it.
func TestAStoreThatReturnsOtherBytes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sent := picture(900, 600)
		for name, returned := range map[string][]byte{"cut short": sent[:len(sent)-100], "another": picture(901, 600)} {
			file := w.upload("a.jpg", sent)
			w.Settle()
			key := fmt.Sprintf("orgs/%s/%s/", w.org, file)
			for _, variant := range []string{"thumbnail", "preview", "original"} {
				w.must(w.Blobs.Delete(t.Context(), key+variant))
			}
			w.must(w.Blobs.Put(t.Context(), key+"upload", bytes.NewReader(returned)))
			w.must(w.DB.Org(w.org).Tx(t.Context(), func(tx *db.Tx) error {
				id, err := id.Parse[fileKind](file)
				if err == nil {
					_, err = tx.Exec(t.Context(), `UPDATE files SET status = 'processing', variants = '[]' WHERE org_id = $1 AND id = $2`, w.org, id)
				}
				if err == nil {
					err = w.Jobs.Enqueue(t.Context(), tx, files.Process{About: files.About{OrgID: w.org, FileID: files.ID(id)}})
				}
				return err
			}))
			for tried := false; !tried; time.Sleep(10 * time.Millisecond) {
				failed, err := w.Jobs.List(t.Context(), jobs.Filter{State: jobs.Retrying, Kind: files.Process{}.Kind()}, 0, 1)
				w.must(err)
				for _, job := range failed {
					tried = true
					w.must(w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
						_, err := w.Jobs.Cancel(t.Context(), tx, job.ID)
						return err
					}))
				}
			}
			got := w.in(w.member, w.org, "GET", "/files/"+file, "").Want(t, 200)
			if kept := w.kept(); got.Get("status") != "processing" || len(got.Body["variants"].([]any)) != 0 || slices.Contains(kept, key+"thumbnail") {
				t.Errorf("%s: %s, %v", name, got.Text, kept)
			}
		}
	})
}

type fileKind struct{}

func (fileKind) Prefix() string { return "file" }

// R11: while the store is away, files are, and nothing else.
func TestAStoreThatIsAway(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }))
			t.Cleanup(away.Close)
			w := newWorld(t, dialect, "local", func(c *tenon.Config) {
				c.Blobs = blob.Config{Provider: "s3", Bucket: "bucket", AccessKey: "a", SecretKey: "s", Region: "r", Endpoint: away.URL}
			})
			w.send(w.member, "/files/upload", "a.pdf", pdf(100)).WantCode(t, 503, "files.storage_unavailable")
			if b, n := w.usage(); b != 0 || n != 0 {
				t.Errorf("usage: %v bytes, %v files", b, n)
			}
			if got := w.in(w.member, w.org, "GET", "/files", "").Want(t, 200).Items(); len(got) != 0 {
				t.Errorf("listed: %v", got)
			}
			w.Call(w.member, "GET", "/users/me", "").Want(t, 200)
		})
	}
}

func TestAPurgedOrganizationLeavesNoFiles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.upload("a.pdf", pdf(100))
		w.send(w.member, "/users/me/avatar", "me.jpg", picture(300, 300)).Want(t, 200)
		w.Settle()
		w.Call(w.owner, "DELETE", "/orgs/"+w.org.String(), "").Want(t, 202)
		w.now.Advance(60 * 24 * time.Hour)
		w.must(w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
			return w.Jobs.Enqueue(t.Context(), tx, orgs.Sweep{})
		}))
		w.Settle()
		if got := w.kept(); len(got) != 1 || !strings.HasPrefix(got[0], "avatars/") {
			t.Errorf("kept: %v", got)
		}
		rows, err := db.One(t.Context(), w.DB.Platform("test"), db.Scalar[int], `SELECT (SELECT count(*) FROM files) + (SELECT count(*) FROM file_usage)`)
		w.must(err)
		if rows != 0 {
			t.Errorf("%d rows are left", rows)
		}
	})
}

func TestUploadsAreRepeatedSafely(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.send(w.member, "/files/upload", "a.pdf", pdf(100), "Idempotency-Key", "once").Want(t, 201)
		again := w.send(w.member, "/files/upload", "a.pdf", pdf(100), "Idempotency-Key", "once").Want(t, 201)
		if again.Get("id") != first.Get("id") || again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("again: %s", again.Text)
		}
		beta := w.Org(w.member, "beta")
		w.send(w.member, "/files/upload", "a.pdf", pdf(100), "Idempotency-Key", "once", "X-Org-Id", beta.String()).WantCode(t, 422, "request.idempotency_mismatch")
		if _, n := w.usage(); n != 1 {
			t.Errorf("%v files", n)
		}
	})
}

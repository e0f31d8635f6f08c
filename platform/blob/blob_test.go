package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/tenontest/servers"
)

func ofS3(s *servers.S3Server) Config {
	return Config{Provider: "s3", Bucket: s.Bucket, AccessKey: s.AccessKey, SecretKey: s.SecretKey, Region: s.Region, Endpoint: s.Endpoint()}
}

func open(t *testing.T, c Config) Store {
	t.Helper()
	must(t, c.Check())
	s, err := Open(c)
	must(t, err)
	return s
}

// each runs fn with a local store and with one on S3.
func each(t *testing.T, fn func(t *testing.T, s Store)) {
	t.Helper()
	t.Run("local", func(t *testing.T) { fn(t, open(t, Config{Folder: filepath.Join(t.TempDir(), "files")})) })
	t.Run("s3", func(t *testing.T) { fn(t, open(t, ofS3(servers.S3(t)))) })
}

func put(t *testing.T, s Store, key, text string) {
	t.Helper()
	must(t, s.Put(t.Context(), key, strings.NewReader(text)))
}

func read(t *testing.T, s Store, key string) string {
	t.Helper()
	b, err := s.Open(t.Context(), key)
	must(t, err)
	defer b.Close()
	text, err := io.ReadAll(b)
	must(t, err)
	return string(text)
}

func keys(t *testing.T, s Store, prefix string) (all []string) {
	t.Helper()
	must(t, s.Walk(t.Context(), prefix, func(i Info) error { all = append(all, i.Key); return nil }))
	return all
}

func TestABlobIsThereWholeUntilItIsDeleted(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		put(t, s, "orgs/a/1/upload", "hello")
		if got := read(t, s, "orgs/a/1/upload"); got != "hello" {
			t.Errorf("read %q", got)
		}
		put(t, s, "orgs/a/1/upload", "good morning")
		if got := read(t, s, "orgs/a/1/upload"); got != "good morning" {
			t.Errorf("read %q after it was stored again", got)
		}
		b, err := s.Open(t.Context(), "orgs/a/1/upload")
		must(t, err)
		if b.Size != 12 || time.Since(b.Modified) > time.Hour {
			t.Errorf("%+v", b.Info)
		}
		_, err = b.Seek(-7, io.SeekEnd)
		must(t, err)
		end, err := io.ReadAll(b)
		must(t, err)
		must(t, b.Close())
		if string(end) != "morning" {
			t.Errorf("the end is %q", end)
		}
		must(t, s.Move(t.Context(), "orgs/a/1/upload", "orgs/b/2/upload"))
		if got := read(t, s, "orgs/b/2/upload"); got != "good morning" {
			t.Errorf("read %q where it was moved", got)
		}
		must(t, s.Delete(t.Context(), "orgs/b/2/upload"))
		must(t, s.Delete(t.Context(), "orgs/b/2/upload"))
		for _, key := range []string{"orgs/a/1/upload", "orgs/b/2/upload", "orgs/a"} {
			if _, err := s.Open(t.Context(), key); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", key, err)
			}
		}
		if err := s.Move(t.Context(), "orgs/a/1/upload", "x"); !errors.Is(err, ErrNotFound) {
			t.Errorf("move what is not there: %v", err)
		}
		if left := keys(t, s, ""); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestWalkGoesByKey(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		all := []string{"avatars/1", "orgs/a/1/preview", "orgs/a/1/upload", "orgs/a/2/upload", "orgs/b/1/upload"}
		for _, key := range []string{all[3], all[0], all[4], all[2], all[1]} {
			put(t, s, key, key)
		}
		if got := keys(t, s, ""); !slices.Equal(got, all) {
			t.Errorf("all: %v", got)
		}
		if got := keys(t, s, "orgs/a/"); !slices.Equal(got, all[1:4]) {
			t.Errorf("of a: %v", got)
		}
		if got := keys(t, s, "nobody/"); len(got) != 0 {
			t.Errorf("of nobody: %v", got)
		}
		stop := errors.New("enough")
		if err := s.Walk(t.Context(), "", func(Info) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("stopped with %v", err)
		}
	})
}

var errGone = errs.New(errs.Malformed, "test.gone", "The sender is gone.")

func TestABrokenUploadLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		broken := io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), failing{})
		if err := s.Put(t.Context(), "orgs/a/1/upload", broken); !errors.Is(err, errGone) {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Put(ctx, "orgs/a/1/upload", strings.NewReader("late")); err == nil {
			t.Error("a cancelled upload was stored")
		}
		if left := keys(t, s, ""); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errGone }

func TestNothingLeavesTheFolder(t *testing.T) {
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600))
	folder := filepath.Join(t.TempDir(), "files")
	s := open(t, Config{Folder: folder})
	must(t, os.Symlink(outside, filepath.Join(folder, "link")))
	for _, key := range []string{"../x", "/etc/x", "a/../../x", "link/secret", "link/new", "a\x00b"} {
		if err := s.Put(t.Context(), key, strings.NewReader("x")); err == nil {
			t.Errorf("%q was stored", key)
		}
		if b, err := s.Open(t.Context(), key); err == nil {
			t.Errorf("%q was read", key)
			b.Close()
		}
		_ = s.Delete(t.Context(), key) // whatever it says
	}
	if text, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(text) != "secret" {
		t.Errorf("outside: %q, %v", text, err)
	}
}

func TestPartsOfAStoppedProcessAreRemoved(t *testing.T) {
	folder := t.TempDir()
	s := open(t, Config{Folder: folder})
	part := filepath.Join(folder, incoming, "part")
	must(t, os.MkdirAll(filepath.Dir(part), 0o700))
	must(t, os.WriteFile(part, []byte("half"), 0o600))
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("a part is listed: %v", got)
	}
	if _, err := os.Stat(part); err != nil {
		t.Errorf("one that may still grow is gone: %v", err)
	}
	long := time.Now().Add(-2 * staleAfter)
	must(t, os.Chtimes(part, long, long))
	keys(t, s, "")
	if _, err := os.Stat(part); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("one that nobody finished is still there: %v", err)
	}
}

func TestS3SignsWhatMayBeDone(t *testing.T) {
	s := open(t, ofS3(servers.S3(t)))
	signer := s.(Signer)
	send := func(url string, h http.Header, body string) int {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
		must(t, err)
		for name, values := range h {
			if name != "Content-Length" {
				q.Header[name] = values
			}
		}
		r, err := http.DefaultClient.Do(q)
		must(t, err)
		r.Body.Close()
		return r.StatusCode
	}
	url, header, err := signer.SignPut(t.Context(), "incoming/1", "image/png", 5, time.Minute)
	must(t, err)
	if status := send(url, header, "longer"); status != 403 {
		t.Errorf("more bytes than signed: %d", status)
	}
	other := header.Clone()
	other.Set("Content-Type", "text/html")
	if status := send(url, other, "hello"); status != 403 {
		t.Errorf("another type than signed: %d", status)
	}
	if status := send(strings.Replace(url, "incoming/1", "incoming/2", 1), header, "hello"); status != 403 {
		t.Errorf("another key than signed: %d", status)
	}
	if status := send(url, header, "hello"); status != 200 {
		t.Errorf("as signed: %d", status)
	}
	if got := read(t, s, "incoming/1"); got != "hello" {
		t.Errorf("stored %q", got)
	}
	get, err := signer.SignGet(t.Context(), "incoming/1", Headers{"application/pdf", `attachment; filename="a b.pdf"`}, time.Minute)
	must(t, err)
	r, err := http.Get(get)
	must(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	must(t, err)
	if string(body) != "hello" || r.Header.Get("Content-Type") != "application/pdf" || r.Header.Get("Content-Disposition") != `attachment; filename="a b.pdf"` {
		t.Errorf("served %q with %v", body, r.Header)
	}
	for name, url := range map[string]string{"without a signature": strings.Split(get, "?")[0], "another file": strings.Replace(get, "incoming/1", "incoming/3", 1)} {
		r, err := http.Get(url)
		must(t, err)
		r.Body.Close()
		if r.StatusCode != 403 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
}

// liar is a store that answers what it likes.
func liar(t *testing.T, answer http.HandlerFunc) Store {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return open(t, Config{Provider: "s3", Bucket: "bucket", AccessKey: "a", SecretKey: "b", Endpoint: server.URL})
}

func TestAStoreThatFailsOrLiesKeepsNothing(t *testing.T) {
	drain := func(q *http.Request) { _, _ = io.Copy(io.Discard, q.Body) }
	for name, answer := range map[string]http.HandlerFunc{
		"503": func(w http.ResponseWriter, q *http.Request) {
			drain(q)
			http.Error(w, slowDown, http.StatusServiceUnavailable)
		},
		"403 of another clock": func(w http.ResponseWriter, q *http.Request) {
			drain(q)
			http.Error(w, `<Error><Code>RequestTimeTooSkewed</Code></Error>`, http.StatusForbidden)
		},
		"200 with an error": func(w http.ResponseWriter, q *http.Request) {
			drain(q)
			if q.Method == http.MethodPut {
				fmt.Fprint(w, slowDown)
				return
			}
			w.WriteHeader(404)
		},
		"it keeps half": func(w http.ResponseWriter, q *http.Request) {
			drain(q)
			w.Header().Set("ETag", `"d41d8cd98f00b204e9800998ecf8427e"`)
			if q.Method == http.MethodHead {
				w.Header().Set("Content-Length", "2")
				w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			}
		},
		"it hangs up": func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			s := liar(t, answer)
			if err := s.Put(t.Context(), "orgs/a/1/upload", strings.NewReader("hello")); errs.KindOf(err) != errs.Unavailable {
				t.Errorf("got %v", err)
			}
		})
	}
}

const slowDown = `<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>`

func TestAFrozenStoreHoldsSoManyRequestsAndNoMore(t *testing.T) {
	hang := make(chan struct{})
	s := liar(t, func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-hang:
		case <-q.Context().Done():
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, atOnce)
	for range atOnce {
		go func() { done <- s.Delete(ctx, "x") }()
	}
	waiting := s.(*s3)
	for len(waiting.slots) < atOnce {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	if err := s.Delete(t.Context(), "x"); errs.KindOf(err) != errs.Unavailable || time.Since(began) > 2*time.Second {
		t.Errorf("one too many got %v after %v", err, time.Since(began))
	}
	cancel()
	for range atOnce {
		<-done
	}
	close(hang)
	if len(waiting.slots) != 0 {
		t.Errorf("%d are still held", len(waiting.slots))
	}
}

func TestConfigurationIsRefusedInASentence(t *testing.T) {
	for want, c := range map[string]Config{
		"FILE_STORAGE_PROVIDER": {Provider: "ftp"},
		"AWS_S3_BUCKET":         {Provider: "s3", AccessKey: "a", SecretKey: "b"},
		"AWS_SECRET_ACCESS_KEY": {Provider: "s3", AccessKey: "a", Bucket: "b"},
		"AWS_ENDPOINT_URL_S3":   {Provider: "s3", AccessKey: "a", SecretKey: "b", Bucket: "c", Endpoint: "minio:9000"},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	amazon := Config{Provider: "s3", AccessKey: "a", SecretKey: "b", Bucket: "c"}
	must(t, amazon.Check())
	if got := amazon.Origin(); got != "https://c.s3.us-east-1.amazonaws.com" {
		t.Errorf("files come from %s", got)
	}
}

// BenchmarkPut is the local store beside io.Copy to the same disk.
func BenchmarkPut(b *testing.B) {
	const size = 50 << 20
	data := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	folder := b.TempDir()
	s, err := newLocal(folder)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("store", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			if err := s.Put(b.Context(), "x", bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("io.Copy", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			f, err := os.Create(filepath.Join(folder, "bare"))
			if err == nil {
				_, err = io.Copy(f, bytes.NewReader(data))
			}
			if err == nil {
				err = errors.Join(f.Sync(), f.Close())
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

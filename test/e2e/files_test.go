package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tenonhq/tenon/test/binary"
)

// uploader is somebody with an organization, at a server.
type uploader struct {
	t     *testing.T
	node  *binary.Node
	token string
}

func newUploader(t *testing.T, node *binary.Node) *uploader {
	t.Helper()
	u := &uploader{t: t, node: node}
	tokens := u.call("POST", "/auth/register", `{"email":"ada@example.com","password":"a phrase only Ada knows","name":"Ada"}`, 201)
	u.token = tokens["access_token"].(string)
	u.call("POST", "/orgs", `{"name":"Acme","slug":"acme"}`, 201)
	return u
}

func (u *uploader) call(method, path, body string, want int) map[string]any {
	u.t.Helper()
	q, err := http.NewRequestWithContext(u.t.Context(), method, u.node.URL+"/api/v1"+path, strings.NewReader(body))
	must(u.t, err)
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	return u.send(q, want)
}

func (u *uploader) send(q *http.Request, want int) (answer map[string]any) {
	u.t.Helper()
	if u.token != "" {
		q.Header.Set("Authorization", "Bearer "+u.token)
	}
	r, err := http.DefaultClient.Do(q)
	must(u.t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	must(u.t, err)
	if r.StatusCode != want {
		u.t.Fatalf("%s %s: %d %s", q.Method, q.URL.Path, r.StatusCode, text)
	}
	if len(text) > 0 {
		must(u.t, json.Unmarshal(text, &answer))
	}
	return answer
}

// document is a PDF of size bytes that is made while it is read.
func document(size int64) io.Reader {
	const head = "%PDF-1.7\n"
	return io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, size-int64(len(head))))
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// form is a request that uploads what content has.
func (u *uploader) form(content io.Reader) *http.Request {
	u.t.Helper()
	body, w := io.Pipe()
	m := multipart.NewWriter(w)
	go func() {
		part, err := m.CreateFormFile("file", "big.pdf")
		if err == nil {
			_, err = io.Copy(part, content)
		}
		if err == nil {
			err = m.Close()
		}
		_ = w.CloseWithError(err) // it never fails
	}()
	q, err := http.NewRequestWithContext(u.t.Context(), "POST", u.node.URL+"/api/v1/files/upload", body)
	must(u.t, err)
	q.Header.Set("Content-Type", m.FormDataContentType())
	return q
}

// resident is how much memory a process holds, in bytes.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	n, err := strconv.ParseInt(fields[0], 10, 64)
	must(t, err)
	return n << 10
}

// FS-1: ten files of 200 MB at once take no memory worth speaking of.
func TestUploadsAreNotHeldInMemory(t *testing.T) {
	const uploads, size, most = 10, 200 << 20, 20 << 20
	node := binary.Serve(t, binary.Settings{"TENON_ACCOUNTS_VERIFY_EMAIL": "off"})
	u := newUploader(t, node)
	time.Sleep(2 * time.Second) // what signing up and starting took is given back
	idle := resident(t, node.PID())
	var all sync.WaitGroup
	for range uploads {
		all.Go(func() {
			if f := u.send(u.form(document(size)), 201); f["size"] != float64(size) {
				t.Errorf("stored %v", f)
			}
		})
	}
	done, peak := make(chan struct{}), idle
	go func() { all.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(20 * time.Millisecond):
			peak = max(peak, resident(t, node.PID()))
		}
	}
	t.Logf("%d MB before, %d MB at most", idle>>20, peak>>20)
	if peak-idle > most {
		t.Errorf("ten uploads took %d MB", (peak-idle)>>20)
	}
}

// R01: a process that is killed in the middle of an upload leaves no file, and charges nobody.
func TestAKilledUploadLeavesNoFile(t *testing.T) {
	const size = 4 << 20
	data := t.TempDir()
	node := binary.Serve(t, binary.Settings{"TENON_ACCOUNTS_VERIFY_EMAIL": "off", "TENON_DATA": data})
	u := newUploader(t, node)
	whole, err := io.ReadAll(document(size))
	must(t, err)
	for _, percent := range []int{10, 50, 90} {
		sent, body := io.Pipe()
		q := u.form(sent)
		q.Header.Set("Authorization", "Bearer "+u.token)
		broke := make(chan error, 1)
		go func() {
			r, err := http.DefaultClient.Do(q)
			if err == nil {
				err = r.Body.Close()
				t.Errorf("killed at %d %%, and answered %d", percent, r.StatusCode)
			}
			broke <- err
		}()
		_, err := body.Write(whole[:size*percent/100])
		must(t, err)
		node.Await("store a part", 10*time.Second, func() bool { return parts(t, data) > 0 })
		node.Signal(syscall.SIGKILL)
		node.Wait(5 * time.Second)
		_ = body.CloseWithError(io.ErrClosedPipe) // it never fails
		<-broke
		node.Start()
		node.AwaitReady()
		if items := u.call("GET", "/files", "", 200)["items"].([]any); len(items) != 0 {
			t.Errorf("killed at %d %%: %v", percent, items)
		}
		if usage := u.call("GET", "/files/usage", "", 200); usage["bytes"] != 0.0 || usage["files"] != 0.0 {
			t.Errorf("killed at %d %%: %v", percent, usage)
		}
		for _, part := range list(t, data) { // as it looks after an hour
			long := time.Now().Add(-2 * time.Hour)
			must(t, os.Chtimes(part, long, long))
		}
	}
	f := u.send(u.form(bytes.NewReader(whole)), 201)
	if sum := sha256.Sum256(whole); f["sha256"] != hex.EncodeToString(sum[:]) {
		t.Errorf("again: %v", f)
	}
	_, setup, _ := strings.Cut(node.SetupLink(), "token=")
	root := &uploader{t: t, node: node}
	tokens := root.call("POST", "/setup", fmt.Sprintf(`{"token":%q,"email":"root@example.com","password":"the keys to the castle","name":"Root"}`, setup), 201)
	root.token = tokens["access_token"].(string)
	root.call("POST", "/admin/schedules/files.sweep/run", "", 202)
	node.Await("remove the parts", 20*time.Second, func() bool { return parts(t, data) == 0 })
}

// list lists the parts of files that are not whole.
func list(t *testing.T, data string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(data, "files", ".incoming", "*"))
	must(t, err)
	return found
}

func parts(t *testing.T, data string) int { t.Helper(); return len(list(t, data)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

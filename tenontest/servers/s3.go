package servers

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
)

// S3Server is a running server that speaks S3 and checks signatures, as one test sees it.
type S3Server struct {
	*process
	// Bucket is the test's own, private and empty.
	Bucket string
	// AccessKey and SecretKey open it.
	AccessKey, SecretKey string
	// Region is where the server says it is.
	Region string
}

// S3 returns an empty bucket on the S3 server that the tests of this binary share: a
// versitygw, which is built from tools/go.mod on first use.
func S3(t testing.TB) *S3Server {
	t.Helper()
	bin := s3Binary(t)
	sharedS3.once.Do(func() { sharedS3.proc, sharedS3.err = startS3(bin) })
	must(t, sharedS3.err)
	return bucketOn(t, sharedS3.proc)
}

// NewS3 returns a server of the test's own, which it may freeze.
func NewS3(t testing.TB) *S3Server {
	t.Helper()
	proc, err := startS3(s3Binary(t))
	must(t, err)
	t.Cleanup(func() { must(t, proc.remove()) })
	return bucketOn(t, proc)
}

// Endpoint is the address of the server.
func (s *S3Server) Endpoint() string { return fmt.Sprintf("http://127.0.0.1:%d", s.port) }

// Stop freezes a private server: connections stay open and nothing answers.
func (s *S3Server) Stop(t testing.TB) { t.Helper(); must(t, s.signal(syscall.SIGSTOP)) }

// Continue lets a frozen server go on.
func (s *S3Server) Continue(t testing.TB) { t.Helper(); must(t, s.signal(syscall.SIGCONT)) }

const s3Access, s3Secret, s3Region = "tenontest", "for tests alone", "eu-central-1"

var sharedS3 struct {
	once sync.Once
	proc *process
	err  error
}

// bucketOn makes a bucket: to this server it is a folder.
func bucketOn(t testing.TB, p *process) *S3Server {
	t.Helper()
	s := &S3Server{process: p, Bucket: "bucket-" + uuid.NewString(), AccessKey: s3Access, SecretKey: s3Secret, Region: s3Region}
	must(t, os.Mkdir(filepath.Join(p.dir, "buckets", s.Bucket), 0o700))
	return s
}

func startS3(bin string) (*process, error) {
	p, err := newProcess("s3", nil, "TERM")
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{"buckets", "about"} {
		if err := os.Mkdir(filepath.Join(p.dir, folder), 0o700); err != nil {
			return nil, errors.Join(err, p.remove())
		}
	}
	p.ready = func() error {
		r, err := (&http.Client{Timeout: time.Second}).Get(fmt.Sprintf("http://127.0.0.1:%d/", p.port))
		if err != nil {
			return err
		}
		return r.Body.Close() // refused without a signature, which is an answer
	}
	err = attempts(func() (err error) {
		if p.port, err = freePort(); err != nil {
			return err
		}
		p.args = []string{bin, "--port", fmt.Sprintf("127.0.0.1:%d", p.port), "--access", s3Access, "--secret", s3Secret, "--region", s3Region,
			"posix", "--sidecar", filepath.Join(p.dir, "about"), filepath.Join(p.dir, "buckets")}
		return p.start()
	})
	if err != nil {
		return nil, errors.Join(err, p.remove())
	}
	return p, nil
}

var builtS3 struct {
	once sync.Once
	path string
	err  error
}

// s3Binary builds the server, or finds it where the build before left it.
func s3Binary(t testing.TB) string {
	t.Helper()
	builtS3.once.Do(func() { builtS3.path, builtS3.err = buildTool("github.com/versity/versitygw/cmd/versitygw") })
	if builtS3.err != nil {
		missing(t, "an S3 server", builtS3.err)
	}
	return builtS3.path
}

// buildTool builds a program of tools/go.mod, and returns where it is.
func buildTool(pkg string) (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, there := os.Stat(filepath.Join(dir, "tools", "go.mod")); there == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("there is no tools/go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	if err != nil {
		return "", err
	}
	c := exec.Command("go", "tool", "-n", pkg)
	c.Dir = filepath.Join(dir, "tools")
	out, err := c.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

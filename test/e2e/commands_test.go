package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/test/binary"
)

// said fails the test unless a command ended with code and printed all the words.
func said(t *testing.T, got binary.Result, code int, words ...string) {
	t.Helper()
	if got.Code != code {
		t.Errorf("exit code %d, want %d\n%s%s", got.Code, code, got.Out, got.ErrOut)
	}
	for _, word := range words {
		if !strings.Contains(got.Out+got.ErrOut, word) {
			t.Errorf("it does not say %q:\n%s%s", word, got.Out, got.ErrOut)
		}
	}
	if strings.Contains(got.ErrOut, "goroutine ") {
		t.Errorf("it panicked:\n%s", got.ErrOut)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"", "serve", "worker", "migrate", "migrate up", "migrate status", "admin", "admin create", "admin list", "admin grant", "admin revoke", "admin suspend", "admin reinstate", "keys", "keys list",
		"keys rotate", "doctor", "openapi", "version", "completion bash"} {
		got := binary.Run(t, nil, "", append(strings.Fields(command), "--help")...)
		said(t, got, 0, "Usage:\n  tenon")
		if len(strings.Split(got.Out, "\n")) < 5 {
			t.Errorf("%q explains little:\n%s", command, got.Out)
		}
	}
	said(t, binary.Run(t, nil, ""), 0, "Start with: tenon serve")
	said(t, binary.Run(t, nil, "", "version"), 0, "tenon 0.")
	said(t, binary.Run(t, nil, "", "srve"), 2, "srve", "Try: tenon --help")
	said(t, binary.Run(t, nil, "", "keys", "rotate", "everything"), 2, "signing")
}

// One library that calls methods by their names makes the linker keep every method of
// every other, which is more than the console and the database together.
func TestTheBinaryStaysSmall(t *testing.T) {
	t.Parallel()
	const limit = 45 << 20
	path := filepath.Join(t.TempDir(), "tenon")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./cmd/tenon")
	build.Dir = binary.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > limit {
		t.Errorf("%.1f MiB, %v", float64(info.Size())/(1<<20), err)
	}
}

func TestTheFirstAdministratorIsMadeAtTheShell(t *testing.T) {
	t.Parallel()
	dir := binary.Settings{"TENON_DATA": t.TempDir()}
	said(t, binary.Run(t, dir, "", "admin", "create", "--email", "not an address"), 1, "--email")
	said(t, binary.Run(t, dir, "", "admin", "create", "--email", "root@example.com"), 1, "--password-stdin")
	said(t, binary.Run(t, dir, "\n", "admin", "create", "--email", "root@example.com", "--password-stdin"), 1, "no password")
	said(t, binary.Run(t, dir, "password\n", "admin", "create", "--email", "root@example.com", "--password-stdin"), 1, "Many people use this password")
	got := binary.Run(t, dir, binary.Password+"\n", "admin", "create", "--email", "Root@Example.com", "--password-stdin")
	said(t, got, 0, "root@example.com is an administrator.")

	node := binary.Serve(t, dir)
	if strings.Contains(node.Log(), "/setup?token=") {
		t.Error("the set-up link is still offered")
	}
	root := binary.NewClient(node.URL).SignIn(t, "root@example.com")
	if me := root.Call("GET", "/users/me", nil).Want(t, 200); me.Body["is_admin"] != true {
		t.Errorf("me = %s", me.Text)
	}
	// Someone who has an account already is promoted, without a password.
	root.SignUp(t, "ada@example.com")
	said(t, binary.Run(t, dir, "", "admin", "create", "--email", "ada@example.com"), 0, "ada@example.com is an administrator.")
}

func TestAdministratorsAreChangedAtTheShell(t *testing.T) {
	t.Parallel()
	dir := binary.Settings{"TENON_DATA": t.TempDir()}
	admin := func(args ...string) binary.Result {
		return binary.Run(t, dir, "", append([]string{"admin"}, args...)...)
	}
	said(t, binary.Run(t, dir, binary.Password+"\n", "admin", "create", "--email", "root@example.com", "--password-stdin"), 0)
	node := binary.Serve(t, dir)
	ada := binary.NewClient(node.URL).SignUp(t, "ada@example.com")

	said(t, admin("grant", "--email", "nobody@example.com"), 1, "no account has the address nobody@example.com")
	said(t, admin("grant", "--email", "ada"), 1, "--email")
	said(t, admin("revoke", "--email", "root@example.com"), 1, "keeps at least one administrator")
	said(t, admin("grant", "--email", "Ada@example.com"), 0, "ada@example.com is an administrator.")
	said(t, admin("list"), 0, "EMAIL", "ada@example.com", "root@example.com", "active")
	said(t, admin("revoke", "--email", "root@example.com"), 0, "root@example.com is no administrator.")
	said(t, admin("suspend", "--email", "ada@example.com", "--reason", "a test"), 1, "keeps at least one administrator")
	said(t, admin("suspend", "--email", "root@example.com"), 2, "reason")

	// It reaches the node that runs, within a second.
	said(t, admin("grant", "--email", "root@example.com"), 0)
	said(t, admin("suspend", "--email", "ada@example.com", "--reason", "a test"), 0, "ada@example.com is suspended.")
	for deadline := time.Now().Add(time.Second); ada.Call("GET", "/users/me", nil).Status != 401; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the suspended account still works")
		}
	}
	said(t, admin("reinstate", "--email", "ada@example.com"), 0, "ada@example.com works again.")
	binary.NewClient(node.URL).SignIn(t, "ada@example.com")
}

func TestMigrationsAreShownAndApplied(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]binary.Settings{"SQLite": {"TENON_DATA": t.TempDir()}, "PostgreSQL": shared(t, false)} {
		t.Run(name, func(t *testing.T) {
			said(t, binary.Run(t, s, "", "migrate", "status"), 1, "accounts", "0001_create_accounts.sql", "pending", "run: tenon migrate up")
			said(t, binary.Run(t, s, "", "migrate", "up"), 0, "Applied ")
			said(t, binary.Run(t, s, "", "migrate", "up"), 0, "Nothing to do")
			if got := binary.Run(t, s, "", "migrate", "status"); got.Code != 0 || strings.Contains(got.Out, "pending") {
				t.Errorf("after migrate up:\n%s", got.Out)
			}
		})
	}
}

func TestMigrationsRunAtOnceTakeTurns(t *testing.T) {
	t.Parallel()
	s := shared(t, false)
	results := make(chan binary.Result)
	for range 3 {
		go func() { results <- binary.Run(t, s, "", "migrate", "up") }()
	}
	for range 3 {
		said(t, <-results, 0)
	}
}

func TestKeysAreRotatedUnderARunningNode(t *testing.T) {
	t.Parallel()
	s := shared(t, false)
	s["TENON_ROOT_SECRET"] = "for tests alone 8fK2pLq0vXw7Zr4T"
	node := binary.Serve(t, s)
	ada := binary.NewClient(node.URL).SignUp(t, "ada@example.com")
	before := binary.Run(t, s, "", "keys", "list")
	said(t, before, 0, "signing", "encryption")
	said(t, binary.Run(t, s, "", "keys", "rotate", "signing"), 0, "signing")
	after := binary.Run(t, s, "", "keys", "list")
	if b, a := strings.Count(before.Out, "signing"), strings.Count(after.Out, "signing"); a != b+1 {
		t.Errorf("%d signing keys became %d", b, a)
	}
	ada.Call("GET", "/users/me", nil).Want(t, 200)
	ada.SignIn(t, "ada@example.com").Call("GET", "/users/me", nil).Want(t, 200)

	wrong := maps.Clone(s)
	wrong["TENON_ROOT_SECRET"] = "another one 1qA2wS3eD4rF5tG6yH7u"
	said(t, binary.Run(t, wrong, "", "keys", "list"), 1, "root secret")
}

func TestDoctorShowsSettingsAndNoSecrets(t *testing.T) {
	t.Parallel()
	s := binary.Settings{"TENON_DATA": t.TempDir(), "TENON_ROOT_SECRET": "for tests alone 8fK2pLq0vXw7Zr4T", "SMTP_PASSWORD": "hunter2hunter2",
		"REDIS_URL": "redis://someone:opensesame@127.0.0.1:1", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1"}
	got := binary.Run(t, s, "", "doctor")
	said(t, got, 1, "TENON_ROOT_SECRET", "SMTP_PASSWORD", "redis://someone:••••••@127.0.0.1:1", "FAIL  redis", "FAIL  mail", "ok    database")
	for _, secret := range []string{"8fK2pLq0vXw7Zr4T", "hunter2", "opensesame"} {
		if strings.Contains(got.Out+got.ErrOut, secret) {
			t.Errorf("it shows the secret %q:\n%s", secret, got.Out)
		}
	}

	fine := binary.Settings{"TENON_DATA": t.TempDir()}
	said(t, binary.Run(t, fine, "", "doctor"), 1, "FAIL  migrations", "tenon migrate up")
	said(t, binary.Run(t, fine, "", "migrate", "up"), 0)
	said(t, binary.Run(t, fine, "", "doctor"), 0, "ok    migrations", "ok    keys")
}

func TestTheOpenAPIDocumentNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	got := binary.Run(t, binary.Settings{"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nowhere"}, "", "openapi")
	said(t, got, 0)
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(got.Out), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Paths["/api/v1/orgs"]["post"] == nil {
		t.Errorf("openapi %s with %d paths", doc.OpenAPI, len(doc.Paths))
	}
}

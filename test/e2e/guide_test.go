package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
	"github.com/tenonhq/tenon/test/binary"
)

// What the guide tells a newcomer is done here to the letter.
func TestTheGuideWorksAsWritten(t *testing.T) {
	t.Run("on SQLite", func(t *testing.T) {
		t.Parallel()
		node := binary.Serve(t, nil)
		follow(t, gettingStarted, node.URL, node.SetupLink())
	})
	t.Run("on PostgreSQL with Redis", func(t *testing.T) {
		t.Parallel()
		node := binary.Serve(t, shared(t, true))
		follow(t, gettingStarted, node.URL, node.SetupLink())
	})
	t.Run("on two nodes", func(t *testing.T) {
		t.Parallel()
		balancer, nodes := cluster(t, 2, shared(t, true))
		follow(t, gettingStarted, balancer.URL, nodes[1].SetupLink()) // the newest link is the one that counts
	})
}

// So are the ways to sign in.
func TestAuthenticationWorksAsWritten(t *testing.T) {
	if _, err := exec.LookPath("oathtool"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("oathtool is missing: apt-get install oathtool")
		}
		t.Skip("oathtool, which stands in for an authenticator app, is not installed: apt-get install oathtool")
	}
	t.Run("on SQLite", func(t *testing.T) {
		t.Parallel()
		follow(t, authentication, binary.Serve(t, nil).URL, "")
	})
	t.Run("on two nodes", func(t *testing.T) {
		t.Parallel()
		balancer, _ := cluster(t, 2, shared(t, true))
		follow(t, authentication, balancer.URL, "")
	})
}

// So are feature flags.
func TestFlagsWorkAsWritten(t *testing.T) { everywhere(t, featureFlags) }

// So is the work of an operator.
func TestJobsWorkAsWritten(t *testing.T) { everywhere(t, jobs) }

// So are files, on a disk and on S3.
func TestFilesWorkAsWritten(t *testing.T) {
	t.Run("on SQLite", func(t *testing.T) {
		t.Parallel()
		node := binary.Serve(t, nil)
		follow(t, theFiles, node.URL, node.SetupLink())
	})
	t.Run("on two nodes and S3", func(t *testing.T) {
		t.Parallel()
		s3 := servers.S3(t)
		env := shared(t, true)
		maps.Copy(env, map[string]string{"FILE_STORAGE_PROVIDER": "s3", "AWS_S3_BUCKET": s3.Bucket, "AWS_REGION": s3.Region,
			"AWS_ACCESS_KEY_ID": s3.AccessKey, "AWS_SECRET_ACCESS_KEY": s3.SecretKey, "AWS_ENDPOINT_URL_S3": s3.Endpoint()})
		balancer, nodes := cluster(t, 2, env)
		follow(t, theFiles, balancer.URL, nodes[1].SetupLink())
	})
}

// So are notifications.
func TestNotificationsWorkAsWritten(t *testing.T) { everywhere(t, notifications) }

// So are realtime messages, which reach the node that somebody is connected to.
func TestRealtimeWorksAsWritten(t *testing.T) {
	t.Run("on SQLite", func(t *testing.T) {
		t.Parallel()
		follow(t, realtime, binary.Serve(t, nil).URL, "")
	})
	t.Run("on two nodes", func(t *testing.T) {
		t.Parallel()
		balancer, _ := cluster(t, 2, shared(t, true))
		follow(t, realtime, balancer.URL, "")
	})
}

// everywhere follows a guide on SQLite, and on two nodes with PostgreSQL and Redis.
func everywhere(t *testing.T, guide string) {
	t.Run("on SQLite", func(t *testing.T) {
		t.Parallel()
		node := binary.Serve(t, nil)
		follow(t, guide, node.URL, node.SetupLink())
	})
	t.Run("on two nodes", func(t *testing.T) {
		t.Parallel()
		balancer, nodes := cluster(t, 2, shared(t, true))
		follow(t, guide, balancer.URL, nodes[1].SetupLink())
	})
}

// The guides, in docs.
const (
	notifications  = "NOTIFICATIONS.md"
	realtime       = "REALTIME.md"
	theFiles       = "FILES.md"
	featureFlags   = "FLAGS.md"
	gettingStarted = "GETTING_STARTED.md"
	authentication = "AUTHENTICATION.md"
	jobs           = "JOBS.md"
)

// The README promises a tour of sixty seconds that can be pasted into a shell.
func TestTheTourInTheReadmeWorksAsWritten(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(binary.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, tour, _ := strings.Cut(string(text), "## Sixty seconds")
	_, tour, _ = strings.Cut(tour, "```sh\n")
	tour, _, found := strings.Cut(tour, "```")
	if !found {
		t.Fatal("the README has no tour")
	}
	node := binary.Serve(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, "bash", "-c", strings.ReplaceAll(tour, "http://127.0.0.1:8000", node.URL)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, word := range []string{`"status":"check_your_email"`, `"status":"verified"`, `"email":"grace@example.com"`, `"orgs.invitation_created"`, `"orgs.created"`} {
		if !strings.Contains(string(said), word) {
			t.Errorf("the tour does not show %s:\n%s", word, said)
		}
	}
}

// step is a block of commands and what the guide says they print.
type step struct {
	line     int
	commands string
	kind     string // of the answer: json or text; empty where the guide shows none
	answer   string
}

// follow runs all commands of the guide in one shell and compares what they print.
func follow(t *testing.T, guide, url, setup string) {
	t.Helper()
	steps := read(t, filepath.Join(binary.Root(), "docs", guide))
	dir := t.TempDir()
	var script strings.Builder
	script.WriteString("set -eu -o pipefail\n")
	for i, s := range steps {
		fmt.Fprintf(&script, "echo %d >at\n{\n%s\n} >%d.out\n", i, s.commands, i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", script.String())
	shell.Dir, shell.Env = dir, append(os.Environ(), "TENON="+url, "SETUP="+setup)
	shell.WaitDelay = time.Second
	said, err := shell.CombinedOutput()
	for i, s := range steps {
		out, missing := os.ReadFile(filepath.Join(dir, fmt.Sprint(i, ".out")))
		if missing != nil {
			break
		}
		s.compare(t, string(out))
	}
	if err != nil {
		at, _ := os.ReadFile(filepath.Join(dir, "at"))
		t.Fatalf("step %s failed: %v\n%s", at, err, said)
	}
}

// read takes the fenced blocks of a guide: sh is done, json and text are its answer.
func read(t *testing.T, file string) []step {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	var kind string
	var block []string
	for n, line := range strings.Split(string(text), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && kind == "":
			kind, block = fence, nil
		case isFence:
			steps = addBlock(t, steps, n-len(block), kind, strings.Join(block, "\n"))
			kind = ""
		case kind != "":
			block = append(block, line)
		}
	}
	if len(steps) < 5 {
		t.Fatalf("%s has only %d steps", file, len(steps))
	}
	return steps
}

func addBlock(t *testing.T, steps []step, line int, kind, text string) []step {
	t.Helper()
	switch kind {
	case "sh":
		return append(steps, step{line: line, commands: text})
	case "json", "text":
		last := &steps[len(steps)-1]
		if last.kind != "" {
			t.Fatalf("line %d: a second answer to the same commands", line)
		}
		last.kind, last.answer = kind, text
	case "console", "go", "js": // what a person does, or writes
	default:
		t.Fatalf("line %d: a block must be sh, json, text, console, go or js, not %q", line, kind)
	}
	return steps
}

func (s step) compare(t *testing.T, out string) {
	t.Helper()
	switch s.kind {
	case "text":
		if strings.TrimSpace(out) != strings.TrimSpace(s.answer) {
			t.Errorf("line %d: the guide says\n%s\nbut it is\n%s", s.line, s.answer, out)
		}
	case "json":
		var want, got any
		if err := json.Unmarshal([]byte(s.answer), &want); err != nil {
			t.Fatalf("line %d: the answer is no JSON: %v", s.line, err)
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Errorf("line %d: printed no JSON: %s", s.line, out)
			return
		}
		if where := differ("", want, got); where != "" {
			t.Errorf("line %d: the answer differs at %s from what the guide says:\n%s", s.line, where, out)
		}
	default:
		if strings.TrimSpace(out) != "" {
			t.Errorf("line %d: the guide does not show what is printed:\n%s", s.line, out)
		}
	}
}

// differ returns where two JSON values differ, or "". Text that ends with … stands for
// any text that begins as it does.
func differ(at string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return at + " (no object)"
		}
		for key := range g {
			if _, told := w[key]; !told {
				return at + "." + key + " (not in the guide)"
			}
		}
		for key := range w {
			if _, there := g[key]; !there {
				return at + "." + key + " (missing)"
			}
			if where := differ(at+"."+key, w[key], g[key]); where != "" {
				return where
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return at + " (another length)"
		}
		for i := range w {
			if where := differ(fmt.Sprintf("%s[%d]", at, i), w[i], g[i]); where != "" {
				return where
			}
		}
	case string:
		g, ok := got.(string)
		begins, open := strings.CutSuffix(w, "…")
		if !ok || open && (!strings.HasPrefix(g, begins) || g == "") || !open && g != w {
			return at
		}
	default:
		if want != got {
			return at
		}
	}
	return ""
}

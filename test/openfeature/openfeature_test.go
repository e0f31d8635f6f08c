// Package openfeature evaluates flags of the real program with OpenFeature's own clients,
// as they come from npm.
package openfeature

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/test/binary"
)

func TestMain(m *testing.M) { binary.Main(m) }

// one is a flag to ask for, and the program's own fallback.
type one struct {
	Key      string `json:"key"`
	Type     string `json:"type"`
	Fallback any    `json:"fallback"`
}

// got is what a client got of it.
type got struct {
	Value     any    `json:"value"`
	Variant   string `json:"variant,omitempty"`
	Reason    string `json:"reason,omitempty"`
	ErrorCode string `json:"errorCode,omitempty"`
}

func everyFlag() []one {
	return []one{{"plain", "boolean", false}, {"off", "boolean", true}, {"half", "boolean", false}, {"country", "boolean", false}, {"staff", "boolean", false},
		{"greeting", "string", "Hello"}, {"limit", "number", 1}, {"layout", "object", map[string]any{}}}
}

func TestStockClientsOfOpenFeatureGetTheSameAsGo(t *testing.T) {
	needClients(t)
	node := binary.Serve(t, nil)
	root, ada, org := people(t, node)
	makeFlags(t, root)
	me := ada.Call("GET", "/users/me", nil).Want(t, 200).Get("id")

	want := map[string]got{}
	asked := map[string]any{"attributes": map[string]any{"country": "AT"}}
	for key, f := range ada.Call("POST", "/flags/evaluate", asked).Want(t, 200).Body["flags"].(map[string]any) {
		f := f.(map[string]any)
		want[key] = got{Value: f["value"], Variant: f["variant"].(string), Reason: f["reason"].(string)}
	}
	if len(want) != len(everyFlag()) || want["country"].Value != true || want["staff"].Value != true || want["off"].Reason != "DISABLED" || want["half"].Reason != "SPLIT" {
		t.Fatalf("the API evaluates %+v", want)
	}

	t.Run("a server for a person", func(t *testing.T) {
		for _, target := range []string{me, ""} {
			compare(t, want, run[map[string]got](t, "server.mjs", node.URL, ada.Token, target, everyFlag()))
		}
	})
	t.Run("a browser", func(t *testing.T) {
		for _, target := range []string{me, ""} {
			answer := run[struct {
				Flags    map[string]got
				Statuses []int
			}](t, "web.mjs", node.URL, ada.Token, target, everyFlag())
			compare(t, want, answer.Flags)
			if diff := cmp.Diff([]int{200, 304, 304}, answer.Statuses); diff != "" {
				t.Errorf("statuses of three evaluations (-want +got):\n%s", diff)
			}
		}
	})
	t.Run("a server with an API key, for a member and for a visitor", func(t *testing.T) {
		key := ada.Call("POST", "/orgs/"+org+"/api-keys", map[string]any{"name": "OpenFeature", "scopes": []string{"flags.evaluate"}}).Want(t, 201).Get("key")
		compare(t, want, run[map[string]got](t, "server.mjs", node.URL, key, me, everyFlag()))
		visitor := run[map[string]got](t, "server.mjs", node.URL, key, "visitor-7", everyFlag())
		if visitor["staff"].Value != false || visitor["country"].Value != true {
			t.Errorf("a visitor gets %+v", visitor)
		}
		nobody := run[map[string]got](t, "server.mjs", node.URL, key, "", everyFlag()[:1])
		compare(t, map[string]got{"plain": {Value: false, Reason: "ERROR", ErrorCode: "TARGETING_KEY_MISSING"}}, nobody)
	})
	t.Run("what is refused", func(t *testing.T) {
		asked := []one{{"nothing", "boolean", true}, {"secret", "boolean", false}, {"greeting", "boolean", true}}
		compare(t, map[string]got{
			"nothing":  {Value: true, Reason: "ERROR", ErrorCode: "FLAG_NOT_FOUND"},
			"secret":   {Value: false, Reason: "ERROR", ErrorCode: "FLAG_NOT_FOUND"},
			"greeting": {Value: true, Reason: "ERROR", ErrorCode: "TYPE_MISMATCH"},
		}, run[map[string]got](t, "server.mjs", node.URL, ada.Token, me, asked))
		somebodyElse := root.Call("GET", "/users/me", nil).Want(t, 200).Get("id")
		compare(t, map[string]got{"plain": {Value: false, Reason: "ERROR", ErrorCode: "INVALID_CONTEXT"}},
			run[map[string]got](t, "server.mjs", node.URL, ada.Token, somebodyElse, everyFlag()[:1]))
	})
}

// needClients skips the test where the clients are not installed.
func needClients(t *testing.T) {
	t.Helper()
	_, noNode := exec.LookPath("node")
	_, missing := os.Stat(filepath.Join(binary.Root(), "node_modules", "@openfeature", "ofrep-provider"))
	if noNode == nil && missing == nil {
		return
	}
	const why = "OpenFeature's clients are not installed: run npm ci in the root of the repository"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// people are an administrator, and Ada with her organization.
func people(t *testing.T, node *binary.Node) (root, ada *binary.Client, org string) {
	t.Helper()
	c := binary.NewClient(node.URL)
	_, token, _ := strings.Cut(node.SetupLink(), "token=")
	setUp := c.Call("POST", "/setup", map[string]any{"token": token, "email": "root@example.com", "password": binary.Password, "name": "Root"}).Want(t, 201)
	ada = c.SignUp(t, "ada@example.com")
	org = ada.Call("POST", "/orgs", map[string]any{"name": "Acme", "slug": "acme"}).Want(t, 201).Get("id")
	return c.With(setUp.Get("access_token")), ada, org
}

func makeFlags(t *testing.T, root *binary.Client) {
	t.Helper()
	split := map[string]any{"split": map[string]any{"weights": []any{weight("on", 50), weight("off", 50)}}}
	for key, more := range map[string]map[string]any{
		"plain":    {},
		"secret":   {"client": false},
		"off":      {"enabled": false},
		"half":     {"default": split},
		"country":  {"default": variant("off"), "rules": []any{rule("country", "AT")}},
		"staff":    {"default": variant("off"), "rules": []any{rule("email_domain", "example.com")}},
		"greeting": {"type": "string", "variants": []any{value("at", "Servus")}},
		"limit":    {"type": "number", "variants": []any{value("many", 2.5)}},
		"layout":   {"type": "json", "variants": []any{value("wide", map[string]any{"columns": 3, "names": []string{"a"}})}},
	} {
		flag := map[string]any{"key": key, "type": "boolean", "client": true, "enabled": true, "reason": "for OpenFeature"}
		for name, v := range more {
			flag[name] = v
		}
		root.Call("POST", "/admin/flags", flag).Want(t, 201)
	}
}

func weight(variant string, percent float64) any {
	return map[string]any{"variant": variant, "percent": percent}
}
func variant(name string) any      { return map[string]any{"variant": name} }
func value(name string, v any) any { return map[string]any{"name": name, "value": v} }

func rule(attribute, v string) any {
	return map[string]any{"conditions": []any{map[string]any{"attribute": attribute, "operator": "one_of", "values": []string{v}}}, "serve": variant("on")}
}

// run runs one of the clients and returns what it prints.
func run[T any](t *testing.T, script, url, token, target string, flags []one) (out T) {
	t.Helper()
	cases, err := json.Marshal(flags)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script, url, token, target, string(cases))
	var said strings.Builder
	cmd.Stderr = &said
	printed, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(printed, &out)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", script, err, printed, said.String())
	}
	return out
}

func compare(t *testing.T, want, got map[string]got) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-the API +the client)\n%s", fmt.Sprint(diff))
	}
}

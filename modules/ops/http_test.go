package ops_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/tenontest"
)

func TestAnyoneMayAskHowItIsAndLearnsLittle(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		all := map[string]any{"status": "ok", "checks": map[string]any{"database": "ok", "cache": "ok"}}
		for path, want := range map[string]map[string]any{
			"//health": {"status": "ok"}, "//health/ready": all, "/health/": all, "/health": all,
		} {
			if diff := cmp.Diff(want, app.Call(nil, "GET", path, "").Want(t, 200).Body); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
		got := app.Call(nil, "GET", "/health/db", "").Want(t, 200).Body
		if latency, ok := got["latency_ms"].(float64); len(got) != 2 || got["status"] != "ok" || !ok || latency <= 0 {
			t.Errorf("/health/db answers %v", got)
		}
		for path, want := range map[string]string{"/health/redis": "off", "/health/storage": "ok", "/health/jobs": "ok"} {
			if diff := cmp.Diff(map[string]any{"status": want}, app.Call(nil, "GET", path, "").Want(t, 200).Body); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
		for _, path := range []string{"//health", "//health/ready", "/health/", "/health/db", "/health/redis", "/health/storage", "/health/jobs", "//openapi.json", "//docs", "//redoc"} {
			app.Call(nil, "HEAD", path, "").Want(t, 200)
			app.Call(nil, "POST", path, "").WantCode(t, 405, "request.method")
			stale := app.Request("GET", path, "")
			stale.Header.Set("Authorization", "Bearer expired") // a probe's credential is not looked at
			app.Send(stale).Want(t, 200)
		}
		for _, path := range []string{"//health/", "//health/live", "/health/db/", "/health/redis/", "//docs/", "//docs/index.html", "//reference/", "//reference"} {
			app.Call(nil, "GET", path, "").WantCode(t, 404, "not_found")
		}
	})
}

func TestEveryOperationIsInTheDocumentWithItsAccess(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		answer := app.Call(nil, "GET", "//openapi.json", "").Want(t, 200)
		var doc struct {
			OpenAPI string
			Paths   map[string]map[string]struct {
				OperationID string `json:"operationId"`
				Description string
				Access      struct{ Kind string } `json:"x-access"`
			}
		}
		if err := json.Unmarshal([]byte(answer.Text), &doc); err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, methods := range doc.Paths {
			for _, o := range methods {
				found[o.OperationID] = o.Access.Kind
				if !strings.Contains(o.Description, "**Access:** ") {
					t.Errorf("the description of %s does not say who may call it", o.OperationID)
				}
			}
		}
		declared := map[string]string{}
		for _, o := range app.Web.Ops() {
			declared[o.ID] = o.Access.Kind()
		}
		if diff := cmp.Diff(declared, found); diff != "" {
			t.Errorf("(-declared +documented):\n%s", diff)
		}
		if _, ok := doc.Paths["/api/v1/health/"]; !ok || !strings.HasPrefix(doc.OpenAPI, "3.1") {
			t.Errorf("OpenAPI %s, with %d paths", doc.OpenAPI, len(doc.Paths))
		}
	})
}

func TestTheDocumentIsSentOnce(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		again := app.Request("GET", "//openapi.json", "")
		again.Header.Set("If-None-Match", app.Call(nil, "GET", "//openapi.json", "").Want(t, 200).Header.Get("ETag"))
		if got := app.Send(again).Want(t, http.StatusNotModified); got.Text != "" {
			t.Errorf("it is sent again: %.40s", got.Text)
		}
	})
}

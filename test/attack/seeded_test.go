package attack

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
	"github.com/tenonhq/tenon/tenontest"
)

const seeded = "TENON_TEST_SEEDED"

// A sweep that finds nothing must be one that would.
func TestTheSweepFindsWhatIsWrong(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSeededMistakes$", "-test.v")
	cmd.Env = append(os.Environ(), seeded+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("the sweep found nothing:\n%s", out)
	}
	for _, sentence := range []string{
		`a foreign {leak} got 200, want 404`,
		`a foreign {leak} is not answered like an unknown one`,
		`viewer with a foreign {leak} got 403 auth.denied, want 404 not_found`,
		`requires seeded.nowhere, which no module declares`,
	} {
		if !strings.Contains(string(out), sentence) {
			t.Errorf("the sweep does not say %q:\n%s", sentence, out)
		}
	}
	if strings.Contains(string(out), "--- FAIL: TestSeededMistakes/orgs.") {
		t.Errorf("the sweep blames operations that are right:\n%s", out)
	}
}

func TestSeededMistakes(t *testing.T) {
	if os.Getenv(seeded) == "" {
		t.Skip("TestTheSweepFindsWhatIsWrong runs this")
	}
	tenontest.Sweep(t, tenontest.Start(t, db.SQLite, tenontest.With(func(app *tenon.App) { app.Use(mistakes()) })))
}

type leakKind struct{}

func (leakKind) Prefix() string { return "leak" }

type leakInput struct {
	web.InOrg
	Leak id.ID[leakKind] `path:"leak"`
}

type madeOutput struct {
	Body struct {
		ID id.ID[leakKind] `json:"id"`
	}
}

// mistakes is a module that keeps its things without asking whose they are.
func mistakes() module.Spec {
	things := map[id.ID[leakKind]]bool{}
	add := func(context.Context, *struct{ web.InOrg }) (*madeOutput, error) {
		out := &madeOutput{}
		out.Body.ID = id.New[leakKind]()
		things[out.Body.ID] = true
		return out, nil
	}
	show := func(_ context.Context, in *leakInput) (*madeOutput, error) {
		if !things[in.Leak] {
			return nil, errs.New(errs.NotFound, "seeded.not_found", "There is none.")
		}
		return &madeOutput{}, nil
	}
	return module.Spec{Name: "seeded", Routes: func(r *web.Router) {
		r.PathID("leak", web.TypedID(func(_ context.Context, leak id.ID[leakKind]) (bool, error) { return things[leak], nil }))
		web.Handle(r, web.Op{ID: "seeded.make", Method: http.MethodPost, Path: "/orgs/{org}/leaks", Access: authz.InOrg(orgs.PermRead)}, add)
		web.Handle(r, web.Op{ID: "seeded.show", Method: http.MethodGet, Path: "/orgs/{org}/leaks/{leak}", Access: authz.InOrg(orgs.PermInvite)}, show)
		web.Handle(r, web.Op{ID: "seeded.nowhere", Method: http.MethodDelete, Path: "/orgs/{org}/leaks/{leak}", Access: authz.InOrg("seeded.nowhere")}, show)
	}}
}

// Package attack attacks the whole product, in ways that follow from its OpenAPI document.
package attack

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/platform/web"
	"github.com/tenonhq/tenon/tenontest"
)

func TestEveryOperationRefusesWhoMayNot(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) { tenontest.Sweep(t, app) })
}

func TestAnOperationThatSaysNotWhoMayCallItDoesNotStart(t *testing.T) {
	app, err := tenon.New(tenon.Config{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "does not declare its Access") {
			t.Errorf("recovered %q, want a sentence about Access", p)
		}
	}()
	app.Use(module.Spec{Name: "open", Routes: func(r *web.Router) {
		web.Handle(r, web.Op{ID: "open.door", Method: http.MethodGet, Path: "/door"},
			func(context.Context, *web.Empty) (*web.Empty, error) { return nil, nil })
	}})
	t.Error("the operation was added")
}

package flags_test

import (
	"context"
	"testing"

	"github.com/tenonhq/tenon/modules/flags"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest"
)

// asked returns an app with flags of every sort, and the context of a member who asks.
func asked(t testing.TB) (app *tenontest.App, ctx context.Context) {
	t.Helper()
	app = tenontest.Start(t, db.SQLite)
	ada := app.User("ada")
	make := func(key string, d flags.Definition) {
		if len(d.Variants) == 0 {
			d.Variants, d.OffVariant = []flags.Variant{{Name: "on", Value: true}, {Name: "off", Value: false}}, "off"
		}
		if _, err := app.Flags.Create(t.Context(), flags.NewFlag{Key: key, Type: flags.TypeBoolean, Enabled: true, Definition: d, Reason: "to be measured"}); err != nil {
			t.Fatal(err)
		}
	}
	split := flags.Serve{Split: &flags.Split{Weights: []flags.Weight{{Variant: "on", Percent: 10}, {Variant: "off", Percent: 90}}}}
	make("plain", flags.Definition{Default: flags.Serve{Variant: "on"}})
	make("split", flags.Definition{Default: split})
	rule := func(attribute string, operator flags.Operator, values ...any) flags.Rule {
		return flags.Rule{Conditions: []flags.Condition{{Attribute: attribute, Operator: operator, Values: values}}, Serve: flags.Serve{Variant: "on"}}
	}
	make("rules", flags.Definition{Default: split, Prerequisites: []flags.Prerequisite{{Flag: "plain", Variants: []string{"on"}}}, Rules: []flags.Rule{
		rule("email_domain", flags.OneOf, "example.org", "example.net"), rule("user_id", flags.OneOf, id.New[id.AccountKind]().String()), rule("org_id", flags.OneOf, id.New[id.OrgKind]().String()),
		rule("role", flags.OneOf, "owner"), rule("administrator", flags.OneOf, true), rule("plan", flags.StartsWith, "enter"), rule("seats", flags.Greater, 100.0), rule("version", flags.AtLeast, "3.0.0"),
	}})
	ctx = authz.With(app.Flags.With(t.Context()), &authz.Principal{Kind: authz.ActorAccount, Account: ada.ID, Subject: ada.Account})
	ctx = authz.WithMembership(ctx, &authz.Membership{Org: id.New[id.OrgKind](), Role: authz.Member})
	return app, flags.WithAttributes(ctx, flags.Attributes{"seats": 7.0, "version": "2.3.4"})
}

// BenchmarkFlags evaluates flags as a request does: one that everybody gets, one that is
// split, and one behind another with eight rules of which none holds.
func BenchmarkFlags(b *testing.B) {
	_, ctx := asked(b)
	for _, key := range []string{"plain", "split", "rules"} {
		b.Run(key, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				flags.Bool(ctx, key, false)
			}
		})
	}
}

func TestAnEvaluationAllocatesNothing(t *testing.T) {
	app, ctx := asked(t)
	for _, key := range []string{"plain", "split", "rules"} {
		if n := allocations(func() { flags.Bool(ctx, key, false) }); n != 0 {
			t.Errorf("%s: %v allocations", key, n)
		}
	}
	// Nor does it for a stranger, of whom nothing is known.
	stranger := app.Flags.With(t.Context())
	if n := allocations(func() { flags.Bool(stranger, "plain", false) }); n != 0 {
		t.Errorf("a stranger: %v allocations", n)
	}
}

// allocations is how many fn makes: the least of some rounds, since what else the app does
// meanwhile is counted too.
func allocations(fn func()) float64 {
	least := testing.AllocsPerRun(1000, fn)
	for n := 0; n < 20 && least > 0; n++ {
		least = min(least, testing.AllocsPerRun(1000, fn))
	}
	return least
}

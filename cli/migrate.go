package cli

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

const migrateUpHelp = `Several at once take turns. In production 'serve' stays not ready until this has run.
TENON_MIGRATE_DATABASE_URL names the owner of the tables, where the role of DATABASE_URL is another.`

func (e *environment) migrate() *cobra.Command {
	return e.group("migrate", "Bring the database up to date, or show what is to be done.",
		e.command("up", "Apply what is pending.", migrateUpHelp, func([]string) error { return e.migrateUp() }),
		e.command("status", "List migrations; exit with 1 when some are pending.", "", func([]string) error { return e.migrateStatus() }))
}

func (e *environment) migrateUp() error {
	app, err := e.app(nil)
	if err != nil {
		return err
	}
	defer app.Close()
	began := time.Now()
	before, err := app.DB.Migrations(e.ctx, app.Schemas())
	if err != nil {
		return err
	}
	if err := app.Migrate(e.ctx); err != nil {
		return err
	}
	applied := 0
	for _, m := range before {
		if m.Pending() {
			applied++
		}
	}
	if applied == 0 {
		if err := app.DB.RestoreAccess(e.ctx, app.Config.DB, app.Schemas()); err != nil {
			return err
		}
		fmt.Println("Nothing to do: the database is up to date.")
		return nil
	}
	fmt.Printf("Applied %d migrations in %s.\n", applied, time.Since(began).Round(time.Millisecond))
	return nil
}

func (e *environment) migrateStatus() error {
	app, err := e.app(nil)
	if err != nil {
		return err
	}
	defer app.Close()
	all, err := app.DB.Migrations(e.ctx, app.Schemas())
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "MODULE\tMIGRATION\tAPPLIED")
	pending := 0
	for _, m := range all {
		applied := "pending"
		if m.Pending() {
			pending++
		} else {
			applied = m.AppliedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", m.Module, m.File, applied)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if pending > 0 {
		return fmt.Errorf("%d migrations are pending; run: %s migrate up", pending, e.program)
	}
	return nil
}

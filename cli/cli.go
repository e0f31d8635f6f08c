// Package cli is the command line of an app: yours has the same one as ours.
//
//	func main() {
//		cli.Main(func(app *tenon.App) { app.Use(tasks.New(app).Module()) })
//	}
package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tenonhq/tenon"
)

// Main runs the command that the program was started with, and ends the program.
// extend adds your modules to the app before it is used.
func Main(extend ...func(*tenon.App)) {
	os.Exit(Run(os.Args[1:], extend...))
}

// Run is Main for programs that have something to do afterwards; it returns the exit
// code: 1 when a command failed, 2 when it was not understood.
func Run(args []string, extend ...func(*tenon.App)) int {
	ctx, stop := interruptible()
	defer stop()
	e := &environment{ctx: ctx, program: filepath.Base(os.Args[0]), extend: extend}
	root := e.commands()
	root.SetArgs(args)
	if meant, err := root.ExecuteContextC(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", e.program, err)
		if !e.started {
			fmt.Fprintf(os.Stderr, "Try: %s --help\n", meant.CommandPath())
			return 2
		}
		return 1
	}
	return 0
}

const description = `The backend that every SaaS needs: accounts, sessions, organizations, invitations, jobs, audit.

Start with: tenon serve

Settings come from the environment (DATABASE_URL, REDIS_URL, SMTP_HOST, TENON_…);
"tenon doctor" shows those in effect and tries every dependency.`

// environment is what every command runs in.
type environment struct {
	ctx     context.Context
	program string
	extend  []func(*tenon.App)
	data    string
	started bool // the command line was understood, and its command runs
}

func (e *environment) commands() *cobra.Command {
	root := e.group(e.program, description,
		e.serve(), e.worker(), e.migrate(), e.admin(), e.keys(), e.doctor(), e.console(), e.openapi(), e.version())
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentFlags().StringVar(&e.data, "data", "", "`folder` of everything that is kept on disk (TENON_DATA; ./data unless set)")
	return root
}

// group is a command that only has others below it.
func (e *environment) group(name, help string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: help, Args: cobra.NoArgs, DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(commands...)
	return c
}

// command declares a command. help is what --help says first; it ends with examples,
// each on an indented line.
func (e *environment) command(use, short, help string, run func(args []string) error) *cobra.Command {
	long, example, _ := strings.Cut(help, "\n\n  ")
	if long != "" {
		long = "\n\n" + long
	}
	if example != "" {
		example = "  " + example
	}
	return &cobra.Command{Use: use, Short: short, Long: short + long, Example: example, Args: cobra.NoArgs, DisableFlagsInUseLine: true,
		RunE: func(_ *cobra.Command, args []string) error {
			e.started = true
			tuneCollector()
			return run(args)
		}}
}

// require lets a command run only with the flag. It panics on a flag that is not declared.
func require(c *cobra.Command, flag string) {
	if err := c.MarkFlagRequired(flag); err != nil {
		panic(err)
	}
}

// app builds the app that the settings describe.
func (e *environment) app(change func(*tenon.Config)) (*tenon.App, error) {
	cfg, err := tenon.FromEnv()
	if err != nil {
		return nil, err
	}
	if e.data != "" {
		cfg.Data = e.data
	}
	if change != nil {
		change(&cfg)
	}
	app, err := tenon.New(cfg)
	if err != nil {
		return nil, err
	}
	for _, extend := range e.extend {
		extend(app)
	}
	return app, nil
}

// prepared builds the app and waits until its database is ready; close it.
func (e *environment) prepared() (*tenon.App, error) {
	app, err := e.app(nil)
	if err != nil {
		return nil, err
	}
	if err := app.Prepare(e.ctx); err != nil {
		app.Close()
		return nil, err
	}
	return app, nil
}

func (e *environment) version() *cobra.Command {
	return e.command("version", "Print the version.", "", func([]string) error {
		fmt.Println(e.program, tenon.Version)
		return nil
	})
}

// interruptible returns a context that ends with the first SIGINT or SIGTERM. The
// second ends the program on the spot.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(1)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}

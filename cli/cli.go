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
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/tenonhq/tenon"
)

// Main runs the command that the program was started with, and ends the program.
// extend adds your modules to the app before it is used.
func Main(extend ...func(*tenon.App)) {
	os.Exit(Run(os.Args[1:], extend...))
}

// Run is Main for programs that have something to do afterwards; it returns the exit code.
func Run(args []string, extend ...func(*tenon.App)) int {
	var c commands
	name := filepath.Base(os.Args[0])
	parser, err := kong.New(&c, kong.Name(name), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, NoExpandSubcommands: false}),
		kong.Vars{"version": tenon.Version})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		parser.Errorf("%s", err)
		fmt.Fprintf(os.Stderr, "Try: %s --help\n", name)
		return 2
	}
	tuneCollector()
	ctx, stop := interruptible()
	defer stop()
	if err := parsed.Run(&environment{ctx: ctx, program: name, extend: extend}); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

const description = `The backend that every SaaS needs: accounts, sessions, organizations, invitations, jobs, audit.

Start with: tenon serve

Settings come from the environment (DATABASE_URL, REDIS_URL, SMTP_HOST, TENON_…); "tenon doctor" shows those in effect and tries every dependency.`

type commands struct {
	Serve   serveCommand   `cmd:"" help:"Serve the API and the console, and run jobs."`
	Worker  workerCommand  `cmd:"" help:"Run jobs, without an API."`
	Migrate migrateCommand `cmd:"" help:"Bring the database up to date, or show what is to be done."`
	Admin   adminCommand   `cmd:"" help:"Make and list administrators, stop accounts."`
	Keys    keysCommand    `cmd:"" help:"List and rotate the keys that sign tokens and encrypt fields."`
	Doctor  doctorCommand  `cmd:"" help:"Show the settings in effect and try every dependency."`
	Console consoleCommand `cmd:"" help:"Take over the source of the web console."`
	OpenAPI openapiCommand `cmd:"" name:"openapi" help:"Print the OpenAPI document of this program."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// environment is what every command runs in.
type environment struct {
	ctx     context.Context
	program string
	extend  []func(*tenon.App)
}

// app builds the app that the settings describe.
func (e *environment) app(change func(*tenon.Config)) (*tenon.App, error) {
	cfg, err := tenon.FromEnv()
	if err != nil {
		return nil, err
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

type versionCommand struct{}

func (versionCommand) Run(e *environment) error {
	fmt.Println(e.program, tenon.Version)
	return nil
}

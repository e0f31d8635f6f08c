package cli

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/tenonhq/tenon"
)

type dataFlag struct {
	Data string `help:"Folder of everything that is kept on disk (TENON_DATA; default ./data)." placeholder:"DIR"`
}

func (d dataFlag) apply(cfg *tenon.Config) {
	if d.Data != "" {
		cfg.Data = d.Data
	}
}

type serveCommand struct {
	Addr    string `help:"Where to listen (TENON_ADDR; default 127.0.0.1:8000)." placeholder:"HOST:PORT"`
	APIOnly bool   `help:"Leave the jobs to 'worker' processes."`
	dataFlag
}

// Help is shown by serve --help.
func (serveCommand) Help() string {
	return `Without settings: SQLite in ./data, mail kept for you at /_dev/mail, and a one-time link to make the first administrator.

Examples:
  tenon serve
  tenon serve --addr 0.0.0.0:8000 --data /var/lib/tenon
  DATABASE_URL=postgres://tenon@localhost/tenon REDIS_URL=redis://localhost tenon serve

The first SIGINT or SIGTERM lets requests and jobs finish, at most 30 seconds; the second ends at once.`
}

func (s serveCommand) Run(e *environment) error {
	app, err := e.app(func(cfg *tenon.Config) {
		s.apply(cfg)
		if s.Addr != "" {
			cfg.Addr = s.Addr
		}
	})
	if err != nil {
		return err
	}
	return app.Serve(e.ctx, tenon.ServeOptions{APIOnly: s.APIOnly, Listening: announce(app), SetupLink: announceSetup})
}

// announce says to a person where to look; programs read the log, on the other stream.
func announce(app *tenon.App) func(net.Addr) {
	return func(addr net.Addr) {
		at := "http://" + strings.Replace(addr.String(), "[::]", "localhost", 1)
		lines := []string{"", "  Tenon " + tenon.Version + " is listening on " + at, ""}
		if !app.Config.Console.Off() {
			lines = append(lines, "  Console         "+at+"/")
		}
		lines = append(lines, "  API reference   "+at+"/docs")
		if !app.Config.Production() {
			if app.Config.Mail.Host == "" {
				lines = append(lines, "  Mail box        "+at+"/_dev/mail")
			}
			lines = append(lines, "", "  Development: data in "+app.Config.Data+"; cookies are not marked Secure over plain HTTP.")
		}
		fmt.Fprintln(os.Stderr, strings.Join(lines, "\n"))
	}
}

func announceSetup(link string) {
	fmt.Fprintf(os.Stderr, "\n  There is no administrator yet. Make the first one with this link, which works once:\n\n  %s\n\n", link)
}

type workerCommand struct {
	Queues []string `help:"Run the jobs of these queues only (TENON_QUEUES; default all)." placeholder:"NAME,…"`
	dataFlag
}

// Help is shown by worker --help.
func (workerCommand) Help() string {
	return `Several workers may run at once, beside 'serve --api-only' processes or plain 'serve' ones, on one PostgreSQL database. SQLite serves one process only.

Examples:
  tenon worker
  tenon worker --queues mail
  TENON_QUEUE_WORKERS=mail:5,default:50 tenon worker --queues mail,default`
}

func (w workerCommand) Run(e *environment) error {
	app, err := e.app(func(cfg *tenon.Config) {
		w.apply(cfg)
		if len(w.Queues) > 0 {
			cfg.Jobs.Queues = w.Queues
		}
	})
	if err != nil {
		return err
	}
	return app.Work(e.ctx)
}

package cli

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenonhq/tenon"
)

const serveHelp = `Without settings: SQLite in ./data, mail kept for you at /_dev/mail, and a one-time link to make the first administrator.
The first SIGINT or SIGTERM lets requests and jobs finish, at most 30 seconds; the second ends at once.

  tenon serve
  tenon serve --addr 0.0.0.0:8000 --data /var/lib/tenon
  DATABASE_URL=postgres://tenon@localhost/tenon REDIS_URL=redis://localhost tenon serve`

func (e *environment) serve() *cobra.Command {
	var addr string
	var apiOnly bool
	c := e.command("serve", "Serve the API and the console, and run jobs.", serveHelp, func([]string) error {
		app, err := e.app(func(cfg *tenon.Config) {
			if addr != "" {
				cfg.Addr = addr
			}
		})
		if err != nil {
			return err
		}
		return app.Serve(e.ctx, tenon.ServeOptions{APIOnly: apiOnly, Listening: announce(app), SetupLink: announceSetup})
	})
	c.Flags().StringVar(&addr, "addr", "", "`host:port` to listen on (TENON_ADDR; 127.0.0.1:8000 unless set)")
	c.Flags().BoolVar(&apiOnly, "api-only", false, "leave the jobs to 'worker' processes")
	return c
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

const workerHelp = `Several workers may run at once, beside 'serve --api-only' processes or plain 'serve' ones, on one PostgreSQL database. SQLite serves one process only.

  tenon worker
  tenon worker --queues mail
  TENON_QUEUE_WORKERS=mail:5,default:50 tenon worker --queues mail,default`

func (e *environment) worker() *cobra.Command {
	var queues []string
	c := e.command("worker", "Run jobs, without an API.", workerHelp, func([]string) error {
		app, err := e.app(func(cfg *tenon.Config) {
			if len(queues) > 0 {
				cfg.Jobs.Queues = queues
			}
		})
		if err != nil {
			return err
		}
		return app.Work(e.ctx)
	})
	c.Flags().StringSliceVar(&queues, "queues", nil, "`names` of the queues whose jobs are run, with commas between (TENON_QUEUES; all unless set)")
	return c
}

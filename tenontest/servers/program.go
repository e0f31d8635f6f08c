package servers

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// StartPostgres runs a server for a program that is no test, such as a benchmark,
// with settings of its own ("name=value"; PostgreSQL's defaults otherwise). Stop ends
// it and removes its data; the end of the program does so too, even by a kill.
func StartPostgres(settings ...string) (p *PG, stop func() error, err error) {
	bin, err := findPostgres()
	if err != nil {
		return nil, nil, fmt.Errorf("find PostgreSQL: %w", err)
	}
	var args []string
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	if p, err = startPostgres(bin, args); err != nil {
		return nil, nil, err
	}
	return p, p.remove, nil
}

// NewDatabase makes an empty database and returns its URL.
func (p *PG) NewDatabase(ctx context.Context) (url string, err error) {
	name, err := p.create(ctx, "template1")
	if err != nil {
		return "", err
	}
	return p.URL(name), nil
}

// PID is the process id of the server, the parent of its sessions' processes.
func (p *PG) PID() int { return p.cmd.Process.Pid }

// Version is the version of the server, such as "17.2".
func (p *PG) Version(ctx context.Context) (version string, err error) {
	err = p.asAdmin(ctx, "postgres", func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT split_part(current_setting('server_version'), ' ', 1)").Scan(&version)
	})
	return version, err
}

// Command load measures the product as its users get it: the real binary as a
// process of its own, on SQLite and on PostgreSQL, beside a bare program that does
// one query for each request, in turns on the same machine. It prints throughput,
// latency, processor time, statements, start-up and memory, and whether each target is met.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	o, err := options(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	met, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	if o.strict && !met {
		os.Exit(3)
	}
}

// settings are what the caller chose.
type settings struct {
	connections int
	databases   []string
	works       []work
	measurer    measurer
	binary      string
	durable     bool
	json        bool
	markdown    bool
	strict      bool
	quiet       bool
}

func options(args []string) (settings, error) {
	var o settings
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.IntVar(&o.connections, "connections", 16, "kept-alive connections; sign-in and sign-up use a quarter")
	fs.IntVar(&o.measurer.rounds, "rounds", 5, "rounds of each program, taking turns; medians are printed")
	fs.DurationVar(&o.measurer.round, "time", 4*time.Second, "length of a round")
	fs.DurationVar(&o.measurer.warmup, "warmup", 2*time.Second, "load before the first round")
	databases := fs.String("databases", "sqlite,postgres", "databases to run the product on; none: the bare program alone")
	works := fs.String("works", "me,list,key,refresh,sign-in,sign-up,storm,uncached,logged", "what to measure; health comes along for comparison")
	quick := fs.Bool("quick", false, "three rounds of two seconds: a first impression")
	fs.StringVar(&o.binary, "binary", "", "measure this binary instead of building one")
	fs.BoolVar(&o.durable, "durable", true, "PostgreSQL waits for its disk, as by default")
	fs.BoolVar(&o.json, "json", false, "print JSON")
	fs.BoolVar(&o.markdown, "markdown", false, "print Markdown")
	fs.BoolVar(&o.strict, "strict", false, "exit with status 3 when a target is missed")
	fs.BoolVar(&o.quiet, "quiet", false, "do not tell what is under way")
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), "Measures the product beside a bare net/http + pgx program.\n\nUsage: go run ./test/load [flags]\n\n")
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if *quick {
		o.measurer.rounds, o.measurer.round, o.measurer.warmup = 3, 2*time.Second, time.Second
	}
	if *databases != "none" {
		o.databases = strings.Split(*databases, ",")
	}
	for w := range strings.SplitSeq(*works, ",") {
		o.works = append(o.works, work(strings.TrimSpace(w)))
	}
	o.measurer.say = func(format string, args ...any) {
		if !o.quiet {
			fmt.Fprintf(os.Stderr, format+"\n", args...)
		}
	}
	return o, o.check(fs)
}

func (o settings) check(fs *flag.FlagSet) error {
	err := errors.Join(
		when(fs.NArg() > 0, "takes no arguments, only flags"),
		when(o.connections < 1 || o.connections > 1000, "--connections must be between 1 and 1000"),
		when(o.measurer.rounds < 1, "--rounds must be at least 1"),
		when(o.measurer.round < 100*time.Millisecond, "--time must be at least 100ms"),
	)
	for _, d := range o.databases {
		err = errors.Join(err, when(d != sqlite && d != postgres, "--databases: unknown database "+d))
	}
	for _, w := range o.works {
		err = errors.Join(err, when(!w.known(), fmt.Sprintf("--works: unknown work %q", w)))
	}
	if err != nil {
		fmt.Fprintln(fs.Output(), err)
	}
	return err
}

func when(wrong bool, sentence string) error {
	if wrong {
		return errors.New(sentence)
	}
	return nil
}

// run prepares everything, measures, prints, and leaves nothing behind.
func run(ctx context.Context, o settings) (met bool, err error) {
	dir, err := os.MkdirTemp("", "tenon-load-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{settings: o, dir: dir}
	defer func() { err = errors.Join(err, b.end()) }()
	if err := b.build(ctx); err != nil {
		return false, err
	}
	if err := b.measure(ctx); err != nil {
		return false, err
	}
	return b.report.met(), b.print(os.Stdout)
}

func (b *bench) print(to *os.File) error {
	switch {
	case b.json:
		return b.report.json(to)
	case b.markdown:
		return b.report.markdown(to)
	}
	return b.report.text(to)
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

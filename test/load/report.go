package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// report is what a run found.
type report struct {
	Machine string `json:"machine"`
	Load    string `json:"load"`
	Works   []line `json:"works"`
	Marks   []mark `json:"marks"`
}

// line is one work on one database, by the medians of its rounds.
type line struct {
	Work     work    `json:"work"`
	Database string  `json:"database"`
	Figures  sample  `json:"figures"`
	Ratio    float64 `json:"ratio_to_bare"`
	CPURatio float64 `json:"cpu_ratio_to_bare"`  // of server and database together
	Beside   float64 `json:"cpu_beside_hash_us"` // sign-in and sign-up
	Goals    []goal  `json:"goals"`
}

// mark is a single figure.
type mark struct {
	Name     string  `json:"name"`
	Database string  `json:"database"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Note     string  `json:"note,omitempty"`
	Goals    []goal  `json:"goals"`
}

// goal is a target and whether it is met.
type goal struct {
	Text string `json:"text"`
	Met  bool   `json:"met"`
}

func atLeast(value, bound float64, format string) goal {
	return goal{fmt.Sprintf("≥ "+format, bound), value >= bound}
}

func atMost(value, bound float64, format string) goal {
	return goal{fmt.Sprintf("≤ "+format, bound), value <= bound}
}

// counted is a bound on statements. What a server does for itself between the
// requests cannot be told apart to the last statement, so it tolerates a twentieth.
func counted(value, bound float64) goal {
	if bound == 0 {
		return goal{"no statement", value < 0.05}
	}
	return goal{fmt.Sprintf("≤ %.0f statements", bound), value < bound+0.05}
}

func (r *report) describe(o settings, pg string) {
	r.Machine = fmt.Sprintf("%d cores shared by server, database and client, %s, PostgreSQL %s", runtime.NumCPU(), runtime.Version(), pg)
	if !o.durable {
		r.Machine += " that does not wait for its disk"
	}
	r.Load = fmt.Sprintf("%d connections, %d rounds of %v in turns, medians", o.connections, o.measurer.rounds, o.measurer.round)
}

// worked adds a work. Theirs are the rounds of the bare program beside ours.
func (r *report) worked(w work, database string, ours, theirs series) {
	l := line{Work: w, Database: database, Figures: sample{
		PerSecond:  ours.median(func(s sample) float64 { return s.PerSecond }),
		P50:        ours.median(func(s sample) float64 { return s.P50 }),
		P95:        ours.median(func(s sample) float64 { return s.P95 }),
		P99:        ours.median(func(s sample) float64 { return s.P99 }),
		ServerCPU:  ours.median(func(s sample) float64 { return s.ServerCPU }),
		DBCPU:      ours.median(func(s sample) float64 { return s.DBCPU }),
		ClientCPU:  ours.median(func(s sample) float64 { return s.ClientCPU }),
		Statements: ours.median(func(s sample) float64 { return s.Statements }),
		RoundTrips: ours.median(func(s sample) float64 { return s.RoundTrips }),
		Errors:     ours.errors(),
		Others:     ours.median(func(s sample) float64 { return s.Others }),
	}}
	l.Ratio = ours.paired(theirs, func(a, b sample) float64 { return a.PerSecond / max(1, b.PerSecond) })
	l.CPURatio = ours.paired(theirs, func(a, b sample) float64 { return (a.ServerCPU + a.DBCPU) / max(1, b.ServerCPU+b.DBCPU) })
	if w.hashes() {
		l.Beside = ours.paired(theirs, func(a, b sample) float64 { return a.ServerCPU - b.ServerCPU })
	}
	if database != bareName {
		l.Goals = goals(l)
	}
	r.Works = append(r.Works, l)
}

// goals are the targets of a work. Those of throughput are in units of the bare
// program, which makes machines comparable; PocketBase's 2,566/s were 0.25 of it.
func goals(l line) (all []goal) {
	f := l.Figures
	switch l.Work {
	case me, logged:
		all = []goal{atLeast(l.Ratio, 1.8, "%.1f× bare"), counted(f.Statements, 0), atMost(f.ServerCPU, 60, "%.0f µs")}
	case uncached:
		all = []goal{atLeast(l.Ratio, 0.75, "%.2f× bare"), counted(f.Statements, 1), atMost(f.ServerCPU, 150, "%.0f µs")}
		if l.Database == sqlite {
			all = []goal{atLeast(l.Ratio, 0.5, "%.1f× bare (twice PocketBase)"), counted(f.Statements, 1)}
		}
	case list, key:
		all = []goal{atLeast(l.Ratio, 0.75, "%.2f× bare"), counted(f.Statements, 2)}
	case refresh:
		all = []goal{atLeast(l.Ratio, 0.6, "%.1f× bare"), counted(f.Statements, 4)}
	case signIn, signUp:
		all = []goal{atMost(l.Beside, 1500, "%.0f µs beside the hash")}
	}
	if f.Errors > 0 {
		all = append(all, goal{fmt.Sprintf("%d errors", f.Errors), false})
	}
	return all
}

func (r *report) mark(name, database, unit string, value float64, note string, goals ...goal) {
	r.Marks = append(r.Marks, mark{Name: name, Database: database, Value: value, Unit: unit, Note: note, Goals: goals})
}

func (r *report) started(database string, took time.Duration, idle int64) {
	start := []goal{}
	if database == sqlite {
		start = append(start, atMost(micros(took)/1000, 500, "%.0f ms"))
	}
	r.mark("first start, on an empty database", database, "ms", micros(took)/1000, "", start...)
	r.mark("memory, idle", database, "MB", megabytes(idle), "", atMost(megabytes(idle), 45, "%.0f MB"))
}

func (r *report) loaded(database string, peak int64, restart float64) {
	r.mark("memory, at most under load", database, "MB", megabytes(peak), "sign-ins included", atMost(megabytes(peak), 90, "%.0f MB"))
	r.mark("restart", database, "ms", restart/1000, "", atMost(restart/1000, 100, "%.0f ms"))
}

func (r *report) stormed(database string, calm, stormy float64) {
	r.mark("me p95 while many sign in", database, "× calm", stormy/max(1, calm),
		fmt.Sprintf("%.2f ms to %.2f ms", calm/1000, stormy/1000), atMost(stormy/max(1, calm), 3, "%.0f×"))
}

func (r *report) weighed(size int64) {
	r.mark("binary", "", "MB", megabytes(size), "", atMost(megabytes(size), 45, "%.0f MB"))
}

// megabytes are those of the SI, as disks and `ls --si` count.
func megabytes(n int64) float64 { return float64(n) / 1e6 }

// met reports whether every target is.
func (r *report) met() bool {
	missed := func(g goal) bool { return !g.Met }
	return !slices.ContainsFunc(r.Works, func(l line) bool { return slices.ContainsFunc(l.Goals, missed) }) &&
		!slices.ContainsFunc(r.Marks, func(m mark) bool { return slices.ContainsFunc(m.Goals, missed) })
}

func (r *report) json(to io.Writer) error {
	e := json.NewEncoder(to)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *report) text(to io.Writer) error {
	_, err := fmt.Fprintf(to, "\n%s\n%s%s\n\n%s\n%s", r.Machine, r.Load, r.doubt(), aligned(r.worksTable()), aligned(r.marksTable()))
	return err
}

func (r *report) markdown(to io.Writer) error {
	_, err := fmt.Fprintf(to, "%s; %s%s.\n\n%s\n%s", r.Machine, r.Load, r.doubt(), piped(r.worksTable()), piped(r.marksTable()))
	return err
}

// doubt says which works others disturbed. A ratio of throughputs then favours
// whoever has more processes to share the rest with; the ratio of processor times does not.
func (r *report) doubt() string {
	var names []string
	for _, l := range r.Works {
		if name := l.Work.title(); l.Figures.disturbed() && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if names == nil {
		return ""
	}
	return "; the machine was not quiet during " + strings.Join(names, ", ") + ": judge by processor time there"
}

// table is a heading and its rows. The first two columns are words, and so is the last.
type table [][]string

func (r *report) worksTable() table {
	t := table{{"work", "on", "per s", "× bare", "p50 ms", "p95 ms", "p99 ms", "server µs", "db µs", "× bare", "statements", "round trips", "targets"}}
	for i, l := range r.Works {
		f, name := l.Figures, l.Work.title()
		if i > 0 && r.Works[i-1].Work == l.Work {
			name = ""
		}
		row := []string{name, l.Database, number(f.PerSecond), fmt.Sprintf("%.2f", l.Ratio), fmt.Sprintf("%.2f", f.P50/1000), fmt.Sprintf("%.2f", f.P95/1000),
			fmt.Sprintf("%.2f", f.P99/1000), number(f.ServerCPU), number(f.DBCPU), fmt.Sprintf("%.2f", l.CPURatio), fmt.Sprintf("%.1f", f.Statements), fmt.Sprintf("%.1f", f.RoundTrips), judged(l.Goals)}
		switch l.Database {
		case bareName:
			row[3], row[9], row[10], row[11] = "", "", "", ""
			if f.Errors > 0 {
				row[12] = fmt.Sprintf("%d errors ✗", f.Errors)
			}
		case sqlite:
			row[8], row[11] = "", ""
		}
		if l.Work.hashes() && l.Database != bareName {
			row[12] = fmt.Sprintf("%s µs beside the hash: %s", number(l.Beside), row[12])
		}
		t = append(t, row)
	}
	return t
}

func (r *report) marksTable() table {
	t := table{{"figure", "on", "value", "targets"}}
	for _, m := range r.Marks {
		value := fmt.Sprintf("%.1f %s", m.Value, m.Unit)
		note := judged(m.Goals)
		if m.Note != "" {
			note += "  (" + m.Note + ")"
		}
		t = append(t, []string{m.Name, m.Database, value, note})
	}
	return t
}

func judged(goals []goal) string {
	var all []string
	for _, g := range goals {
		sign := "✗"
		if g.Met {
			sign = "✓"
		}
		all = append(all, g.Text+" "+sign)
	}
	return strings.Join(all, " · ")
}

// number writes a figure with as many digits as it deserves, grouped by thousands.
func number(f float64) string {
	text := fmt.Sprintf("%.0f", math.Abs(f))
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	if f <= -0.5 {
		text = "-" + text
	}
	return text
}

// aligned sets a table in columns.
func aligned(t table) string {
	widths := t.widths()
	var b strings.Builder
	for _, row := range t {
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i == len(row)-1:
				b.WriteString(cell)
			case i < 2:
				b.WriteString(cell + space + "  ")
			default:
				b.WriteString(space + cell + "  ")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// piped sets a table in Markdown.
func piped(t table) string {
	var b strings.Builder
	for n, row := range t {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if n == 0 {
			rule := slices.Repeat([]string{"---:"}, len(row))
			rule[0], rule[1], rule[len(row)-1] = "---", "---", "---"
			b.WriteString("|" + strings.Join(rule, "|") + "|\n")
		}
	}
	return b.String()
}

func (t table) widths() []int {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

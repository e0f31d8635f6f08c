package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestTargetsAreJudgedByMediansOfPairs(t *testing.T) {
	theirs := series{{PerSecond: 100}, {PerSecond: 50}, {PerSecond: 100}}
	ours := series{{PerSecond: 200, ServerCPU: 50}, {PerSecond: 100, ServerCPU: 70}, {PerSecond: 10, ServerCPU: 40, Statements: 0.02}}
	var r report
	r.worked(me, sqlite, ours, theirs)
	if l := r.Works[0]; l.Ratio != 2 || l.Figures.ServerCPU != 50 || !r.met() {
		t.Errorf("%+v", l)
	}
	ours[0].Errors = 1
	r.worked(me, sqlite, ours, theirs)
	if r.met() {
		t.Error("an error in one round is no miss")
	}
}

func TestTablesNameEveryWork(t *testing.T) {
	r := report{Machine: "2 cores", Load: "16 connections"}
	rounds := series{{PerSecond: 12345, P95: 1500}}
	r.worked(list, bareName, rounds, rounds)
	r.worked(list, postgres, rounds, rounds)
	r.stormed(sqlite, 1000, 4000)
	var text, markdown strings.Builder
	if err := r.text(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"list of 20", "12,345", "1.50", "≥ 0.75× bare ✓", "≤ 3× ✗"} {
		if !strings.Contains(text.String(), want) || !strings.Contains(markdown.String(), want) {
			t.Errorf("%q is missing in\n%s\n%s", want, &text, &markdown)
		}
	}
	for line := range strings.Lines(strings.TrimSuffix(strings.Split(markdown.String(), "\n\n")[1], "\n")) {
		if strings.Count(line, "|") != len(r.worksTable()[0])+1 {
			t.Errorf("a row of another length: %s", line)
		}
	}
}

func TestOurOwnProcessorTimeAndMemoryAreFound(t *testing.T) {
	for end := time.Now().Add(10 * time.Second); ; {
		got, err := cpu(os.Getpid())
		if err != nil || got > time.Hour || time.Now().After(end) {
			t.Fatalf("%v, %v", got, err)
		}
		if got >= 50*time.Millisecond {
			break
		}
	}
	now, peak, err := memory(os.Getpid())
	if err != nil || now < 1<<20 || peak < now {
		t.Errorf("%d of %d bytes, %v", now, peak, err)
	}
}

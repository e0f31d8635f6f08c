package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of times in /proc/<pid>/stat: USER_HZ, 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// stat is what /proc/<pid>/stat says about a process (proc_pid_stat(5)).
type stat struct {
	parent   int
	own      time.Duration // user and system time
	children time.Duration // the same of children that have ended
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The second field is a name in parentheses, which may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	number := func(i int) time.Duration {
		n, nerr := strconv.ParseInt(string(fields[i-3]), 10, 64) // fields begins with the third
		if nerr != nil {
			err = nerr
		}
		return time.Duration(n)
	}
	s := stat{parent: int(number(4)), own: (number(14) + number(15)) * tick, children: (number(16) + number(17)) * tick}
	return s, err
}

// cpu is the processor time of one process.
func cpu(pid int) (time.Duration, error) {
	s, err := readStat(pid)
	return s.own, err
}

// familyCPU is the processor time of a process and of all its children, the ended ones too.
func familyCPU(pid int) (time.Duration, error) {
	parent, err := readStat(pid)
	if err != nil {
		return 0, err
	}
	sum := parent.own + parent.children
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		child, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if s, err := readStat(child); err == nil && s.parent == pid { // else it has ended meanwhile
			sum += s.own
		}
	}
	return sum, nil
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// machineCPU is the processor time of all processes together, without what
// interrupts took (proc_stat(5)).
func machineCPU() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	var user, nice, system int64
	if _, err := fmt.Sscanf(string(text), "cpu %d %d %d", &user, &nice, &system); err != nil {
		return 0, fmt.Errorf("read /proc/stat: %w", err)
	}
	return time.Duration(user+nice+system) * tick, nil
}

// memory is the resident memory of a process in bytes, now and at most so far.
func memory(pid int) (now, peak int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kB, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		switch name {
		case "VmRSS":
			now, err = strconv.ParseInt(kB, 10, 64)
		case "VmHWM":
			peak, err = strconv.ParseInt(kB, 10, 64)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return now << 10, peak << 10, nil
}

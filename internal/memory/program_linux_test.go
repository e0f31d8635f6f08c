package memory

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// resident is how many kB of files the process has in memory.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Skip("this system does not tell what is in memory")
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatWasReadOnceIsGivenBack(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before := resident(t)
	GiveBack()
	if after := resident(t); after >= before {
		t.Errorf("%d kB of %s were in memory before, %d kB after", before, exe, after)
	}
}

func TestOnlyWhatNobodyCanWriteIsGivenBack(t *testing.T) {
	for line, want := range map[string]bool{
		"00400000-0155f000 r-xp 00000000 fe:00 77  /srv/my programs/tenon": true,
		"0155f000-029e7000 r--p 0115f000 fe:00 77  /srv/my programs/tenon": true,
		"029e7000-02ad5000 rw-p 025e7000 fe:00 77  /srv/my programs/tenon": false,
		"0155f000-029e7000 r--p 0115f000 fe:00 77  /srv/other":             false,
		"7f29883f0000-7f2988700000 r--p 00000000 00:00 0":                  false,
		"": false,
	} {
		if _, _, got := unchanged(line, "/srv/my programs/tenon"); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}

package geoip

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/tenonhq/tenon/internal/geoip/geoiptest"
)

func TestPlaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "city.mmdb")
	geoiptest.Write(t, path, "Vienna")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Find(netip.MustParseAddr("203.0.113.9")); got != (Place{"Austria", "Vienna"}) {
		t.Errorf("found %v", got)
	}
	for _, unknown := range []string{"198.51.100.1", "2001:db8::1", "127.0.0.1"} {
		if got := d.Find(netip.MustParseAddr(unknown)); got != (Place{}) {
			t.Errorf("%s is in %v", unknown, got)
		}
	}
	// A new edition is read; a broken one changes nothing.
	geoiptest.Write(t, path, "Graz")
	d.look.Store(0)
	if got := d.Find(netip.MustParseAddr("203.0.113.9")); got.City != "Graz" {
		t.Errorf("after a new edition: %v", got)
	}
	if err := os.WriteFile(path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.look.Store(0)
	if got := d.Find(netip.MustParseAddr("203.0.113.9")); got.City != "Graz" {
		t.Errorf("after a broken edition: %v", got)
	}
}

func TestWithoutADatabaseNothingIsKnown(t *testing.T) {
	d, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Find(netip.MustParseAddr("203.0.113.9")); got != (Place{}) {
		t.Errorf("found %v", got)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing.mmdb")); err == nil {
		t.Error("a path without a file was accepted")
	}
}

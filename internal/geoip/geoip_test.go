package geoip

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

func write(t *testing.T, path, city string) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-City", RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	_, network, err := net.ParseCIDR("203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	names := func(name string) mmdbtype.Map {
		return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name)}}
	}
	if err := tree.Insert(network, mmdbtype.Map{"country": names("Austria"), "city": names(city)}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPlaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "city.mmdb")
	write(t, path, "Vienna")
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
	write(t, path, "Graz")
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

// Package geoiptest writes small databases of places, for tests.
package geoiptest

import (
	"net"
	"os"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// Write writes a database to path in which every address of 203.0.113.0/24, a network for
// documentation (RFC 5737), is in a city of Austria.
func Write(t testing.TB, path, city string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-City", RecordSize: 24, IncludeReservedNetworks: true})
	must(err)
	_, network, err := net.ParseCIDR("203.0.113.0/24")
	must(err)
	names := func(name string) mmdbtype.Map {
		return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name)}}
	}
	must(tree.Insert(network, mmdbtype.Map{"country": names("Austria"), "city": names(city)}))
	f, err := os.Create(path)
	must(err)
	_, err = tree.WriteTo(f)
	must(err)
	must(f.Close())
}

// Package geoip says where an address is, by a MaxMind database of cities that the
// operator supplies (https://dev.maxmind.com/geoip). It owns nothing and asks nobody.
package geoip

import (
	"fmt"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Place is where an address is, as far as the database knows; in English.
type Place struct{ Country, City string }

// DB is an open database. A nil DB knows no place.
type DB struct {
	path string
	open atomic.Pointer[version]
	look atomic.Int64 // when the file is looked at again, in nanoseconds
}

// version is one edition of the file. Old ones stay open until nobody reads them:
// operators replace the file weekly.
type version struct {
	reader *maxminddb.Reader
	at     time.Time
}

// Open opens the database at path; without a path there is none.
func Open(path string) (*DB, error) {
	if path == "" {
		return nil, nil
	}
	d := &DB{path: path}
	return d, d.load()
}

func (d *DB) load() error {
	info, err := os.Stat(d.path)
	if err != nil {
		return fmt.Errorf("open the database of places: %w", err)
	}
	if v := d.open.Load(); v != nil && v.at.Equal(info.ModTime()) {
		return nil
	}
	data, err := os.ReadFile(d.path) // in memory: a file that is overwritten in place would crash a mapping
	if err != nil {
		return fmt.Errorf("open the database of places: %w", err)
	}
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return fmt.Errorf("open the database of places %s: %w", d.path, err)
	}
	d.open.Store(&version{reader, info.ModTime()})
	return nil
}

// every is how often the file is looked at for a new edition.
const every = time.Minute

// Find returns where an address is; the zero Place when that is not known.
func (d *DB) Find(a netip.Addr) (p Place) {
	if d == nil || !a.IsValid() {
		return p
	}
	d.refresh()
	var found struct {
		Country struct {
			Names map[string]string `maxminddb:"names"`
		} `maxminddb:"country"`
		City struct {
			Names map[string]string `maxminddb:"names"`
		} `maxminddb:"city"`
	}
	if err := d.open.Load().reader.Lookup(a.WithZone("")).Decode(&found); err != nil {
		return p // an edition that cannot be read knows nothing
	}
	return Place{Country: found.Country.Names["en"], City: found.City.Names["en"]}
}

// refresh loads a new edition of the file; a broken one is left alone.
func (d *DB) refresh() {
	now := time.Now().UnixNano()
	due := d.look.Load()
	if now < due || !d.look.CompareAndSwap(due, now+int64(every)) {
		return
	}
	_ = d.load() // the edition at hand goes on answering
}

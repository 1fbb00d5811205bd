// Package geo finds out where an address is, from MaxMind databases on disk.
//
// A database is read into memory, so a file that somebody truncates cannot harm the host, and is read again when
// it was replaced.
package geo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"sandbar/sandbox"
)

// DB answers from a City and an ISP database; either may be missing. Its methods may be called at the same time.
type DB struct {
	city, isp *database
	log       *slog.Logger
}

// Open reads the databases; an empty name is none.
func Open(city, isp string, log *slog.Logger) (*DB, error) {
	d := &DB{log: log}
	var err, err2 error
	d.city, err = open(city)
	d.isp, err2 = open(isp)
	return d, errors.Join(err, err2)
}

// database is one file.
type database struct {
	path   string
	reader atomic.Pointer[maxminddb.Reader]
	seen   stamp
}

// stamp tells one version of a file from another.
type stamp struct {
	size     int64
	modified time.Time
}

func open(path string) (*database, error) {
	if path == "" {
		return nil, nil
	}
	d := &database{path: path}
	return d, d.read()
}

func (d *database) read() error {
	info, err := os.Stat(d.path)
	if err != nil {
		return fmt.Errorf("open GeoIP database: %w", err)
	}
	data, err := os.ReadFile(d.path)
	if err != nil {
		return fmt.Errorf("open GeoIP database: %w", err)
	}
	r, err := maxminddb.OpenBytes(data)
	if err != nil {
		return fmt.Errorf("open GeoIP database %s: %w; is it a whole .mmdb file?", d.path, err)
	}
	d.reader.Store(r)
	d.seen = stamp{info.Size(), info.ModTime()}
	return nil
}

// Watch reads databases again that were replaced, until ctx ends. It looks every interval. A file that cannot be
// read leaves the old one in use.
func (d *DB) Watch(ctx context.Context, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, db := range []*database{d.city, d.isp} {
			if db == nil {
				continue
			}
			info, err := os.Stat(db.path)
			if err != nil || (stamp{info.Size(), info.ModTime()}) == db.seen {
				continue
			}
			if err := db.read(); err != nil {
				db.seen = stamp{info.Size(), info.ModTime()} // complain once
				d.log.Error("a GeoIP database was replaced and cannot be read; the old one stays in use", "error", err)
				continue
			}
			d.log.Info("a GeoIP database was replaced", "path", db.path)
		}
	}
}

type cityRecord struct {
	City struct {
		Names struct {
			En string `maxminddb:"en"`
		} `maxminddb:"names"`
	} `maxminddb:"city"`
	Country struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Subdivisions []struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"subdivisions"`
}

type ispRecord struct {
	ISP string `maxminddb:"isp"`
}

// Lookup implements sandbox.Geo.
func (d *DB) Lookup(addr string) (sandbox.Place, bool) {
	var place sandbox.Place
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return place, false
	}
	ip = ip.Unmap().WithZone("")
	if d.city != nil {
		var r cityRecord
		if err := d.city.reader.Load().Lookup(ip).Decode(&r); err == nil {
			place.Country, place.City = r.Country.Code, r.City.Names.En
			if len(r.Subdivisions) > 0 {
				place.Subdivision1 = r.Subdivisions[0].Code
			}
			if len(r.Subdivisions) > 1 {
				place.Subdivision2 = r.Subdivisions[1].Code
			}
		}
	}
	if d.isp != nil {
		var r ispRecord
		if err := d.isp.reader.Load().Lookup(ip).Decode(&r); err == nil {
			place.ISP = r.ISP
		}
	}
	return place, place != sandbox.Place{}
}

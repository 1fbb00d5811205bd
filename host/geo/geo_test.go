package geo

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sandbar/sandbox"
)

func data(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "geoip", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("MaxMind's test databases are not here: %v", err)
	}
	return path
}

func TestLookup(t *testing.T) {
	t.Parallel()
	d, err := Open(data(t, "GeoIP2-City-Test.mmdb"), data(t, "GeoIP2-ISP-Test.mmdb"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]sandbox.Place{
		"81.2.69.142":          {Country: "GB", City: "London", Subdivision1: "ENG"},
		"2.125.160.216":        {Country: "GB", City: "Boxford", Subdivision1: "ENG", Subdivision2: "WBK"},
		"216.160.83.56":        {Country: "US", City: "Milton", Subdivision1: "WA"},
		"::ffff:216.160.83.56": {Country: "US", City: "Milton", Subdivision1: "WA"},
		"89.160.20.112":        {Country: "SE", City: "Linköping", Subdivision1: "E", ISP: "Bredband2 AB"},
		"2001:218::1":          {Country: "JP"},
	} {
		if got, ok := d.Lookup(addr); !ok || got != want {
			got.ISP, want.ISP = "", "" // the two test databases were not made together
			if got != want {
				t.Errorf("%s: %+v %v, want %+v", addr, got, ok, want)
			}
		}
	}
	for _, addr := range []string{"", "x", "1.2.3", "127.0.0.1", "fe80::1%eth0", "203.0.113.7"} {
		if got, ok := d.Lookup(addr); ok {
			t.Errorf("%q: %+v", addr, got)
		}
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	torn := filepath.Join(t.TempDir(), "torn.mmdb")
	if err := os.WriteFile(torn, []byte("no database"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{torn, filepath.Join(t.TempDir(), "none")} {
		if _, err := Open(path, "", log); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
	d, err := Open("", "", log)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Lookup("81.2.69.142"); ok {
		t.Error("a place without a database")
	}
	// One whose records are broken opens, and its lookups fail one by one.
	b, err := Open(data(t, "GeoIP2-City-Test-Broken-Double-Format.mmdb"), "", log)
	if err != nil {
		t.Fatal(err)
	}
	b.Lookup("81.2.69.142")
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	city, isp := data(t, "GeoIP2-City-Test.mmdb"), data(t, "GeoIP2-ISP-Test.mmdb")
	path := filepath.Join(t.TempDir(), "city.mmdb")
	put := func(from string) {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+".new", text, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	put(isp) // knows no cities
	d, err := Open(path, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- d.Watch(ctx, time.Millisecond) }()
	put(city)
	deadline := time.After(10 * time.Second)
	for {
		if _, ok := d.Lookup("81.2.69.142"); ok {
			break
		}
		select {
		case <-deadline:
			t.Fatal("the new file was not read")
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func BenchmarkLookup(b *testing.B) {
	d, err := Open(data(b, "GeoIP2-City-Test.mmdb"), "", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Lookup("81.2.69.142")
	}
}

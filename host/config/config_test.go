package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the generated parts of docs/configuration.md")

func TestDefaultIsValid(t *testing.T) {
	t.Parallel()
	c := Default()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	c, err := Parse([]byte(`
data = "/var/lib/sandbar"
listen = ":443"
token = "0123456789abcdef"
namespaces = ["acme", "acme-labs"]
[edge]
max_body = 1048576
max_path = "2KiB"
trusted_proxies = ["127.0.0.1", "10.1.2.3/8", "::1"]
[tls]
certificate = "cert.pem"
key = "key.pem"
[streams]
commit_interval = "1s"
[streams.errors]
retain_age = "30d"
[landfill]
roll_size = "1.5MB"
`))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Data, want.Listen, want.Token = "/var/lib/sandbar", ":443", "0123456789abcdef"
	want.Namespaces = []string{"acme", "acme-labs"}
	want.Edge.MaxBody, want.Edge.MaxPath = 1<<20, 2<<10
	want.Edge.TrustedProxies = c.Edge.TrustedProxies // looked at below
	want.TLS = TLS{Certificate: "cert.pem", Key: "key.pem"}
	want.Streams.CommitInterval = Duration(time.Second)
	want.Streams.Errors.Age = Duration(30 * 24 * time.Hour)
	want.Landfill.Size = 1_500_000
	if d := cmp.Diff(want, c, cmpopts.EquateComparable(Network{})); d != "" {
		t.Error(d)
	}
	var proxies []string
	for _, p := range c.Edge.Prefixes() {
		proxies = append(proxies, p.String())
	}
	if d := cmp.Diff([]string{"127.0.0.1/32", "10.0.0.0/8", "::1/128"}, proxies); d != "" {
		t.Error(d)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, want string }{
		{"unknown key", "data = \"x\"\n\nlisen = \":80\"\n", "line 3: there is no key lisen"},
		{"unknown table", "[edges]\nmax_path = 1\n", "line 1: there is no key edges"},
		{"unknown key in a table", "[edge]\nmax_paths = 1\n", "line 2: there is no key edge.max_paths"},
		{"two unknown keys", "a = 1\nb = 2\n", "line 2: there is no key b"},
		{"bad size", "[edge]\nmax_body = \"10 potatoes\"\n", `"10 potatoes" is not a size`},
		{"bad size says where", "[edge]\nmax_body = \"10 potatoes\"\n", "line 2"},
		{"negative size", "[edge]\nmax_body = \"-5\"\n", `"-5" is not a size`},
		{"huge size", "[edge]\nmax_body = \"9999999TiB\"\n", "more than 8 EiB"},
		{"bad duration", "[streams]\ncommit_interval = \"soon\"\n", `"soon" is not a duration`},
		{"bad days", "[streams.raw]\nretain_age = \"1.5d\"\n", "number of days"},
		{"negative duration", "[streams]\ncommit_interval = \"-1s\"\n", "is not a duration"},
		{"bad network", "[edge]\ntrusted_proxies = [\"everybody\"]\n", `"everybody" is not an address or a network`},
		{"wrong type", "listen = 8080\n", "line 1"},
		{"no TOML", "listen = \n", "line 1"},
		{"twice", "listen = \":1\"\nlisten = \":2\"\n", "line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse([]byte(tt.file)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string // "" means valid
	}{
		{"no data", func(c *Config) { c.Data = "" }, "data is empty"},
		{"localhost", func(c *Config) { c.Listen = "localhost:0" }, ""},
		{"IPv6 loopback", func(c *Config) { c.Listen = "[::1]:8080" }, ""},
		{"no port", func(c *Config) { c.Listen = "127.0.0.1" }, "listen is"},
		{"bad port", func(c *Config) { c.Listen = "127.0.0.1:65536" }, "listen is"},
		{"everybody", func(c *Config) { c.Listen = ":8080" }, "which others can reach"},
		{"a name", func(c *Config) { c.Listen = "localhost.example.org:8080" }, "which others can reach"},
		{"everybody, insecure", func(c *Config) { c.Listen, c.Insecure = "0.0.0.0:8080", true }, ""},
		{"everybody, token", func(c *Config) { c.Listen, c.Token = "0.0.0.0:8080", "0123456789abcdef" }, ""},
		{"short token", func(c *Config) { c.Token = "secret" }, "at least 16"},
		{"half a key pair", func(c *Config) { c.TLS.Key = "key.pem" }, "belong together"},
		{"namespace", func(c *Config) { c.Namespaces = []string{"fine", "not/fine"} }, `"not/fine"`},
		{"path", func(c *Config) { c.Edge.MaxPath = 1 }, "edge.max_path is 1B"},
		{"body larger than message", func(c *Config) { c.Edge.MaxBody = 16 * MiB }, "does not fit into streams.max_message"},
		{"no memory for a body", func(c *Config) { c.Edge.MaxInFlight = MiB }, "edge.max_in_flight is 1MiB"},
		{"small segments", func(c *Config) { c.Streams.SegmentSize = 8 * MiB }, "less than one message"},
		{"commit all the time", func(c *Config) { c.Streams.CommitInterval = 0 }, "streams.commit_interval is 0s"},
		{"negative room", func(c *Config) { c.Streams.MinFree = -1 }, "streams.min_free"},
		{"endless retention", func(c *Config) { c.Streams.Raw = Retention{} }, ""},
		{"retention without a unit", func(c *Config) { c.Streams.Raw.Age = 7 }, "streams.raw.retain_age is 7ns"},
		{"retention below a segment", func(c *Config) { c.Streams.Valid.Size = 1 }, "streams.valid.retain_size"},
		{"no landfill age", func(c *Config) { c.Landfill.Age = 0 }, "landfill.roll_age"},
		{"no lake size", func(c *Config) { c.Lake.Size = 0 }, "lake.roll_size is 0;"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := Default()
			tt.change(&c)
			err := c.Validate()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "sandbar.toml")
	if err := os.WriteFile(file, []byte("hostname = \"box\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil || c.Hostname != "box" {
		t.Fatalf("Load gave hostname %q and %v", c.Hostname, err)
	}
	if _, err := Load(filepath.Join(dir, "absent.toml")); err == nil {
		t.Error("an absent file loads")
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte("#\n"), maxFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge file gives %v", err)
	}
}

// The sample with every key switched on is the default config: no key is missing or shown with another default.
func TestSampleIsTheDefault(t *testing.T) {
	t.Parallel()
	var on strings.Builder
	for line := range strings.Lines(Sample()) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(rest, " ") {
			line = rest
		}
		on.WriteString(line)
	}
	c, err := Parse([]byte(on.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, on.String())
	}
	if d := cmp.Diff(Default(), c, cmpopts.EquateComparable(Network{}), cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	for _, k := range keys() {
		if strings.HasSuffix(k.name, ".") || k.name == "" || !strings.HasSuffix(k.doc, ".") || strings.Contains(k.doc, "|") {
			t.Errorf("key %q has documentation %q", k.name, k.doc)
		}
	}
}

// docs/configuration.md holds what the struct says. go test -update writes it.
func TestDocs(t *testing.T) {
	t.Parallel()
	const file = "../../docs/configuration.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := page
	for mark, text := range map[string]string{"keys": Markdown(), "sample": "```toml\n" + Sample() + "```\n"} {
		before, rest, ok := bytes.Cut(want, []byte("<!-- generated: "+mark+" -->\n"))
		_, after, ok2 := bytes.Cut(rest, []byte("<!-- end -->\n"))
		if !ok || !ok2 {
			t.Fatalf("%s has no generated part %q", file, mark)
		}
		want = []byte(string(before) + "<!-- generated: " + mark + " -->\n" + text + "<!-- end -->\n" + string(after))
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(want), string(page)); d != "" {
		t.Errorf("%s is out of date; run go test ./host/config -run TestDocs -update\n%s", file, d)
	}
}

func TestSizeRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Size(rapid.Int64Min(0).Draw(t, "size"))
		var got Size
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Fatalf("%d is written %s, which is read as %d, %v", int64(want), want, int64(got), err)
		}
	})
}

func TestDurationRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Duration(rapid.Int64Range(0, int64(3650*24*time.Hour)).Draw(t, "duration"))
		if rapid.Bool().Draw(t, "whole minutes") {
			want -= want % Duration(time.Minute)
		}
		var got Duration
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Fatalf("%d is written %s, which is read as %d, %v", int64(want), want, int64(got), err)
		}
	})
}

// Whatever a file holds, it is a config or an error.
func FuzzParse(f *testing.F) {
	f.Add([]byte(Sample()))
	f.Add([]byte("[edge]\ntrusted_proxies = [\"::/0\"]\nmax_body = \"1e9\"\n[streams.raw]\nretain_age = \"9999999d\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			return
		}
		if c.Validate() == nil && (c.Edge.MaxBody < 0 || c.Streams.MinFree < 0 || c.Streams.Raw.Age < 0 || c.Lake.Size <= 0) {
			t.Errorf("a config with negative values is valid: %+v", c)
		}
	})
}

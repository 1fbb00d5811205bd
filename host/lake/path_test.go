package lake

import (
	"strings"
	"testing"

	"sandbar/host/bucket"
	"sandbar/host/stream"
)

func TestCleanPath(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxSegment+1)
	deep := strings.Repeat("a/", 40) + "b"
	for _, c := range []struct{ path, want string }{
		{"main/v4/submission_date_s3=20261123", "main/v4/submission_date_s3=20261123"},
		{"a", "a"},
		{"a.b/c+d", "a.b/c+d"},
		{"../../etc/passwd", "__/__/etc/passwd"},
		{"/etc/passwd", "_/etc/passwd"},
		{"a//b/", "a/_/b/_"},
		{".hidden/...", "_hidden/___"},
		{"..a/_.b", "__a/_.b"},
		{"a b\\c:d\x00e", "a_b_c_d_e"},
		{"größe", "gr____e"},
		{"x.parquet/y.heka/z.heka.zst/w.zst", "x.parquet_/y.heka_/z.heka.zst_/w.zst"},
		{long, hash(long)},
		{"a/" + long + "/b", "a/" + hash("a/"+long+"/b")},
		{deep, strings.Repeat("a/", 15) + hash(deep)},
	} {
		got, err := CleanPath(c.path)
		if err != nil || got != c.want {
			t.Errorf("CleanPath(%.50q) = %q, %v; want %q", c.path, got, err, c.want)
		}
	}
	if _, err := CleanPath(""); err == nil {
		t.Error("an empty path was accepted")
	}
}

func FuzzCleanPath(f *testing.F) {
	f.Add("a/b/c=1", "output.x", "valid")
	f.Add("../..//\x00", "", "")
	f.Add(strings.Repeat("ab/", 200), strings.Repeat("n", 300), "x")
	f.Fuzz(func(t *testing.T, path, logger, name string) {
		got, err := CleanPath(path)
		if path == "" {
			if err == nil {
				t.Fatal("an empty path was accepted")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := CleanPath(got); again != got || !isClean(got) {
			t.Fatalf("%q is clean as %q, and that as %q", path, got, again)
		}
		key := "lake/parquet/" + got + "/" + objectName(logger, []stream.Range{{Stream: name}}, "0a1b2c3d", 1<<40) + ".heka.zst"
		if logger != "" && logger[0] != '.' {
			if err := bucket.CheckKey(key); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestObjectName(t *testing.T) {
	t.Parallel()
	valid := stream.Range{Stream: "valid", To: stream.Position{Offset: 5230}}
	errors := stream.Range{Stream: "errors", From: stream.Position{Segment: 1, Offset: 2}, To: stream.Position{Segment: 3}}
	for _, c := range []struct {
		logger  string
		covered []stream.Range
		want    string
	}{
		{"output.telemetry", []stream.Range{valid}, "output.telemetry-valid_0.0-0.5230-0a1b2c3d.7"},
		{"output.telemetry", []stream.Range{valid, errors}, "output.telemetry-valid_0.0-0.5230_errors_1.2-3.0-0a1b2c3d.7"},
		{"output.t", nil, "output.t-0a1b2c3d.7"},
		{"output.t", []stream.Range{{Stream: "a/b=c ü"}}, "output.t-a_b_c___0.0-0.0-0a1b2c3d.7"},
	} {
		if got := objectName(c.logger, c.covered, "0a1b2c3d", 7); got != c.want {
			t.Errorf("name of %q, %v is %q; want %q", c.logger, c.covered, got, c.want)
		}
	}
	a := objectName("output."+strings.Repeat("n", 300), []stream.Range{valid}, "0a1b2c3d", 7)
	b := objectName("output."+strings.Repeat("n", 300), []stream.Range{errors}, "0a1b2c3d", 7)
	if len(a) > maxName || a == b {
		t.Errorf("long names are %d bytes, equal %v: %s", len(a), a == b, a)
	}
}

func TestSnake(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"docType", "doc_type"}, {"geoISP", "geo_isp"}, {"normalizedOSVersion", "normalized_os_version"},
		{"X-PingSender-Version", "x_ping_sender_version"}, {"environment.build", "environment_build"}, {"DNT", "dnt"},
		{"already_snake", "already_snake"}, {"a1B2", "a1_b2"}, {"9lives", "_9lives"}, {"", "_"}, {"größe", "gr____e"},
		{"URLPath", "url_path"}, {"sampleId", "sample_id"},
	} {
		if got := snake(c[0]); got != c[1] {
			t.Errorf("snake(%q) = %q, want %q", c[0], got, c[1])
		}
	}
	if n := snake(strings.Repeat("Ab", 500)); len(n) > 2*maxColumnName {
		t.Errorf("a long name has %d bytes", len(n))
	}
}

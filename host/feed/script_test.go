package feed

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// day is when the scripts of these tests begin.
func day() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

func script(t *testing.T, o ScriptOptions) *Script {
	t.Helper()
	o.Start = day()
	s, err := NewScript(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// play returns what is due in the first span of the script.
func play(t *testing.T, o ScriptOptions, span time.Duration) []*Submission {
	t.Helper()
	s := script(t, o)
	var all []*Submission
	for {
		sub, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if sub.At >= span {
			return all
		}
		all = append(all, sub)
	}
}

func TestScriptIsDeterministic(t *testing.T) {
	t.Parallel()
	a, b := play(t, ScriptOptions{Seed: 7}, 5*time.Second), play(t, ScriptOptions{Seed: 7}, 5*time.Second)
	if len(a) != len(b) {
		t.Fatalf("two scripts of one seed send %d and %d submissions", len(a), len(b))
	}
	for i := range a {
		if !reflect.DeepEqual(a[i], b[i]) {
			t.Fatalf("submission %d is %s or %s", i, a[i].URI, b[i].URI)
		}
	}
	c := play(t, ScriptOptions{Seed: 8}, 5*time.Second)
	if a[0].URI == c[0].URI {
		t.Error("scripts of two seeds begin with the same document id")
	}
}

func TestScriptRateAndWave(t *testing.T) {
	t.Parallel()
	const days = 6
	o := ScriptOptions{Seed: 1, Rate: 100, Day: 6 * time.Second, AnomalyAfter: -1}
	count := map[string]int{}
	var rising, falling int // main.4 in the first and second half of its days
	subs := play(t, o, days*o.Day)
	for _, s := range subs {
		count[s.Kind]++
		if s.Kind == "main.4" {
			if s.At%o.Day < o.Day/2 {
				rising++
			} else {
				falling++
			}
		}
	}
	if want := o.Rate * o.Day.Seconds() * days; math.Abs(float64(len(subs))-want) > want/25 {
		t.Errorf("%d submissions, want about %.0f", len(subs), want)
	}
	for _, k := range kinds() {
		if got := float64(count[k.String()]) / float64(len(subs)); math.Abs(got-k.share) > 0.025 {
			t.Errorf("%s is %.3f of all, want %.2f", &k, got, k.share)
		}
	}
	// The mean of a half day is 1 ± wave·2/π of the mean rate: 1.22 to 0.78 for main.4.
	if ratio := float64(rising) / float64(falling); ratio < 1.4 || ratio > 1.75 {
		t.Errorf("day to night is %.2f for main.4, want about 1.57", ratio)
	}
}

func TestScriptAnomaly(t *testing.T) {
	t.Parallel()
	// An anomaly lasts a day here, so that the wave does not hide in it.
	o := ScriptOptions{Seed: 3, Rate: 100, Invalid: -1, Day: 6 * time.Second, AnomalyAfter: 6 * time.Second, AnomalyFor: 6 * time.Second, AnomalyEvery: 18 * time.Second}
	type sum struct{ n, bytes float64 }
	usual, wrong := map[string]sum{}, map[string]sum{}
	s := script(t, o)
	for _, sub := range play(t, o, o.AnomalyAfter+2*o.AnomalyEvery) {
		at := usual
		if s.Anomalous(sub.At) {
			at = wrong
		}
		body := inflated(t, sub)
		at[sub.Kind] = sum{at[sub.Kind].n + 1, at[sub.Kind].bytes + float64(len(body))}
	}
	wrongFor := 2 * o.AnomalyFor.Seconds()
	usualFor := (o.AnomalyAfter + 2*o.AnomalyEvery).Seconds() - wrongFor
	for _, k := range kinds() {
		name := k.String()
		rate := (wrong[name].n / wrongFor) / (usual[name].n / usualFor)
		size := (wrong[name].bytes / wrong[name].n) / (usual[name].bytes / usual[name].n)
		lowRate, highRate, lowSize, highSize := 0.7, 1.35, 0.9, 1.1 // a hundred of the rarer kinds
		if name == droppedKind {
			lowRate, highRate = 0.10, 0.20
		}
		if name == grownKind {
			lowSize, highSize = 3.5, 4.5
		}
		if rate < lowRate || rate > highRate || size < lowSize || size > highSize {
			t.Errorf("in an anomaly %s comes at %.2f of its rate with %.2f of its size; want %.2f-%.2f and %.2f-%.2f", name, rate, size, lowRate, highRate, lowSize, highSize)
		}
	}
	s = script(t, ScriptOptions{})
	for at, want := range map[time.Duration]bool{0: false, 89 * time.Second: false, 90 * time.Second: true, 134 * time.Second: true, 135 * time.Second: false, 329 * time.Second: false, 330 * time.Second: true} {
		if s.Anomalous(at) != want {
			t.Errorf("anomalous at %v is %v", at, !want)
		}
	}
}

// inflated is the document, whatever its encoding.
func inflated(t *testing.T, s *Submission) []byte {
	t.Helper()
	if s.Header.Get("Content-Encoding") != "gzip" {
		return s.Body
	}
	z, err := gzip.NewReader(bytes.NewReader(s.Body))
	if err != nil {
		t.Fatalf("%s: %v", s.URI, err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("%s: %v", s.URI, err)
	}
	return body
}

func TestScriptFaults(t *testing.T) {
	t.Parallel()
	subs := play(t, ScriptOptions{Seed: 5}, 20*time.Second)
	count := map[Fault]int{}
	ids, zipped := map[string]bool{}, 0
	for _, s := range subs {
		count[s.Fault]++
		if s.Header.Get("Content-Encoding") == "gzip" {
			zipped++
		}
		again := ids[s.URI]
		ids[s.URI] = true
		if again != (s.Fault == SentTwice) {
			t.Errorf("%s was sent before: %v, but its fault is %v", s.URI, again, s.Fault)
		}
		if s.Fault == BadGzip {
			z, err := gzip.NewReader(bytes.NewReader(s.Body))
			if err == nil {
				_, err = io.ReadAll(z)
			}
			if err == nil {
				t.Error("bad gzip inflates")
			}
			continue
		}
		if valid, want := json.Valid(inflated(t, s)), s.Fault != BrokenJSON; s.Fault != BadUTF8 && valid != want {
			t.Errorf("%s with fault %v: valid JSON is %v", s.URI, s.Fault, valid)
		}
	}
	bad := len(subs) - count[None]
	if part := float64(bad) / float64(len(subs)); part < 0.015 || part > 0.045 {
		t.Errorf("%.3f of all have a fault, want about 0.03", part)
	}
	for f := BrokenJSON; f <= SentTwice; f++ {
		if count[f] == 0 {
			t.Errorf("fault %v never happened in %d submissions", f, len(subs))
		}
	}
	if part := float64(zipped) / float64(len(subs)); part < 0.45 || part > 0.55 {
		t.Errorf("%.2f of all are compressed, want about half", part)
	}
}

// uriForm is what the edge takes.
var uriForm = regexp.MustCompile(`^/submit/(?:telemetry/([0-9a-f-]{36})/([a-z]+)/Firefox/[^/?]+/[^/?]+/\d{14}\?v=4|(shop|sensors)/([a-z]+)/1/([0-9a-f-]{36}))$`)

func TestScriptDocumentsAgreeWithTheirURI(t *testing.T) {
	t.Parallel()
	spellings := map[string]bool{}
	for _, s := range play(t, ScriptOptions{Seed: 2, Invalid: -1}, 5*time.Second) {
		m := uriForm.FindStringSubmatch(s.URI)
		if m == nil {
			t.Fatalf("URI %s", s.URI)
		}
		var d struct {
			ID, Type, ClientID, CreationDate string
			Version                          int
			Application                      struct{ Name, Version, Channel, BuildID string }
			Environment                      struct {
				System struct{ OS struct{ Name string } }
			}
		}
		if err := json.Unmarshal(inflated(t, s), &d); err != nil {
			t.Fatal(err)
		}
		if d.ID != m[1]+m[5] || d.Type != m[2]+m[4] || d.ClientID == "" || d.CreationDate == "" || d.Version == 0 {
			t.Errorf("%s holds %+v", s.URI, d)
		}
		app := "/Firefox/" + url.PathEscape(d.Application.Version) + "/" + d.Application.Channel + "/" + d.Application.BuildID
		if m[1] != "" && !strings.Contains(s.URI, app) {
			t.Errorf("%s is of application %+v", s.URI, d.Application)
		}
		spellings[d.Environment.System.OS.Name] = true
	}
	if len(spellings) < 7 {
		t.Errorf("only these spellings of systems: %v", slices.Sorted(maps.Keys(spellings)))
	}
}

// shippedSchemas is where the schemas of the demo lie, mozillaSchemas where real ones for telemetry may.
const (
	shippedSchemas = "../../schemas/shipped"
	mozillaSchemas = "../../../shared/data/mozilla/schemas"
)

func TestDocumentsAndSchemas(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"shipped": shippedSchemas, "mozilla": mozillaSchemas} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(dir); err != nil {
				t.Skipf("no schemas there: %v", err)
			}
			judge(t, dir, dir == shippedSchemas)
		})
	}
}

// judge validates what the script sends against the schemas of a folder. Good documents must pass, those with
// a fault that a schema sees must not.
func judge(t *testing.T, dir string, complete bool) {
	schemas := map[string]*jsonschema.Schema{}
	for _, k := range kinds() {
		file := filepath.Join(dir, k.namespace, k.docType, k.String()+".schema.json")
		if _, err := os.Stat(file); err != nil {
			if complete {
				t.Errorf("the demo sends %s/%s without a schema: %v", k.namespace, &k, err)
			}
			continue
		}
		s, err := jsonschema.NewCompiler().Compile(file)
		if err != nil {
			t.Fatal(err)
		}
		schemas[k.String()] = s
	}
	judged := 0
	for _, s := range play(t, ScriptOptions{Seed: 11, Invalid: 0.3, AnomalyAfter: time.Second}, 4*time.Second) {
		schema := schemas[s.Kind]
		if schema == nil || !slices.Contains([]Fault{None, SentTwice, Missing, WrongType}, s.Fault) {
			continue
		}
		d, err := jsonschema.UnmarshalJSON(bytes.NewReader(inflated(t, s)))
		if err != nil {
			t.Fatal(err)
		}
		judged++
		err = schema.Validate(d)
		if good := s.Fault == None || s.Fault == SentTwice; good != (err == nil) {
			t.Fatalf("%s with fault %v: %v", s.Kind, s.Fault, err)
		}
	}
	if judged < 200 {
		t.Errorf("only %d documents were judged", judged)
	}
}

func TestNewScriptRefuses(t *testing.T) {
	t.Parallel()
	for _, o := range []ScriptOptions{{Rate: -1}, {Day: -1}, {Invalid: 2}, {AnomalyFor: time.Hour}, {People: -1}} {
		if _, err := NewScript(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func BenchmarkScript(b *testing.B) {
	s, err := NewScript(ScriptOptions{Start: day(), Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		sub, err := s.Next()
		if err != nil {
			b.Fatal(err)
		}
		size += len(sub.Body)
	}
	b.ReportMetric(float64(size)/float64(b.N), "body-B/op")
}

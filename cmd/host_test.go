package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"sandbar/host/runner"
	"sandbar/sandbox/message"
)

func mozilla(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "shared", "data", "mozilla"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real schemas and pings are not here: %v", err)
	}
	return dir
}

// TestRealPings sends every real ping over HTTP: each gets the verdict in its name, and lands in the lake.
func TestRealPings(t *testing.T) {
	t.Parallel()
	dir := mozilla(t)
	want := map[string]int{}
	filepath.WalkDir(filepath.Join(dir, "pings"), func(path string, _ os.DirEntry, err error) error {
		if parts := strings.Split(path, "."); len(parts) > 3 && parts[len(parts)-1] == "json" {
			want[parts[len(parts)-2]]++
		}
		return err
	})
	data := t.TempDir()
	p := start(t, data, "serve", "--schemas", filepath.Join(dir, "schemas"))
	out, errs, code := call("send", filepath.Join(dir, "pings"), "--to", p.url)
	if all := want["pass"] + want["fail"]; code != 0 || !strings.Contains(out, fmt.Sprintf("%d answered 200", all)) {
		t.Fatalf("send: %d %s%s, want %d", code, out, errs, all)
	}
	p.settled()
	p.stop()
	valid, refused := messages(t, data, "valid"), messages(t, data, "errors")
	if len(valid) != want["pass"] || len(refused) != want["fail"] {
		t.Errorf("%d valid and %d refused, want %v", len(valid), len(refused), want)
	}
	for _, v := range refused {
		if header(&v, message.Type) != "telemetry.error" && header(&v, message.Type) != "error" || field(&v, "content") == "" ||
			field(&v, "DecodeErrorType") != "schema" && field(&v, "DecodeErrorType") != "version" {
			t.Errorf("refused as %s: %s %s", header(&v, message.Type), field(&v, "DecodeErrorType"), field(&v, "DecodeError"))
		}
	}
	heka := 0
	filepath.WalkDir(filepath.Join(data, "bucket", "lake", "heka"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			heka += len(fileMessages(t, path))
		}
		return err
	})
	if heka != len(valid) {
		t.Errorf("%d messages in Heka files, %d are valid", heka, len(valid))
	}
}

// TestKilled kills the process 20 times under load: every answered submission is on valid or errors, and in the
// lake, exactly once.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills := 40
	if testing.Short() {
		kills = 3
	}
	data := t.TempDir()
	var mu sync.Mutex
	answered, next := map[string]bool{}, 0
	take := func() (string, int) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return docID(next), next
	}
	for kill := range kills {
		p := start(t, data, "serve")
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for range 6 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for {
					select {
					case <-stop:
						return
					default:
					}
					id, n := take()
					body := reading(id)
					if n%5 == 0 {
						body = []byte(`{"version":1}`) // is refused by its schema
					}
					if p.post("/submit/sensors/reading/1/"+id, body) == 200 {
						mu.Lock()
						answered[id] = true
						mu.Unlock()
					}
				}
			}()
		}
		enough := time.Duration(100+(kill*137)%900) * time.Millisecond
		<-time.After(enough)
		p.kill()
		close(stop)
		wg.Wait()
	}
	p := start(t, data, "serve")
	p.settled()
	p.stop()
	seen := map[string]int{}
	for _, stream := range []string{"valid", "errors"} {
		for _, v := range messages(t, data, stream) {
			seen[field(&v, "documentId")]++
		}
	}
	t.Logf("%d kills, %d submissions sent, %d answered, %d on the streams", kills, next, len(answered), len(seen))
	wantOnce(t, answered, seen)
	valid := map[string]int{}
	for _, v := range messages(t, data, "valid") {
		valid[field(&v, "documentId")]++
	}
	if found := inLake(t, filepath.Join(data, "bucket", "lake", "heka")); !maps.Equal(valid, found) {
		t.Errorf("%d documents are valid, %d are in the lake, not the same ones or not as often", len(valid), len(found))
	}
}

// python runs a script with a module that CI installs.
func python(t testing.TB, module, script string) string {
	t.Helper()
	if out, err := exec.Command("python3", "-c", "import "+module).CombinedOutput(); err != nil {
		t.Skipf("python3 with %s is not here: %v %.200s", module, err, out)
	}
	cmd := exec.Command("python3", "-c", script)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", module, err, errs.String())
	}
	return string(out)
}

// readers count the documents in the lake by type, add up the temperatures of the readings, and tell how many days there
// are, in which year, and what the smallest and the largest uuid look like: as many programs as an analyst may come with.
var readers = map[string]string{
	"duckdb": `
import duckdb
def ask(what, where="/*/*/*/*.parquet"): return duckdb.sql("select " + what.replace("FROM", "from read_parquet('" + root + where + "', union_by_name=true, hive_partitioning=true)")).fetchall()
rows = ask("doc_type, count(*) FROM group by 1")
total = ask("sum(payload_temperature) FROM", "/sensors_reading/v1/*/*.parquet")[0][0]
days = ask("count(distinct submission_date_s3) FROM")[0][0]
year = ask("min(year(timestamp)) FROM")[0][0]
uuid = ask("min(uuid), max(uuid) FROM")[0]
`,
	"pyarrow": `
import pyarrow.dataset as ds, pyarrow.compute as pc, glob, collections
rows, days, uuids, years, total = collections.Counter(), set(), [], [], 0
for table in glob.glob(root + "/*/*"):
    t = ds.dataset(table, format="parquet", partitioning="hive").to_table()
    rows.update(t["doc_type"].to_pylist())
    days |= set(t["submission_date_s3"].to_pylist())
    uuids += [pc.min(t["uuid"]).as_py(), pc.max(t["uuid"]).as_py()]
    years.append(pc.min(pc.year(t["timestamp"])).as_py())
    if "sensors_reading/v1" in table: total = pc.sum(t["payload_temperature"]).as_py()
days, year, uuid = len(days), min(years), (min(uuids), max(uuids))
`,
	"pyspark": `
from pyspark.sql import SparkSession, functions as f
import glob, collections
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
rows, days, uuids, years, total = collections.Counter(), set(), [], [], 0
for table in glob.glob(root + "/*/*"):
    t = spark.read.option("mergeSchema", "true").parquet(table)
    for r in t.groupBy("doc_type").count().collect(): rows[r[0]] += r[1]
    days |= {str(r[0]) for r in t.select("submission_date_s3").distinct().collect()}
    low, high, year = t.select(f.min("uuid"), f.max("uuid"), f.min(f.year("timestamp"))).collect()[0]
    uuids += [low, high]
    years.append(year)
    if "sensors_reading/v1" in table: total = t.select(f.sum("payload_temperature")).collect()[0][0]
days, year, uuid = len(days), min(years), (min(uuids), max(uuids))
spark.stop()
`,
}

// TestLakeReaders reads the Parquet files with other programs and compares with the streams.
func TestLakeReaders(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := start(t, data, "demo", "--rate", "300")
	until(t, 60*time.Second, "a thousand documents", func() bool { return p.plugins()["output.parquet"].Stats.Matched > 1000 })
	p.stop()
	p = start(t, data, "serve") // what the outputs had not read yet
	p.settled()
	p.stop()
	type answer struct {
		Rows map[string]int
		Sum  float64
		Days int
		Year int
		UUID [2]string
	}
	want := answer{Rows: map[string]int{}, Year: time.Now().UTC().Year(), UUID: [2]string{"~", ""}}
	for _, v := range messages(t, data, "valid") {
		if header(&v, message.Type) == "telemetry" || header(&v, message.Type) == "validated" {
			want.Rows[field(&v, "docType")]++
			id, err := uuid.FromBytes(v.UUID())
			if err != nil {
				t.Fatal(err)
			}
			want.UUID = [2]string{min(want.UUID[0], id.String()), max(want.UUID[1], id.String())}
		}
		if field(&v, "docType") == "reading" {
			var doc struct {
				Payload struct{ Temperature float64 }
			}
			if err := json.Unmarshal([]byte(field(&v, "submission")), &doc); err != nil {
				t.Fatal(err)
			}
			want.Sum += doc.Payload.Temperature
		}
	}
	for module, script := range readers {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			out := python(t, module, fmt.Sprintf("import json\nroot = %q\n%s\nprint(json.dumps({'rows': dict(rows), 'sum': total, 'days': days, 'year': year, 'uuid': uuid}))",
				filepath.Join(data, "bucket", "lake", "parquet"), script))
			var got answer
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got.Days < 1 || math.Abs(got.Sum-want.Sum) > 1e-6 {
				t.Errorf("%d days, a sum of %v, want %v", got.Days, got.Sum, want.Sum)
			}
			got.Days, got.Sum = 0, want.Sum
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the streams have (-), %s reads (+):\n%s", module, diff)
			}
			t.Logf("rows by document type: %v", got.Rows)
		})
	}
}

// TestPluginCommands drives a host from the command line, with plugins that are wrong in every way.
func TestPluginCommands(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	dir := filepath.Join(t.TempDir(), "analysis")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	deploy := func(name, cfg, source string, more ...string) (string, int) {
		t.Helper()
		path := filepath.Join(dir, name+".cfg")
		os.WriteFile(path, []byte("filename = '"+name+".lua'\n"+cfg), 0o644)
		os.WriteFile(filepath.Join(dir, name+".lua"), []byte(source), 0o644)
		out, errs, code := call(append([]string{"plugin", "--to", p.url, "deploy", path}, more...)...)
		return out + errs, code
	}
	const counter = `function process_message() print("saw one") return 0 end function timer_event() end`
	if out, code := deploy("good", "message_matcher = 'TRUE'", counter); code != 0 || !strings.Contains(out, "analysis.good is running") {
		t.Fatalf("deploy: %d %s", code, out)
	}
	for _, c := range []struct{ name, cfg, source, want string }{
		{"good", "message_matcher = 'TRUE'", counter, "exists"},
		{"syntax", "message_matcher = 'TRUE'", "x = 1\ny = = 2", "line 2"},
		{"matcher", "message_matcher = 'Type =='", counter, "column"},
		{"nomatcher", "", counter, "message_matcher"},
		{"loop", "message_matcher = 'TRUE' while true do end", counter, "instruction_limit"},
		{"noload", "message_matcher = 'TRUE'", "while true do end", "instruction_limit"},
		{"misspelt", "message_matcher = 'TRUE'", "x = 1\nx = = 2", "misspelt.lua: line 2:"},
		{"matcher", "message_matcher = 'Type'", counter, "matcher.cfg: "},
		{"nofunction", "message_matcher = 'TRUE'", "x = 1", "process_message"},
		{"limit", "message_matcher = 'TRUE' memory_limit = -1", counter, "memory_limit"},
	} {
		if out, code := deploy(c.name, c.cfg, c.source); code != 1 || !strings.Contains(out, c.want) {
			t.Errorf("%s: %d %s, want %s", c.name, code, out, c.want)
		}
	}
	for _, c := range []struct{ name, source, outcome string }{
		{"text", `function process_message() return "0" end function timer_event() end`, "bad_return"},
		{"never", `function process_message() while true do end end function timer_event() end`, "fuel_exhausted"},
		{"fails", `function process_message() local x; return x.y end function timer_event() end`, "runtime_error"},
	} {
		if out, code := deploy(c.name, "message_matcher = 'TRUE'", c.source); code != 0 {
			t.Errorf("%s: %s", c.name, out)
		}
	}
	if got := p.post("/submit/sensors/reading/1/"+docID(1), reading(docID(1))); got != 200 {
		t.Fatalf("the edge answered %d", got)
	}
	until(t, 20*time.Second, "the plugins to end", func() bool {
		s := p.plugins()
		return s["analysis.good"].Stats.Matched == 1 && s["analysis.text"].Outcome == "bad_return" && s["analysis.never"].Outcome == "fuel_exhausted" &&
			s["analysis.fails"].Outcome == "runtime_error" && s["analysis.fails"].Line == 1
	})
	steps := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"list"}, 0, "analysis.never"},
		{[]string{"logs", "analysis.good"}, 0, "saw one"},
		{[]string{"logs", "-n", "1", "analysis.good"}, 0, "saw one"},
		{[]string{"list"}, 0, " KiB"},
		{[]string{"stop", "good"}, 0, "analysis.good is stopped"},
		{[]string{"list"}, 0, "stopped"},
		{[]string{"start", "analysis.good"}, 0, "is started"},
		{[]string{"remove", "analysis.never", "analysis.text"}, 0, "analysis.text is removed"},
		{[]string{"remove", "analysis.never"}, 1, "no"},
		{[]string{"stop", "nothing"}, 1, "no"},
	}
	for _, s := range steps {
		out, errs, code := call(append([]string{"plugin", "--to", p.url}, s.args...)...)
		if code != s.code || !strings.Contains(out+errs, s.want) {
			t.Errorf("plugin %v: %d %s%s", s.args, code, out, errs)
		}
	}
	if out, code := deploy("good", "message_matcher = 'FALSE'", counter, "--replace"); code != 0 {
		t.Errorf("replace: %s", out)
	}
	p.stop()
	// Those that ended stay so, with their reason; the others run again.
	p = start(t, p.data, "serve")
	s := p.plugins()
	if s["analysis.good"].State != runner.Running || s["analysis.fails"].State != runner.Terminated || s["analysis.fails"].Outcome != "runtime_error" {
		t.Errorf("after a restart: %+v", s)
	}
	if _, there := s["analysis.never"]; there {
		t.Error("a removed plugin is back")
	}
	p.stop()
}

// TestBadInput: each is answered, and is an error with its cause, or is refused; nothing is lost.
func TestBadInput(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	big := append([]byte(`{"a":"`), make([]byte, 9<<20)...)
	for i := 6; i < len(big); i++ {
		big[i] = 'x'
	}
	big = append(big, `"}`...)
	cases := []struct {
		path, body string
		status     int
		cause      string // DecodeErrorType
		detail     string // in DecodeError
	}{
		{"/submit/sensors/reading/1/" + docID(1), "{\"a\":\"\xff\"}", 200, "json", "UTF-8"},
		{"/submit/sensors/reading/1/" + docID(2), strings.Repeat("[", 100) + strings.Repeat("]", 100), 200, "json", "nested"},
		{"/submit/sensors/reading/1/" + docID(3), string(big), 200, "schema", "missing"},
		{"/submit/sensors/reading/1/" + docID(4), string(bomb(t, 200<<20)), 200, "json", "too large"},
		{"/submit/sensors/reading/1/" + docID(5), "", 200, "json", "JSON"},
		{"/submit/sensors/unknown/1/" + docID(6), "{}", 200, "schema", "no such schema"},
		{"/submit/sensors/reading/99/" + docID(7), "{}", 200, "schema", "no such schema"},
		{"/submit/nothing/reading/1/" + docID(8), "{}", 404, "", ""},
		{"/submit/sensors/reading/1/" + docID(9), strings.Repeat(" ", 11<<20), 413, "", ""},
		{"/submit/sensors/" + strings.Repeat("x", 5000), "{}", 414, "", ""},
		{"/submit/telemetry/" + docID(10) + "/main/Firefox/1/release/2?v=4", "{}", 200, "version", "no version"},
		{"/submit/telemetry/" + docID(11) + "/main/Firefox/1/release/2", "{}", 400, "", ""},
	}
	want := map[string]string{}
	for _, c := range cases {
		if got := p.post(c.path, []byte(c.body)); got != c.status {
			if c.status == 400 && got == 404 { // v=4 is compulsory; either code says so
				continue
			}
			t.Errorf("%.60s: answered %d, want %d", c.path, got, c.status)
		}
		if c.cause != "" {
			path, _, _ := strings.Cut(c.path, "?")
			want[path] = c.cause + "|" + c.detail
		}
	}
	p.settled()
	p.stop()
	for _, v := range messages(t, p.data, "errors") {
		cause, detail, known := strings.Cut(want[field(&v, "uri")], "|")
		if !known || field(&v, "DecodeErrorType") != cause || !strings.Contains(field(&v, "DecodeError"), detail) {
			t.Errorf("%s: %s: %s, want %s with %s", field(&v, "uri"), field(&v, "DecodeErrorType"), field(&v, "DecodeError"), cause, detail)
		}
		delete(want, field(&v, "uri"))
	}
	if len(want) > 0 {
		t.Errorf("not on stream errors: %v", want)
	}
	if n := len(messages(t, p.data, "valid")); n > 0 {
		t.Errorf("%d are valid", n)
	}
}

// TestFullDisk: with no room left the edge refuses, says so, and the host lives on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	config := filepath.Join(t.TempDir(), "sandbar.toml")
	if err := os.WriteFile(config, []byte("[streams]\nmin_free = \"900TiB\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, data, "serve", "--config", config)
	if got := p.post("/submit/sensors/reading/1/"+docID(1), reading(docID(1))); got != 500 {
		t.Errorf("the edge answered %d", got)
	}
	if got := status(t, p.url); got != 500 { // a load balancer sends submissions elsewhere
		t.Errorf("/status answered %d", got)
	}
	p.plugins() // the host lives
	p.kill()
	p = start(t, data, "serve")
	if got := p.post("/submit/sensors/reading/1/"+docID(1), reading(docID(1))); got != 200 {
		t.Errorf("with room the edge answered %d", got)
	}
	p.settled()
	p.stop()
	if n := len(messages(t, data, "valid")); n != 1 {
		t.Errorf("%d are valid", n)
	}
}

func status(t *testing.T, url string) int {
	t.Helper()
	res, err := http.Get(url + "/status")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func TestOnlyOneHost(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	_, errs, code := call("serve", "--data", p.data, "--listen", "127.0.0.1:0")
	if code != 1 || !strings.Contains(errs, "lock") && !strings.Contains(errs, "another") {
		t.Errorf("a second host: %d %s", code, errs)
	}
	_, errs, code = call("serve", "--data", t.TempDir(), "--listen", "0.0.0.0:0")
	if code != 1 || !strings.Contains(errs, "token") {
		t.Errorf("an open address without a token: %d %s", code, errs)
	}
	if got := status(t, p.url); got != 200 {
		t.Errorf("/status answered %d", got)
	}
	if out, _, code := call("status", "--to", p.url); code != 0 || out != "OK\n" {
		t.Errorf("status: %d %s", code, out)
	}
	p.stop()
}

package cmd

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbar/plugins"
	"sandbar/sandbox/message"
)

// bomb is n zero bytes, compressed.
func bomb(t testing.TB, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	block := make([]byte, 1<<20)
	for range n >> 20 {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	return out.Bytes()
}

// input is a file of n framed messages, two thirds of them of Type "a".
func input(t testing.TB, n int) string {
	t.Helper()
	var out []byte
	for i := range n {
		var b message.Builder
		uuid := message.NewUUID(1, uint64(i))
		b.SetUUID(uuid[:])
		b.SetTimestamp(1_700_000_000_000_000_000 + int64(i)*1e9)
		b.SetHeader(message.Type, string("aab"[i%3]))
		b.AddInt("n", "", int64(i))
		out = message.AppendFrame(out, b.AppendTo(nil))
	}
	path := filepath.Join(t.TempDir(), "in.heka")
	if err := os.WriteFile(path, out, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// folder is a Hindsight-style directory of analysis plugins: name → config and source.
func folder(t testing.TB, plugins map[string][2]string) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "analysis")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, p := range plugins {
		os.WriteFile(filepath.Join(dir, name+".cfg"), []byte("filename = '"+name+".lua'\n"+p[0]), 0o644)
		os.WriteFile(filepath.Join(dir, name+".lua"), []byte(p[1]), 0o644)
	}
	return root
}

const summing = `n = 0
	function process_message() n = n + read_message("Fields[n]") return 0 end
	function timer_event(ns, shutdown) inject_payload("txt", shutdown and "last" or "tick", n) end`

func TestRun(t *testing.T) {
	t.Parallel()
	in := input(t, 300)
	out := t.TempDir()
	dir := folder(t, map[string][2]string{
		"sum":  {"message_matcher = \"Type == 'a'\" ticker_interval = 60", summing},
		"none": {"message_matcher = 'FALSE'", summing},
	})
	stdout, errs, code := call("run", "--plugins", dir, "--input", in, "--output", out)
	if code != 0 {
		t.Fatalf("run: %d %s%s", code, stdout, errs)
	}
	for _, want := range []string{"analysis.sum", "300      200", "300 messages"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("run printed\n%s\nwant %q", stdout, want)
		}
	}
	var last []string
	for _, v := range fileMessages(t, filepath.Join(out, "derived", "0.log")) {
		if field(&v, "payload_name") == "last" {
			last = append(last, header(&v, message.Logger)+"="+header(&v, message.Payload))
		}
	}
	sum := 0
	for i := range 300 {
		if i%3 < 2 {
			sum += i
		}
	}
	if got := strings.Join(last, " "); !strings.Contains(got, "analysis.sum=29800") || sum != 29800 {
		t.Errorf("the last timer events made %s, the sum is %d", got, sum)
	}
	bad := folder(t, map[string][2]string{"bad": {"message_matcher = 'TRUE'", "function process_message() error('no') end"}})
	stdout, _, code = call("run", "--plugins", bad, "--input", in)
	if code != 1 || !strings.Contains(stdout, "runtime_error") || !strings.Contains(stdout, "line 1") {
		t.Errorf("a failing plugin: %d %s", code, stdout)
	}
}

// shipped is how many plugins come with the program.
func shipped(t *testing.T) int {
	t.Helper()
	defs, err := plugins.Read(plugins.Shipped())
	if err != nil {
		t.Fatal(err)
	}
	return len(defs)
}

func TestTest(t *testing.T) {
	t.Parallel()
	good := folder(t, map[string][2]string{"good": {"message_matcher = \"Type == 'a'\"", summing}})
	if out, errs, code := call("test", good, "--input", input(t, 9)); code != 0 || !strings.Contains(out, "6 of 9 messages matched") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if out, errs, code := call("test", filepath.Join("..", "plugins")); code != 0 || strings.Count(out, "ok ") != shipped(t) {
		t.Errorf("the shipped plugins: %d %s%s", code, out, errs)
	}
	odd := folder(t, map[string][2]string{"odd": {"message_matcher = \"Type == 'a' && (Pid == 1) || Severity == 2\"", summing}})
	if out, _, _ := call("test", odd); !strings.Contains(out, "warn") {
		t.Errorf("no warning for what Hindsight reads differently: %s", out)
	}
	slips := folder(t, map[string][2]string{"slips": {"message_matcher = 'TRUE'\nticker_interval = 2\nmemory_limitt = 1", "function process_message() return 0 end"}})
	if out, _, code := call("test", slips); code != 0 || !strings.Contains(out, "did you mean memory_limit?") || !strings.Contains(out, "no function timer_event") {
		t.Errorf("no warning for a misspelt key and a timer that is not there: %d %s", code, out)
	}
	if out, _, code := call("test", folder(t, map[string][2]string{"empty": {"message_matcher = 'TRUE'", " \n"}})); code != 1 || !strings.Contains(out, "the source is empty") {
		t.Errorf("an empty source: %d %s", code, out)
	}
	for _, p := range [][2]string{{"message_matcher = 'TRUE'", "x ="}, {"message_matcher = 'Type'", summing}, {"x = ", summing}} {
		if out, _, code := call("test", folder(t, map[string][2]string{"bad": p})); code != 1 || !strings.Contains(out, "FAIL analysis.bad") {
			t.Errorf("%v: %d %s", p, code, out)
		}
	}
	if _, _, code := call("test", t.TempDir()); code != 1 {
		t.Error("an empty folder is fine")
	}
}

func TestCat(t *testing.T) {
	t.Parallel()
	in := input(t, 30)
	for _, c := range []struct {
		args  []string
		lines int
		want  string
	}{
		{[]string{"-o", "json"}, 30, `"n"`},
		{[]string{"-o", "json", "-m", "Type == 'b'"}, 10, `"Type":"b"`},
		{[]string{"-o", "json", "-n", "3"}, 3, ""},
	} {
		out, errs, code := call(append(append([]string{"cat"}, c.args...), in)...)
		if code != 0 || strings.Count(out, "\n") != c.lines || !strings.Contains(out, c.want) {
			t.Errorf("cat %v: %d, %d lines %s", c.args, code, strings.Count(out, "\n"), errs)
		}
	}
	out, _, _ := call("cat", "-o", "framed", "-m", "Type == 'b'", in)
	again := filepath.Join(t.TempDir(), "again.heka")
	os.WriteFile(again, []byte(out), 0o644)
	if n := len(fileMessages(t, again)); n != 10 {
		t.Errorf("framed: %d messages", n)
	}
	if out, _, code := call("cat", in); code != 0 || !strings.Contains(out, "Type: a") && !strings.Contains(out, "a") {
		t.Errorf("text: %d %.300s", code, out)
	}
	if _, errs, code := call("cat", "-m", "Type ==", in); code != 1 || !strings.Contains(errs, "column") {
		t.Errorf("a bad matcher: %d %s", code, errs)
	}
	if _, _, code := call("cat", filepath.Join(t.TempDir(), "none")); code == 0 {
		t.Error("a file that is not there")
	}
}

// TestReplay puts what landfill kept through the host again.
func TestReplay(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "serve")
	for n := range 25 {
		if got := p.post("/submit/sensors/reading/1/"+docID(n), reading(docID(n))); got != 200 {
			t.Fatalf("answered %d", got)
		}
	}
	p.settled()
	p.stop()
	files, err := filepath.Glob(filepath.Join(p.data, "bucket", "landfill", "*", "*.heka.zst"))
	if err != nil || len(files) == 0 {
		t.Fatalf("landfill: %v %v", files, err)
	}
	fresh := t.TempDir()
	out, errs, code := call(append([]string{"replay", "--data", fresh}, files...)...)
	if code != 0 || !strings.Contains(out, "25 messages were appended") {
		t.Fatalf("replay: %d %s%s", code, out, errs)
	}
	p = start(t, fresh, "serve")
	p.settled()
	p.stop()
	if n := len(messages(t, fresh, "valid")); n != 25 {
		t.Errorf("%d are valid after a replay", n)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"nothing"}, {"serve", "--nothing"}, {"run"}} {
		if _, errs, code := call(args...); code == 0 || errs == "" {
			t.Errorf("%v: %d %q", args, code, errs)
		}
	}
	if out, _, code := call("--help"); code != 0 || !strings.Contains(out, "demo") {
		t.Errorf("--help: %d %s", code, out)
	}
}

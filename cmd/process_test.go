package cmd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sandbar/host/runner"
	"sandbar/sandbox/message"
)

// TestMain lets the test binary be the program: the tests run real processes.
func TestMain(m *testing.M) {
	if os.Getenv("SANDBAR_TEST_MAIN") != "" {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// command is the program with arguments.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "SANDBAR_TEST_MAIN=1")
	return cmd
}

// call runs a command to its end.
func call(args ...string) (stdout, stderr string, code int) {
	cmd := command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	code = cmd.ProcessState.ExitCode()
	if err != nil && code < 0 {
		return out.String(), err.Error(), code
	}
	return out.String(), errs.String(), code
}

// process is a running host.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	url  string
	data string
	done chan error

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// start runs serve or demo on a free port and waits until it says where.
func start(t testing.TB, data string, args ...string) *process {
	t.Helper()
	return startWith(t, nil, data, args...)
}

// startWith is start with more in the environment.
func startWith(t testing.TB, env []string, data string, args ...string) *process {
	t.Helper()
	p := &process{t: t, data: data, done: make(chan error, 1)}
	if !slices.Contains(args, "--listen") {
		args = append(args, "--listen", "127.0.0.1:0")
	}
	p.cmd = command(append(args, "--data", data)...)
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stderr = p
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	go func() {
		io.Copy(p, lines)
		p.done <- p.cmd.Wait()
	}()
	_, rest, ok := strings.Cut(line, " at ") // it runs there, or takes submissions
	if err != nil || !ok {
		t.Fatalf("the host did not start: %q %v\n%s", line, err, p.logged())
	}
	p.url, _, _ = strings.Cut(rest, " ")
	return p
}

// stop ends the host as Ctrl-C does and waits for it.
func (p *process) stop() {
	p.t.Helper()
	p.cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-p.done:
		if err != nil {
			p.t.Errorf("the host ended with %v\n%s", err, p.logged())
		}
	case <-time.After(60 * time.Second):
		p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.done
		p.t.Fatalf("the host did not stop\n%s", p.logged())
	}
}

// kill ends the host as a power cut does.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// get reads an answer of the API.
func (p *process) get(path string, out any) {
	p.t.Helper()
	res, err := http.Get(p.url + "/api/v1" + path)
	if err != nil {
		p.t.Fatal(err, p.ending())
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 || json.Unmarshal(text, out) != nil {
		p.t.Fatalf("GET %s: %s %v %.300s", path, res.Status, err, text)
	}
}

// ending is the last that a host said, for a test that found it gone.
func (p *process) ending() string {
	said := p.logged()
	return "; the host said: " + said[max(0, len(said)-4000):]
}

func (p *process) plugins() map[string]runner.Status {
	p.t.Helper()
	var list []runner.Status
	p.get("/plugins", &list)
	out := map[string]runner.Status{}
	for _, s := range list {
		out[s.Name] = s
	}
	return out
}

// post sends a submission and returns the status of the answer, 0 when there was none.
func (p *process) post(path string, body []byte) int {
	res, err := http.Post(p.url+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0
	}
	return res.StatusCode
}

// until waits for something that has to come.
func until(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// settled waits until plugins have read everything that came in.
func (p *process) settled() {
	p.t.Helper()
	calm := 0
	until(p.t, 120*time.Second, "the plugins to read everything", func() bool {
		calm++
		for _, s := range p.plugins() {
			if s.State == runner.Running && s.LagBytes > 0 {
				calm = 0
			}
		}
		return calm >= 5
	})
}

// messages reads all segments of a stream.
func messages(t testing.TB, data, stream string) []message.View {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(data, "streams", stream, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return fileMessages(t, names...)
}

func fileMessages(t testing.TB, names ...string) []message.View {
	t.Helper()
	var out []message.View
	src := &files{names: names, max: message.MaxSize}
	defer src.Close()
	for {
		m, err := src.Next()
		if err == io.EOF {
			return out
		}
		var v message.View
		if err != nil || v.Parse(append([]byte(nil), m...)) != nil {
			t.Fatalf("read %v: %v", names, err)
		}
		out = append(out, v)
	}
}

// inLake counts the documents of the Heka files below a folder, by document id.
func inLake(t testing.TB, folder string) map[string]int {
	t.Helper()
	found := map[string]int{}
	filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".heka") {
			for _, v := range fileMessages(t, path) {
				found[field(&v, "documentId")]++
			}
		}
		return err
	})
	return found
}

// wantOnce holds that every submission that was answered is among those that were seen, and none is there twice.
func wantOnce(t testing.TB, answered map[string]bool, seen map[string]int) {
	t.Helper()
	lost, twice := 0, 0
	for id := range answered {
		if seen[id] == 0 {
			lost++
		}
	}
	for _, n := range seen {
		if n > 1 {
			twice++
		}
	}
	if lost > 0 || twice > 0 || len(answered) < 100 {
		t.Errorf("%d of %d answered submissions are lost, %d are there twice", lost, len(answered), twice)
	}
}

func field(v *message.View, name string) string {
	f, ok := v.Field(name, 0)
	if !ok {
		return ""
	}
	if b, ok := f.Bytes(0); ok {
		return string(b)
	}
	n, _ := f.Number(0)
	return fmt.Sprint(n)
}

func header(v *message.View, h message.Header) string {
	b, _ := v.Header(h)
	return string(b)
}

// reading is a valid document of namespace sensors.
func reading(id string) []byte {
	return fmt.Appendf(nil, `{"type":"reading","id":%q,"version":1,"creationDate":"2026-11-23T10:00:00Z","application":{"name":"Sensor","version":"1"},"payload":{"sensorId":"box-1","temperature":20.5,"humidity":40,"pressure":1000.5,"battery":3.5}}`, id)
}

// docID is a document id for a number.
func docID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) }

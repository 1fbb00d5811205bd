package cmd

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sandbar/host/bucket/s3/s3test"
	"sandbar/host/partitions"
	"sandbar/host/runner"
	"sandbar/host/stream/kafka/kafkatest"
	"sandbar/sandbox/message"
)

// rig is several hosts with the same topics and the same bucket, under load.
type rig struct {
	t       *testing.T
	broker  *kafkatest.Broker
	files   string // folder of the bucket
	env     []string
	configs []string // of each host
	dirs    []string

	mu       sync.Mutex
	hosts    []*process // nil: it does not run
	answered map[string]bool
	sent     int
	codes    map[int]int
	all      []*process // that ever ran
}

// newRig starts a broker and an S3 server. partitions is how many the topics will have, hosts how many may run.
func newRig(t *testing.T, partitions, hosts int) *rig {
	t.Helper()
	r := &rig{t: t, broker: kafkatest.RealVia(t, hosts), answered: map[string]bool{}, codes: map[int]int{}, hosts: make([]*process, hosts)}
	server := s3test.Real(t)
	bucket, env, config := s3Host(t, server)
	r.env, r.files = env, filepath.Join(server.Dir, bucket, "one", "host")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	for i, way := range r.broker.Via {
		dir := t.TempDir()
		own := fmt.Sprintf("hostname = \"host%d\"\n%s[streams]\ntimeout = \"5s\"\n[streams.kafka]\nbrokers = [%q]\nreplicas = 1\npartitions = %d\n", i, text, way.Addr, partitions)
		r.configs, r.dirs = append(r.configs, filepath.Join(dir, "sandbar.toml")), append(r.dirs, dir)
		if err := os.WriteFile(r.configs[i], []byte(own), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// start starts a host, again with what it has on its disk.
func (r *rig) start(i int) {
	r.t.Helper()
	p := startWith(r.t, r.env, r.dirs[i], "serve", "--config", r.configs[i])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosts[i] = p
	r.all = append(r.all, p)
}

// out takes a host out of the load.
func (r *rig) out(i int) *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.hosts[i]
	r.hosts[i] = nil
	return p
}

func (r *rig) running() (list []*process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.hosts {
		if p != nil {
			list = append(list, p)
		}
	}
	return list
}

// under sends submissions to any host, every fifth with a fault, while what works.
func (r *rig) under(what func()) {
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					r.send()
				}
			}
		})
	}
	what()
	close(stop)
	senders.Wait()
}

func (r *rig) send() {
	hosts := r.running()
	if len(hosts) == 0 {
		return
	}
	r.mu.Lock()
	r.sent++
	n := r.sent
	r.mu.Unlock()
	id := docID(n)
	body := reading(id)
	if n%5 == 0 {
		body = []byte(`{"version":1}`)
	}
	code := hosts[rand.IntN(len(hosts))].post("/submit/sensors/reading/1/"+id, body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.codes[code]++
	if code == 200 {
		r.answered[id] = true
	}
}

// share is what a host has of the partitions; nothing while it waits for its brokers.
func (p *process) share() partitions.Share {
	p.t.Helper()
	if status, _ := p.page("/api/v1/overview"); status == 503 {
		return partitions.Share{}
	}
	var now struct {
		Partitions partitions.Share `json:"partitions"`
	}
	p.get("/overview", &now)
	return now.Partitions
}

// served waits until the running hosts have all partitions, none of them twice, and tells how long that took.
func (r *rig) served() time.Duration {
	r.t.Helper()
	began := time.Now()
	until(r.t, 60*time.Second, "all partitions to be served", func() bool {
		var here []int32
		of := 0
		for _, p := range r.running() {
			s := p.share()
			here, of = append(here, s.Here...), s.Of
		}
		slices.Sort(here)
		return of > 0 && len(here) == of && len(slices.Compact(here)) == of
	})
	return time.Since(began)
}

// settle waits until all partitions are served, nothing is left to hand over, and all plugins have read everything.
func (r *rig) settle() {
	r.t.Helper()
	done := false
	defer func() {
		if !done {
			r.explain()
		}
	}()
	r.served()
	for _, p := range r.running() {
		until(r.t, 60*time.Second, "an end of the spill", func() bool { return !strings.Contains(fmt.Sprint(p.troubles()), "local disk") })
		p.settled()
	}
	done = true
}

// explain logs what the hosts say of themselves, and the ends of their logs.
func (r *rig) explain() {
	for i, p := range r.running() {
		log := p.logged()
		r.t.Logf("host %d has trouble %v\nand logged\n%s", i, p.troubles(), log[max(0, len(log)-4000):])
	}
}

// check stops the load's traces: everything that was answered is once on valid or errors, what is valid once in the lake, and
// landfill has all of raw.
func (r *rig) check() {
	t := r.t
	t.Helper()
	r.settle()
	raw := len(topicMessages(t, r.broker.Addr, "sandbar.raw"))
	archived := func() (n int) {
		filepath.WalkDir(r.files, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ".heka.zst") {
				n += len(fileMessages(t, path))
			}
			return nil
		})
		return n
	}
	until(t, 60*time.Second, "all of raw in landfill", func() bool { return archived() >= raw })
	seen, valid := map[string]int{}, map[string]int{}
	var found map[string]int
	until(t, 60*time.Second, "the lake", func() bool {
		clear(valid)
		for _, v := range topicMessages(t, r.broker.Addr, "sandbar.valid") {
			valid[field(&v, "documentId")]++
		}
		found = inLake(t, r.files)
		return len(found) >= len(valid)
	})
	for i := range r.hosts {
		if p := r.out(i); p != nil {
			p.stop()
		}
	}
	maps.Copy(seen, valid)
	duplicates := 0
	for _, v := range topicMessages(t, r.broker.Addr, "sandbar.errors") {
		if strings.Contains(header(&v, message.Type), "duplicate") { // one that was spilled and came to the broker besides
			duplicates++
			continue
		}
		seen[field(&v, "documentId")]++
	}
	t.Logf("%d submissions sent, answers %v, %d on the streams, %d duplicates", r.sent, r.codes, len(seen), duplicates)
	wantOnce(t, r.answered, seen)
	twice := map[string]bool{}
	for id, n := range seen {
		if n > 1 {
			twice[id] = true
		}
	}
	if len(twice) > 0 {
		r.autopsy(twice)
	}
	if !maps.Equal(valid, found) {
		t.Errorf("%d documents are valid, %d are in the lake, not the same ones or not as often", len(valid), len(found))
		for id, n := range valid {
			if found[id] != n {
				t.Logf("%s is %d times valid, %d times in the lake", id, n, found[id])
			}
		}
	}
	if n := archived(); n != raw {
		t.Errorf("landfill has %d messages, raw %d", n, raw)
	}
}

// TestHosts: three hosts share six partitions. One that is killed under load, one that is stopped and one that comes again hand them
// over; nothing that was answered is lost or there twice.
func TestHosts(t *testing.T) {
	t.Parallel()
	killed, stopped := 15*time.Second, 8*time.Second
	if raceEnabled { // everything else runs at the same time then; .ci/run also measures it by itself
		killed, stopped = time.Minute, 30*time.Second
	}
	r := newRig(t, 6, 3)
	for i := range 3 {
		r.start(i)
	}
	r.served()
	for _, p := range r.running() {
		until(t, 20*time.Second, "an equal share", func() bool { return len(p.share().Here) == 2 })
	}
	r.under(func() {
		<-time.After(2 * time.Second)
		r.out(0).kill()
		took := r.served()
		if t.Logf("partitions of a host that was killed were served elsewhere after %v", took); took > killed {
			t.Errorf("the partitions of a host that was killed were served elsewhere after %v, want %v", took, killed)
		}
		staying := r.running()[1]
		before := staying.number(`sandbar_plugin_matched_total{plugin="decoder.submission"}`)
		r.start(0)
		t.Logf("with the host back: %v", r.served())
		until(t, 20*time.Second, "an equal share", func() bool { return len(staying.share().Here) == 2 })
		if after := staying.number(`sandbar_plugin_matched_total{plugin="decoder.submission"}`); before == 0 || after < before {
			t.Errorf("the decoder was called for %v messages, and for %v after a partition had left", before, after)
		}
		r.out(1).stop()
		took = r.served()
		if t.Logf("partitions of a host that was stopped were served elsewhere after %v", took); took > stopped {
			t.Errorf("the partitions of a host that was stopped were served elsewhere after %v, want %v", took, stopped)
		}
		r.start(1)
		r.served()
	})
	r.check()
}

// number is what a host tells of itself in /metrics.
func (p *process) number(name string) float64 {
	p.t.Helper()
	_, text := p.page("/metrics")
	for line := range strings.SplitSeq(text, "\n") {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				p.t.Errorf("%s: %v", line, err)
			}
			return n
		}
	}
	p.t.Errorf("/metrics has no %s", name)
	return 0
}

// pair are two hosts on four partitions, called one and two.
type pair struct {
	t       *testing.T
	broker  string
	dirs    []string
	configs []string
	sent    int
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t, broker: kafkatest.Fake(t).ListenAddrs()[0], dirs: []string{t.TempDir(), t.TempDir()}}
	for _, name := range []string{"one", "two"} {
		config := kafkaConfig(t, p.broker, 4)
		text, err := os.ReadFile(config)
		if err == nil {
			err = os.WriteFile(config, append(fmt.Appendf(nil, "hostname = %q\n", name), text...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		p.configs = append(p.configs, config)
	}
	return p
}

func (p *pair) begin(i int) *process {
	p.t.Helper()
	return start(p.t, p.dirs[i], "serve", "--config", p.configs[i])
}

// shared waits until each host has two partitions.
func (p *pair) shared(a, b *process) {
	p.t.Helper()
	until(p.t, 20*time.Second, "an equal share", func() bool { return len(a.share().Here) == 2 && len(b.share().Here) == 2 })
}

func (p *pair) send(to *process, times int) {
	p.t.Helper()
	for range times {
		p.sent++
		if code := to.post("/submit/sensors/reading/1/"+docID(p.sent), reading(docID(p.sent))); code != 200 {
			p.t.Fatalf("answered with %d", code)
		}
	}
}

const (
	counting = "preserve_data = true\nmessage_matcher = \"Type == 'validated'\"\nticker_interval = 1\n"
	counter  = `n = 0
function process_message() n = n + 1 if n == 1 then print("the first") end return 0 end
function timer_event() inject_payload("txt", "total", tostring(n)) end`
)

// TestGlobal: a plugin of global scope is one, reads all partitions, and goes on elsewhere when its host is killed, without losing or
// repeating anything.
func TestGlobal(t *testing.T) {
	t.Parallel()
	hosts := newPair(t)
	procs := []*process{hosts.begin(0), hosts.begin(1)}
	hosts.shared(procs[0], procs[1])
	procs[0].deploy("analysis", "everything", counting+"scope = \"global\"\nalert = {throttle = 60, modules = {web = {}}}\n", `local alert = require "heka.alert"
`+strings.Replace(counter, "function timer_event()", `function timer_event() if n > 0 then alert.send("seen", "something was seen", "of a kind") end`, 1))
	total := func(p *process) string { return p.text("analysis.everything", "total") }
	until(t, 30*time.Second, "the plugin to run where it belongs", func() bool { return total(procs[0]) == "0" })
	counted := func(list ...*process) {
		t.Helper()
		for _, p := range list {
			until(t, 30*time.Second, fmt.Sprintf("%d to be counted", hosts.sent), func() bool { return total(p) == fmt.Sprint(hosts.sent) })
		}
	}
	hosts.send(procs[0], 30)
	hosts.send(procs[1], 30)
	counted(procs...)
	for round := range 2 {
		home := slices.IndexFunc(procs, func(p *process) bool { // only there it prints without a host before it
			var lines []runner.LogLine
			p.get("/plugins/analysis.everything/logs", &lines)
			return slices.ContainsFunc(lines, func(l runner.LogLine) bool { return l.Text == "the first" })
		})
		if round == 0 && home < 0 {
			t.Fatal("the plugin has printed nowhere")
		}
		home = max(home, 0)
		hosts.send(procs[1-home], 20)
		procs[home].kill()
		hosts.send(procs[1-home], 20)
		counted(procs[1-home])
		procs[home] = hosts.begin(home)
		hosts.shared(procs[0], procs[1])
		hosts.send(procs[home], 20)
		counted(procs...)
	}
	for _, p := range procs {
		var list struct {
			Alerts []struct{ ID string }
		}
		p.get("/alerts?n=100", &list)
		if len(list.Alerts) != 1 || list.Alerts[0].ID != "seen" {
			t.Errorf("alerts are %v", list.Alerts)
		}
		p.stop()
	}
}

// TestAnyHost: a plugin that is submitted to one host runs on all; another one replaces it, stops it, starts it, removes it. A host
// that was away finds out. One whose plugin ends by itself ends it everywhere.
func TestAnyHost(t *testing.T) {
	t.Parallel()
	hosts := newPair(t)
	a, b := hosts.begin(0), hosts.begin(1)
	hosts.shared(a, b)
	state := func(p *process, name string, want runner.State) {
		t.Helper()
		until(t, 20*time.Second, fmt.Sprintf("%s to be %s", name, want), func() bool { return p.plugins()[name].State == want })
	}
	a.deploy("analysis", "totals", counting, counter)
	state(b, "analysis.totals", runner.Running)
	until(t, 30*time.Second, "the plugin to run in all partitions", func() bool { return strings.Count(a.text("analysis.totals", "total"), "partition") == 4 })
	hosts.send(a, 40)
	hosts.send(b, 40)
	total := func(p *process) (sum int) {
		for line := range strings.SplitSeq(p.text("analysis.totals", "total"), "\n") {
			var n int
			if _, err := fmt.Sscanf(line, "%d", &n); err == nil {
				sum += n
			}
		}
		return sum
	}
	for _, p := range []*process{a, b} {
		until(t, 20*time.Second, "all to be counted, on both pages", func() bool { return total(p) == 80 })
	}

	for _, p := range []*process{a, b} {
		var now struct {
			Hosts []struct {
				Host string
				This bool
			}
			Streams []struct{ Messages int }
		}
		until(t, 20*time.Second, "both pages to have what both hosts did", func() bool {
			p.get("/overview", &now)
			return len(now.Hosts) == 2 && now.Streams[0].Messages == 80 && now.Streams[1].Messages == 80 && p.plugins()["analysis.totals"].Stats.Matched == 80
		})
		if !now.Hosts[0].This || now.Hosts[1].This || now.Hosts[0].Host == now.Hosts[1].Host {
			t.Errorf("the hosts are %+v", now.Hosts)
		}
		var lines []runner.LogLine
		until(t, 20*time.Second, "what it printed in each partition", func() bool { p.get("/plugins/analysis.totals/logs", &lines); return len(lines) == 4 })
		if here := slices.DeleteFunc(lines, func(l runner.LogLine) bool { return strings.HasPrefix(l.Text, now.Hosts[1].Host+": ") }); len(here) != 2 {
			t.Errorf("it printed here %v", here)
		}
	}
	if code, body, _ := b.submit("plugins", "totals", counting, counter); code != 409 {
		t.Errorf("a name that another host has given: %d %s", code, body)
	}
	if code, _ := b.postJSON("plugins/analysis.totals/stop", nil); code/100 != 2 {
		t.Fatalf("stopped: %d", code)
	}
	state(a, "analysis.totals", runner.StoppedBy)
	b.stop()
	if code, _ := a.postJSON("plugins/analysis.totals/start", nil); code/100 != 2 {
		t.Fatalf("started: %d", code)
	}
	until(t, 20*time.Second, "all partitions to be here", func() bool { return len(a.share().Here) == 4 })
	a.deploy("analysis", "dies", "message_matcher = \"Type == 'validated'\"\n", "function process_message() error('as written') end")
	hosts.send(a, 20)
	until(t, 20*time.Second, "the counters to go on", func() bool { return total(a) == 100 })
	state(a, "analysis.dies", runner.Terminated)
	b = hosts.begin(1)
	state(b, "analysis.totals", runner.Running)
	if s := b.plugins()["analysis.dies"]; s.State != runner.Terminated || !strings.Contains(s.Reason, "as written") {
		t.Errorf("a plugin that ended while the host was away: %s %q", s.State, s.Reason)
	}
	view := browser(t)
	open(t, view, a.url+"/")
	eval(t, view, 20*time.Second, "the table of hosts", `document.querySelectorAll('table.hosts tbody tr').length === 2 && document.body.innerText.includes('4 of 4 partitions')`)
	picture(t, view, "hosts")
	hosts.shared(a, b)
	hosts.send(b, 20)
	for _, p := range []*process{a, b} {
		until(t, 20*time.Second, "the counters to have moved with their partitions", func() bool { return total(p) == 120 })
	}
	if code, _ := b.remove("analysis.totals"); code/100 != 2 {
		t.Fatalf("removed: %d", code)
	}
	until(t, 20*time.Second, "the plugin to be gone", func() bool { _, there := a.plugins()["analysis.totals"]; return !there })
	a.stop()
	b.stop()
}

package plugins

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/gzip"

	"sandbar/sandbox"
	"sandbar/sandbox/cbuf"
	"sandbar/sandbox/jsondoc"
	"sandbar/sandbox/lua"
	"sandbar/sandbox/message"
	"sandbar/schemas"
)

func TestRead(t *testing.T) {
	t.Parallel()
	defs, err := Read(Shipped())
	if err != nil || len(defs) != 21 {
		t.Fatalf("%d plugins ship: %v", len(defs), err)
	}
	cfg := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	defs, err = Read(fstest.MapFS{
		"analysis/one.cfg":           cfg("filename = 'shared.lua'"),
		"analysis/two.cfg":           cfg("filename = \"shared.lua\""),
		"analysis/shared.lua":        cfg("-- source"),
		"analysis/plain.cfg":         cfg("x = 1"),
		"analysis/plain.lua":         cfg("-- plain"),
		"output/folder/deep.cfg":     cfg("filename = 'deep.lua'"),
		"output/folder/deep.lua":     cfg("-- deep"),
		"analysis/folder/one.cfg":    cfg("filename = 'shared.lua'"),
		"analysis/folder/shared.lua": cfg("-- again"),
		"analysis/missing.cfg":       cfg("filename = 'gone.lua'"),
		"analysis/out.cfg":           cfg("filename = '../../etc/passwd'"),
		"analysis/bad name!.cfg":     cfg("x = 1"),
		"analysis/large.cfg":         cfg(strings.Repeat("-", MaxConfig+1)),
	})
	var names []string
	for _, d := range defs {
		names = append(names, d.Logger()+":"+string(d.Source))
	}
	if got := strings.Join(names, " "); got != "analysis.one:-- source analysis.plain:-- plain analysis.two:-- source output.deep:-- deep" &&
		got != "analysis.one:-- source analysis.two:-- source analysis.plain:-- plain output.deep:-- deep" {
		t.Errorf("read %s", got)
	}
	for _, want := range []string{"two configs have this name", "gone.lua", "must name a file beside", "bad name!", "large.cfg"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error says nothing of %q: %v", want, err)
		}
	}
	for name, ok := range map[string]bool{"a": true, "A_b-c.9": true, "": false, ".a": false, "a/b": false, "-a": false, strings.Repeat("x", 65): false} {
		if (CheckName(name) == nil) != ok {
			t.Errorf("CheckName(%q)", name)
		}
	}
}

// running is a shipped plugin at work.
type running struct {
	sandbox.Plugin
	t    testing.TB
	now  time.Time
	made []message.View
	room []byte // what made lies in
}

func run(t testing.TB, logger string) *running {
	t.Helper()
	known, err := schemas.Open(schemas.Shipped(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return runWith(t, logger, known)
}

func runWith(t testing.TB, logger string, known sandbox.Schemas) *running {
	t.Helper()
	defs, err := Read(Shipped())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range defs {
		if d.Logger() != logger {
			continue
		}
		cfg, err := lua.ParseConfig(d.Kind, d.Name, d.Config)
		if err != nil {
			t.Fatal(err)
		}
		r := &running{t: t, now: time.Unix(1_700_000_000, 0)}
		r.Plugin, err = lua.Load(cfg, d.Source, sandbox.Env{Hostname: "host", Pid: 1, Seed: 1, Schemas: known, Geo: places{},
			Now: func() time.Time { return r.now },
			Emit: func(b []byte) error {
				var v message.View
				if cap(r.room)-len(r.room) < len(b) {
					r.room = make([]byte, 0, len(b)+64<<10) // what lies in the old one stays there
				}
				r.room = append(r.room, b...)
				err := v.Parse(r.room[len(r.room)-len(b):])
				r.made = append(r.made, v)
				return err
			}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	t.Fatalf("no plugin %s ships", logger)
	return nil
}

type places struct{}

func (places) Lookup(addr string) (sandbox.Place, bool) {
	return sandbox.Place{Country: "GB", City: "London", ISP: "isp"}, addr == "81.2.69.142"
}

// submit gives the decoder a submission and returns what it made.
func (r *running) submit(uri, body string, headers ...string) *message.View {
	r.t.Helper()
	r.made = nil
	var b message.Builder
	b.SetTimestamp(r.now.UnixNano())
	b.SetHeader(message.Type, "raw")
	b.SetHeader(message.Logger, "moz_ingest")
	b.SetHeader(message.Hostname, "edge")
	b.AddString("remote_addr", "", "81.2.69.142")
	b.AddString("uri", "", uri)
	for i := 0; i+1 < len(headers); i += 2 {
		b.AddString(headers[i], "", headers[i+1])
	}
	b.AddBytes("content", "", []byte(body))
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		r.t.Fatal(err)
	}
	if res := r.Process(&v); res.Outcome != sandbox.OK || len(r.made) != 1 {
		r.t.Fatalf("%s: %v line %d %s, %d messages", uri, res.Outcome, res.Line, res.Text, len(r.made))
	}
	return &r.made[0]
}

func get(v *message.View, name string) any {
	f, ok := v.Field(name, 0)
	if !ok {
		return nil
	}
	if b, ok := f.Bytes(0); ok {
		return string(b)
	}
	if n, ok := f.Int(0); ok {
		return n
	}
	if x, ok := f.Double(0); ok {
		return x
	}
	x, _ := f.Bool(0)
	return x
}

const id = "c0ffee00-0000-4000-8000-00000000000"

const mainPing = `{"type":"main","id":"` + id + `1","version":4,"clientId":"` + id + `9","creationDate":"2026-11-23T12:00:00.5+02:00",
	"application":{"name":"Firefox","vendor":"Mozilla","version":"128.0","buildId":"20260706103020","channel":"release"},
	"environment":{"build":{"applicationName":"Firefox","version":"128.0","xpcomAbi":"x"},"settings":{"telemetryEnabled":true},
		"system":{"os":{"name":"Windows_NT","version":"10.0.19"}}},
	"payload":{"info":{"reason":"shutdown","sessionId":"` + id + `2","subsessionId":"` + id + `3","subsessionLength":5},
		"histograms":{"A":{"range":[1,2],"bucket_count":3,"histogram_type":0,"values":{"0":1},"sum":0}}}}`

// TestTelemetry: the fields of Mozilla's telemetry decoder.
func TestTelemetry(t *testing.T) {
	t.Parallel()
	r := run(t, "decoder.submission")
	v := r.submit("/submit/telemetry/"+id+"1/main/Firefox/128.0/nightly-cck-x/2026", mainPing, "User-Agent", "agent", "DNT", "1", "Date", "today")
	if typ, _ := v.Header(message.Type); string(typ) != "telemetry" {
		t.Fatalf("type %s: %v", typ, get(v, "DecodeError"))
	}
	if l, _ := v.Header(message.Logger); string(l) != "telemetry" || v.Timestamp() != r.now.UnixNano() {
		t.Errorf("logger %s, timestamp %d", l, v.Timestamp())
	}
	for name, want := range map[string]any{
		"documentId": id + "1", "docType": "main", "docVersion": int64(4), "appName": "Firefox", "appVersion": "128.0", "appBuildId": "2026",
		"appUpdateChannel": "nightly-cck-x", "normalizedChannel": "nightly", "appVendor": "Mozilla", "reason": "shutdown",
		"clientId": id + "9", "os": "Windows_NT", "normalizedOs": "Windows", "normalizedOSVersion": "10.0.19", "sourceName": "telemetry",
		"sourceVersion": "4", "submissionDate": "20231114", "telemetryEnabled": true, "geoCountry": "GB", "geoCity": "London", "geoISP": "isp",
		"creationTimestamp": int64(1795428000500000000) - 0, "DNT": "1", "Date": "today", "User-Agent": "agent", "remote_addr": nil, "content": nil,
	} {
		if name == "creationTimestamp" {
			at, _ := time.Parse(time.RFC3339Nano, "2026-11-23T12:00:00.5+02:00")
			want = at.UnixNano()
		}
		if got := get(v, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if n, ok := get(v, "sampleId").(int64); !ok || n < 0 || n > 99 {
		t.Errorf("sampleId %v", get(v, "sampleId"))
	}
	for _, section := range []string{"environment.build", "environment.system", "payload.info", "payload.histograms"} {
		if s, _ := get(v, section).(string); !strings.HasPrefix(s, "{") {
			t.Errorf("section %s is %v", section, get(v, section))
		}
	}
	if rest, _ := get(v, "submission").(string); strings.Contains(rest, "histograms") || !strings.Contains(rest, `"version":4`) {
		t.Errorf("submission %s", rest)
	}
	if f, _ := v.Field("submission", 0); string(f.Representation()) != "json" || f.Type() != message.Bytes {
		t.Errorf("submission is a %v with representation %s", f.Type(), f.Representation())
	}
}

const readingDoc = `{"type":"reading","id":"` + id + `1","version":1,"creationDate":"2026-11-23T10:00:00Z","application":{"name":"S","version":"1"},
	"payload":{"sensorId":"b","temperature":1.5,"humidity":40,"pressure":1000.5,"battery":3.5}}`

func TestGeneric(t *testing.T) {
	t.Parallel()
	r := run(t, "decoder.submission")
	v := r.submit("/submit/sensors/reading/1/"+id+"1", readingDoc, "User-Agent", "agent")
	if typ, _ := v.Header(message.Type); string(typ) != "validated" {
		t.Fatalf("type %s: %v", typ, get(v, "DecodeError"))
	}
	if l, _ := v.Header(message.Logger); string(l) != "sensors" || get(v, "docVersion") != int64(1) || get(v, "geoCity") != "London" {
		t.Errorf("logger %s, version %v", l, get(v, "docVersion"))
	}
	r.now = r.now.Add(13 * time.Minute)
	v = r.submit("/submit/sensors/reading/1/"+id+"1", readingDoc)
	if typ, _ := v.Header(message.Type); string(typ) != "duplicate" || get(v, "duplicateDelta") != int64(2) || get(v, "content") != nil {
		t.Errorf("sent twice: type %s, delta %v", typ, get(v, "duplicateDelta"))
	}
	r.now = r.now.Add(48 * time.Hour)
	v = r.submit("/submit/sensors/reading/1/"+id+"1", readingDoc)
	if typ, _ := v.Header(message.Type); string(typ) != "validated" {
		t.Errorf("after the window it is %s", typ)
	}
}

// TestRefused: bad ones keep their bytes and say why.
func TestRefused(t *testing.T) {
	t.Parallel()
	r := run(t, "decoder.submission")
	for _, c := range []struct{ uri, body, logger, typ, cause, detail string }{
		{"/other", "{}", "moz_ingest", "error", "uri", ""},
		{"/submit/sensors/reading/1/" + id + "2", "{", "sensors", "error", "json", ""},
		{"/submit/sensors/reading/1/" + id + "3", "{}", "sensors", "error", "schema", `"keyword":"required"`},
		{"/submit/sensors/nothing/1/" + id + "4", "{}", "sensors", "error", "schema", ""},
		{"/submit/telemetry/" + id + "5/main/Firefox/1/release/2", "{}", "telemetry", "telemetry.error", "version", ""},
		{"/submit/telemetry/" + id + "6/main/Firefox/1/release/2", "\x1f\x8b\x08broken", "telemetry", "telemetry.error", "json", ""},
		{"/submit/telemetry/" + id + "7/main/Firefox/1/release/2", `{"version":4}`, "telemetry", "telemetry.error", "schema", `"keyword"`},
	} {
		v := r.submit(c.uri, c.body)
		typ, _ := v.Header(message.Type)
		logger, _ := v.Header(message.Logger)
		detail, _ := get(v, "DecodeErrorDetail").(string)
		if string(typ) != c.typ || string(logger) != c.logger || get(v, "DecodeErrorType") != c.cause || get(v, "DecodeError") == nil || !strings.Contains(detail, c.detail) {
			t.Errorf("%s: %s %s %v %v %s", c.uri, typ, logger, get(v, "DecodeErrorType"), get(v, "DecodeError"), detail)
		}
		if get(v, "content") != c.body || get(v, "remote_addr") != nil {
			t.Errorf("%s: content %v, address %v", c.uri, get(v, "content"), get(v, "remote_addr"))
		}
	}
}

// TestBodies: what some senders put around their text is accepted and noted; an encoding that is not decoded is named.
func TestBodies(t *testing.T) {
	t.Parallel()
	r := run(t, "decoder.submission")
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(readingDoc)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for i, c := range []struct{ body, encoding, typ, repaired, fault string }{
		{readingDoc, "", "validated", "", ""},
		{zipped.String(), "gzip", "validated", "", ""},
		{zipped.String() + "\x00\x00", "gzip", "validated", "zeros behind gzip", ""},
		{"\xef\xbb\xbf" + readingDoc, "", "validated", "byte order mark", ""},
		{"\x1b\x05\x00", "br", "error", "", "Content-Encoding br is not decoded, gzip is"},
		{"x\x9c\x03\x00", "deflate", "error", "", "Content-Encoding deflate is not decoded, gzip is"},
		{"{", "gzip", "error", "", "JSON: "},
		{zipped.String() + "x", "gzip", "error", "", "neither zeros nor gzip"},
	} {
		v := r.submit(fmt.Sprintf("/submit/sensors/reading/1/c0ffee00-0000-4000-8000-%012x", 0xb0d1e5+i), c.body, "Content-Encoding", c.encoding)
		typ, _ := v.Header(message.Type)
		repaired, _ := get(v, "contentRepaired").(string)
		fault, _ := get(v, "DecodeError").(string)
		if string(typ) != c.typ || repaired != c.repaired || !strings.Contains(fault, c.fault) || c.fault == "" && fault != "" {
			t.Errorf("%.10q, %s: %s, repaired %q, %s", c.body, c.encoding, typ, repaired, fault)
		}
	}
}

// see gives an analysis plugin a document.
func (r *running) see(docType, typ string, at int64, size int) {
	r.t.Helper()
	var b message.Builder
	b.SetTimestamp(at * 1e9)
	b.SetHeader(message.Type, typ)
	b.SetHeader(message.Logger, "shop")
	b.AddString("docType", "", docType)
	b.AddString("DecodeErrorType", "", "schema")
	b.AddBytes("content", "", make([]byte, size))
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		r.t.Fatal(err)
	}
	if res := r.Process(&v); res.Outcome != sandbox.OK {
		r.t.Fatalf("%v %s", res.Outcome, res.Text)
	}
}

// tick runs the timer and returns the graph that it made, and the alerts.
func (r *running) tick(at int64) (*cbuf.Data, []string) {
	r.t.Helper()
	r.made, r.now = nil, time.Unix(at, 0)
	if res := r.Timer(at*1e9, false); res.Outcome != sandbox.OK {
		r.t.Fatalf("%v line %d %s", res.Outcome, res.Line, res.Text)
	}
	var graph *cbuf.Data
	var alerts []string
	for _, v := range r.made {
		payload, _ := v.Header(message.Payload)
		if typ, _ := v.Header(message.Type); string(typ) == "alert" {
			alerts = append(alerts, get(&v, "id").(string))
			continue
		} else if string(typ) == "alert.over" {
			continue
		}
		var err error
		if graph, err = cbuf.Parse(payload); err != nil {
			r.t.Fatal(err)
		}
	}
	return graph, alerts
}

func TestGraphs(t *testing.T) {
	t.Parallel()
	const at = 1_700_000_000
	for _, c := range []struct {
		logger, typ string
		want        float64
	}{{"analysis.rate", "validated", 3}, {"analysis.failures", "error", 3}, {"analysis.size", "validated", 0}} {
		r := run(t, c.logger)
		for range 3 {
			r.see("cart", c.typ, at, 1000)
		}
		g, _ := r.tick(at + 1)
		row := g.Values[len(g.Values)-2]
		if c.want > 0 && row[0] != c.want || c.want == 0 && (row[0] < 1000 || row[0] > 1200) || g.Info[0].Name == "" {
			t.Errorf("%s: %v %+v", c.logger, row, g.Info[0])
		}
		for i := range 30 { // more types than columns
			r.see("type"+strings.Repeat("x", i), c.typ, at+2, 10)
		}
		if g, _ := r.tick(at + 3); g == nil {
			t.Errorf("%s made no graph", c.logger)
		}
	}
}

// TestNumbersThatStall: documents full of numbers with large exponents or many digits cost what other documents cost.
func TestNumbersThatStall(t *testing.T) {
	t.Parallel()
	honest := readingDoc
	hostile := []string{
		strings.Replace(honest, "1.5", "1e999999", 1), strings.Replace(honest, "40", "1e-9999999", 1), strings.Replace(honest, "1000.5", "-1e99999999999", 1),
		strings.Replace(honest, `"version":1`, `"version":1e999999`, 1), strings.Replace(honest, "3.5", "3."+strings.Repeat("0", 40)+"e99999", 1),
	}
	d := run(t, "decoder.submission")
	n := 0
	decode := func(body string) {
		n++
		d.submit(fmt.Sprintf("/submit/sensors/reading/1/%032d", n), body)
	}
	cost := func(bodies ...string) time.Duration { // of the quickest of some rounds
		best := time.Hour
		for range 5 {
			start := time.Now()
			for i := range 300 {
				decode(bodies[i%len(bodies)])
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	plain, mixed := cost(honest), cost(append(hostile, honest, honest, honest)...)
	t.Logf("300 honest documents took %v, 300 of which five of eight are hostile %v", plain, mixed)
	if mixed > 6*plain { // 2 on a quiet machine
		t.Errorf("hostile numbers cost %v, honest documents %v", mixed, plain)
	}
	start := time.Now()
	decode(strings.Replace(honest, "1.5", "["+strings.Repeat("1e999999,", 100_000)+"1]", 1))
	decode(strings.Replace(honest, "1.5", strings.Repeat("7", 2_000_000), 1))
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("two large documents took %v", took)
	} else {
		t.Logf("two large documents took %v", took)
	}
}

// TestOnlyValidIsRemembered: what was refused may come again, for whatever cause; what was valid is a duplicate.
func TestOnlyValidIsRemembered(t *testing.T) {
	t.Parallel()
	whole := readingDoc
	d := run(t, "decoder.submission")
	typeOf := func(uri, body string) string {
		h, _ := d.submit(uri, body).Header(message.Type)
		return string(h)
	}
	for i, refused := range []string{`{"type":`, `[]`, `{}`, strings.Replace(whole, `1.5`, `"warm"`, 1), strings.Repeat("[", 100)} {
		uri := fmt.Sprintf("/submit/sensors/reading/1/%d", i)
		for range 2 {
			if got := typeOf(uri, refused); got != "error" {
				t.Errorf("%.30s is %s", refused, got)
			}
		}
		if got := typeOf(uri, whole); got != "validated" {
			t.Errorf("the whole document after %.30s is %s", refused, got)
		}
		for range 2 {
			if got := typeOf(uri, whole); got != "duplicate" {
				t.Errorf("the second whole document is %s", got)
			}
		}
	}
	uri := "/submit/sensors/reading/99/a" // no schema
	if got := typeOf(uri, whole); got != "error" {
		t.Errorf("without a schema: %s", got)
	}
	if got := typeOf("/submit/sensors/reading/1/clock", whole); got != "validated" {
		t.Error(got)
	}
	now := d.now
	d.now = now.Add(48 * time.Hour) // the clock is wrong
	for range 2 {
		d.submit("/submit/sensors/reading/1/ahead", whole)
	}
	d.now = now.Add(time.Minute) // and right again
	for i := range 5 {
		if got := typeOf(fmt.Sprintf("/submit/sensors/reading/1/after-%d", i), whole); got != "validated" {
			t.Errorf("a new document after the clock was wrong is %s", got)
		}
		if got := typeOf(fmt.Sprintf("/submit/sensors/reading/1/after-%d", i), whole); got != "duplicate" {
			t.Errorf("the same again is %s", got)
		}
	}
	d.now = now.Add(-48 * time.Hour)
	if got := typeOf("/submit/sensors/reading/1/behind", whole); got != "validated" {
		t.Errorf("a new document while the clock is behind is %s", got)
	}
}

// anything is a registry whose schemas let everything pass.
type anything struct{}

func (anything) Validate(string, string, string, jsondoc.Value, func(int64)) sandbox.Verdict {
	return sandbox.Verdict{Known: true, Valid: true}
}

// TestAnyValueAnywhere: no value of any type at any place that the decoder reads makes it fail, or is taken for what it is not.
func TestAnyValueAnywhere(t *testing.T) {
	t.Parallel()
	d := runWith(t, "decoder.submission", anything{})
	values := []string{`null`, `true`, `17`, `-1.5`, `1e999999`, `""`, `"text"`, `"\u0000\ud800"`, `[]`, `[1,"a"]`, `{}`, `{"a":{"name":7}}`}
	places := []string{"creationDate", "created", "clientId", "clientID", "application", "application.vendor", "application.name", "application.version",
		"application.buildId", "application.channel", "environment", "environment.settings", "environment.settings.telemetryEnabled", "environment.addons",
		"environment.addons.activeExperiment.id", "environment.system.os", "environment.system.os.name", "environment.system.os.version", "os", "osversion",
		"payload", "payload.info", "payload.info.reason", "payload.reason"}
	n := 0
	for _, place := range places {
		for _, value := range values {
			doc := value
			parts := strings.Split(place, ".")
			for i := len(parts) - 1; i >= 0; i-- {
				doc = fmt.Sprintf("{%q:%s}", parts[i], doc)
			}
			doc = `{"version":4,` + doc[1:]
			n++
			made := d.submit(fmt.Sprintf("/submit/telemetry/%d/main/Firefox/61.0/nightly/1?v=4", n), doc)
			if h, _ := made.Header(message.Type); string(h) != "telemetry" {
				t.Errorf("%s: %s %v", doc, h, get(made, "DecodeError"))
			}
		}
	}
	for _, c := range []struct{ doc, typ string }{
		{`{"version":4.5}`, "telemetry.error"}, {`{"version":1e999999}`, "telemetry.error"}, {`{"version":-1}`, "telemetry.error"}, {`{"version":"4.5"}`, "telemetry.error"},
		{`{"version":{}}`, "telemetry.error"}, {`{"version":null,"v":4}`, "telemetry"}, {`{"version":"4"}`, "telemetry"}, {`{"version":4.0}`, "telemetry"}, {`[4]`, "telemetry.error"},
	} {
		n++
		made := d.submit(fmt.Sprintf("/submit/telemetry/%d/main/Firefox/61.0/nightly/1?v=4", n), c.doc)
		if h, _ := made.Header(message.Type); string(h) != c.typ || get(made, "docType") != "main" || get(made, "documentId") == nil {
			t.Errorf("%s: %s, %v", c.doc, h, get(made, "DecodeError"))
		}
	}
	for date, want := range map[string]any{"2026-02-30T10:00:00Z": nil, "2026-02-28T10:00:00Z": "x", "2024-02-29T23:59:60Z": "x", "2023-02-29T00:00:00Z": nil, "2026-04-31T00:00:00Z": nil,
		"2026-13-01T00:00:00Z": nil, "2026-01-01T24:00:00Z": nil, "2026-00-10T00:00:00Z": nil, "2026-01-00T00:00:00Z": nil, "soon": nil} {
		n++
		made := d.submit(fmt.Sprintf("/submit/telemetry/%d/main/Firefox/61.0/nightly/1?v=4", n), fmt.Sprintf(`{"version":4,"creationDate":%q}`, date))
		if got := get(made, "creationTimestamp"); (got == nil) != (want == nil) {
			t.Errorf("creationDate %s: %v", date, got)
		}
	}
}

package lake_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sandbar/host/lake"
	"sandbar/sandbox"
	"sandbar/sandbox/message"
	"sandbar/schemas"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func isParquet(key string) bool { return strings.HasSuffix(key, ".parquet") }

// parquetRows reads a file back: for every row the values that are not null, by column.
func parquetRows(t testing.TB, data []byte) []map[string]any {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	columns := f.Schema().Columns()
	var all []map[string]any
	for _, g := range f.RowGroups() {
		rows := g.Rows()
		buf := make([]parquet.Row, 100)
		for {
			n, err := rows.ReadRows(buf)
			for _, r := range buf[:n] {
				row := map[string]any{}
				for _, v := range r {
					if !v.IsNull() {
						row[columns[v.Column()][0]] = goValue(v)
					}
				}
				all = append(all, row)
			}
			if err != nil || n == 0 {
				break
			}
		}
		rows.Close()
	}
	return all
}

func goValue(v parquet.Value) any {
	switch v.Kind() {
	case parquet.Boolean:
		return v.Boolean()
	case parquet.Int32:
		return v.Int32()
	case parquet.Int64:
		return v.Int64()
	case parquet.Double:
		return v.Double()
	}
	return string(v.ByteArray())
}

// parquetTypes is the schema of a file in words.
func parquetTypes(t testing.TB, data []byte) []string {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, field := range f.Schema().Fields() {
		if !field.Optional() {
			t.Errorf("column %s is not optional", field.Name())
		}
		all = append(all, fmt.Sprint(field.Name(), " ", field.Type()))
	}
	return all
}

// declared is schemas by document type.
type declared map[string][]schemas.Column

func (d declared) Columns(_, docType, _ string) []schemas.Column { return d[docType] }

// oneFile writes rows under a path and returns the file.
func oneFile(t testing.TB, columns lake.Columns, path string, rows ...sandbox.Row) ([]byte, lake.Misfit) {
	t.Helper()
	b := openBucket(t, t.TempDir())
	w := newLake(t, b, lake.Options{Columns: columns}, nil).Writer(logger)
	for _, r := range rows {
		if err := w.Parquet(path, r); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w, valid(0, 1))
	publish(t, w)
	all := slices.DeleteFunc(keys(t, b), func(key string) bool { return strings.HasPrefix(key, "lake/columns/") })
	if len(all) != 1 {
		t.Fatalf("objects: %v", all)
	}
	return read(t, b, all[0]), w.Stats().Parquet
}

func build(set func(b *message.Builder)) []byte {
	var b message.Builder
	set(&b)
	return b.AppendTo(nil)
}

const header = 8 // columns that every file has

func TestMessageColumns(t *testing.T) {
	t.Parallel()
	uuid := []byte("0123456789abcdef")
	full := build(func(b *message.Builder) {
		b.SetUUID(uuid)
		b.SetTimestamp(1_700_000_000_123_456_789)
		b.SetHeader(message.Type, "telemetry")
		b.SetHeader(message.Logger, "telemetry")
		b.SetHeader(message.Hostname, "host1")
		b.SetHeader(message.EnvVersion, "2")
		b.SetHeader(message.Payload, "not a column")
		b.SetSeverity(3)
		b.SetPid(42)
		b.AddString("docType", "", "main")
		b.AddBytes("submission", "json", []byte(`{"a":1}`))
		b.AddBytes("hash", "", []byte{0, 255, 1})
		b.AddInt("sampleId", "", 9_007_199_254_740_993)
		b.AddDouble("ratio", "", math.Inf(-1))
		b.AddBool("enabled", "", true)
		b.AddInt("several", "", 7, 8, 9)
		b.AddString("docType", "", "a second field of the name")
		b.AddString("broken", "", "a\xffb\x00c")
	})
	least := build(func(b *message.Builder) { b.SetTimestamp(-1) })
	data, misfit := oneFile(t, nil, "telemetry", sandbox.Row{Message: full}, sandbox.Row{Message: least})

	want := []map[string]any{
		{
			"timestamp": int64(1_700_000_000_123_456), "type": "telemetry", "logger": "telemetry", "hostname": "host1",
			"severity": int32(3), "pid": int32(42), "env_version": "2", "uuid": "30313233-3435-3637-3839-616263646566",
			"doc_type": "main", "submission": `{"a":1}`, "hash": "\x00\xff\x01", "sample_id": int64(9_007_199_254_740_993),
			"ratio": math.Inf(-1), "enabled": true, "several": int64(7), "broken": "a\uFFFDb\x00c",
		},
		{"timestamp": int64(-1), "severity": int32(7)},
	}
	if diff := cmp.Diff(want, parquetRows(t, data)); diff != "" {
		t.Error(diff)
	}
	wantTypes := []string{
		"timestamp TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)", "type STRING", "logger STRING", "hostname STRING",
		"severity INT(32,true)", "pid INT(32,true)", "env_version STRING", "uuid STRING",
		"broken STRING", "doc_type STRING", "enabled BOOLEAN", "hash BYTE_ARRAY", "ratio DOUBLE", "sample_id INT(64,true)", "several INT(64,true)",
		"submission STRING",
	}
	if diff := cmp.Diff(wantTypes, parquetTypes(t, data)); diff != "" {
		t.Error(diff)
	}
	if misfit != (lake.Misfit{}) {
		t.Errorf("misfit %+v", misfit)
	}
}

func TestFieldsAreChosen(t *testing.T) {
	t.Parallel()
	msg := build(func(b *message.Builder) {
		b.SetHeader(message.Payload, "text")
		b.AddString("a", "", "1")
		b.AddString("b", "", "2")
	})
	for _, c := range []struct {
		fields []string
		want   map[string]any
	}{
		{nil, map[string]any{"a": "1", "b": "2"}},
		{[]string{}, map[string]any{}},
		{[]string{"b", "missing"}, map[string]any{"b": "2"}},
		{[]string{"Payload", "a"}, map[string]any{"a": "1", "payload": "text"}},
	} {
		data, _ := oneFile(t, nil, "p", sandbox.Row{Message: msg, Fields: c.fields})
		got := parquetRows(t, data)[0]
		delete(got, "timestamp")
		delete(got, "severity")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("fields %q: %s", c.fields, diff)
		}
		if n := len(parquetTypes(t, data)); n != header+len(c.want) {
			t.Errorf("fields %q: %d columns", c.fields, n)
		}
	}
}

// One name, several types: numbers meet as double, all else as text.
func TestWidening(t *testing.T) {
	t.Parallel()
	add := map[string]func(b *message.Builder){
		"string": func(b *message.Builder) { b.AddString("x", "", "s") },
		"int":    func(b *message.Builder) { b.AddInt("x", "", 5) },
		"double": func(b *message.Builder) { b.AddDouble("x", "", 2.5) },
		"bool":   func(b *message.Builder) { b.AddBool("x", "", true) },
		"blob":   func(b *message.Builder) { b.AddBytes("x", "", []byte{0xfe}) },
		"json":   func(b *message.Builder) { b.AddBytes("x", "json", []byte("{}")) },
	}
	for _, c := range []struct {
		kinds   []string
		typ     string
		want    []any
		widened int64
	}{
		{[]string{"int", "double"}, "DOUBLE", []any{5.0, 2.5}, 1},
		{[]string{"double", "int"}, "DOUBLE", []any{2.5, 5.0}, 1},
		{[]string{"int", "string", "double", "bool"}, "STRING", []any{"5", "s", "2.5", "true"}, 1},
		{[]string{"bool", "int"}, "STRING", []any{"true", "5"}, 1},
		{[]string{"blob", "string"}, "STRING", []any{"\uFFFD", "s"}, 1},
		{[]string{"json", "string"}, "STRING", []any{"{}", "s"}, 0},
		{[]string{"blob"}, "BYTE_ARRAY", []any{"\xfe"}, 0},
	} {
		var rows []sandbox.Row
		for _, k := range c.kinds {
			rows = append(rows, sandbox.Row{Message: build(add[k])})
		}
		data, misfit := oneFile(t, nil, "p", rows...)
		if got := parquetTypes(t, data)[header]; got != "x "+c.typ {
			t.Errorf("%v became %s", c.kinds, got)
		}
		for i, row := range parquetRows(t, data) {
			if row["x"] != c.want[i] {
				t.Errorf("%v: row %d is %v, want %v", c.kinds, i, row["x"], c.want[i])
			}
		}
		if misfit.Widened != c.widened {
			t.Errorf("%v: counted as widened %d times", c.kinds, misfit.Widened)
		}
	}
}

func TestPayloadColumns(t *testing.T) {
	t.Parallel()
	cols := declared{"main": {
		{Path: []string{"clientId"}, Name: "client_id", Type: schemas.String},
		{Path: []string{"type"}, Name: "type", Type: schemas.String},
		{Path: []string{"environment", "build", "version"}, Name: "environment_build_version", Type: schemas.String},
		{Path: []string{"environment", "cores"}, Name: "environment_cores", Type: schemas.Integer},
		{Path: []string{"environment", "load"}, Name: "environment_load", Type: schemas.Double},
		{Path: []string{"ok"}, Name: "ok", Type: schemas.Bool},
	}}
	row := func(submission string, more func(b *message.Builder)) sandbox.Row {
		return sandbox.Row{Payload: "submission", DocType: "main", Message: build(func(b *message.Builder) {
			b.SetHeader(message.Type, "telemetry")
			b.AddString("clientId", "", "of the message")
			b.AddBytes("submission", "json", []byte(submission))
			if more != nil {
				more(b)
			}
		})}
	}
	section := func(b *message.Builder) { b.AddBytes("environment.build", "json", []byte(`{"version":"cut out"}`)) }
	rows := []sandbox.Row{
		row(`{"clientId":"c1","type":"main","environment":{"build":{"version":"99"},"cores":8,"load":0.5},"ok":true,"more":[1,{"type":2}]}`, nil),
		row(`{"clientId":17,"type":null,"environment":{"cores":8.0,"load":3,"build":"no object"},"ok":"no"}`, nil),
		row(`{"environment":{"cores":8.5,"load":1e400}}`, section),
		row(`{"environment":[]}`, nil),
		row(`{"clientId":`, nil),
		row(`"text"`, nil),
		{Payload: "submission", DocType: "main", Message: build(func(*message.Builder) {})},
	}
	data, misfit := oneFile(t, cols, "p", rows...)
	want := []map[string]any{
		{"client_id": "c1", "payload_type": "main", "environment_build_version": "99", "environment_cores": int64(8), "environment_load": 0.5, "ok": true},
		{"client_id": "17", "environment_cores": int64(8), "environment_load": 3.0},
		{"environment_build_version": "cut out", "environment_build": `{"version":"cut out"}`},
		{}, {}, {}, {},
	}
	for i := range want[:6] {
		want[i]["field_client_id"], want[i]["type"] = "of the message", "telemetry"
	}
	got := parquetRows(t, data)
	for _, r := range got {
		delete(r, "timestamp")
		delete(r, "severity")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if misfit.Rows != 2 {
		t.Errorf("%d rows without a document were counted, want 2", misfit.Rows)
	}
}

// Names depend on the schema, not on what a file happens to hold.
func TestColumnNames(t *testing.T) {
	t.Parallel()
	cols := declared{
		"one": {
			{Path: []string{"a", "b"}, Name: "a_b", Type: schemas.Integer},
			{Path: []string{"a_b"}, Name: "a_b", Type: schemas.Integer},
			{Path: []string{"uuid"}, Name: "uuid", Type: schemas.String},
			{Path: []string{"day"}, Name: "day", Type: schemas.String},
			{Path: []string{"payload"}, Name: "payload", Type: schemas.String},
		},
		"two": {{Path: []string{"ab"}, Name: "a_b", Type: schemas.String}},
	}
	message := func(name, doc string) []byte {
		return build(func(b *message.Builder) {
			b.AddString("day", "", "field")
			b.AddString("Type", "", "field")
			b.AddString("Doc-Type", "", "1")
			b.AddString("docType", "", "2")
			b.AddString("fieldDay", "", "3")
			b.AddString("doc", "json", doc)
		})
	}
	data, _ := oneFile(t, cols, "x/Day=20261123",
		sandbox.Row{DocType: "one", Payload: "doc", Message: message("one", `{"a":{"b":1},"a_b":2,"uuid":"u","day":"d","payload":"p"}`)},
		sandbox.Row{DocType: "two", Payload: "doc", Message: message("two", `{"ab":"text"}`)})
	fields := map[string]any{"field_day": "field", "field_type": "field", "doc_type": "1", "field_doc_type": "2", "field_field_day": "3"}
	want := []map[string]any{
		{"a_b": "2", "a_b_11aef71f42e09a03": int64(1), "payload_uuid": "u", "payload_day": "d", "payload_payload": "p"},
		{"a_b": "text"},
	}
	got := parquetRows(t, data)
	for i, w := range want {
		for k, v := range fields {
			w[k] = v
		}
		delete(got[i], "timestamp")
		delete(got[i], "severity")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestManyRowsAndColumns(t *testing.T) {
	t.Parallel()
	const n = 1500
	var rows []sandbox.Row
	for i := range n {
		rows = append(rows, sandbox.Row{Message: build(func(b *message.Builder) {
			b.SetTimestamp(int64(i) * 1000)
			b.AddInt(fmt.Sprint("only", i), "", int64(i))
			b.AddString("id", "", fmt.Sprint(i))
		})})
	}
	data, misfit := oneFile(t, nil, "p", rows...)
	got := parquetRows(t, data)
	if len(got) != n {
		t.Fatalf("%d rows", len(got))
	}
	for i, r := range got {
		if r["timestamp"] != int64(i) || r["id"] != fmt.Sprint(i) {
			t.Fatalf("row %d is %v", i, r)
		}
	}
	if columns := len(parquetTypes(t, data)); columns > header+1000 || misfit.Columns != int64(n+1+header-columns) {
		t.Errorf("%d columns, %d left out", columns, misfit.Columns)
	}
}

// What a plugin says of its rows may differ from row to row, without an end.
func TestManySpecs(t *testing.T) {
	t.Parallel()
	var rows []sandbox.Row
	for i := range 1000 {
		rows = append(rows, sandbox.Row{DocVersion: fmt.Sprint(i), Payload: "doc", Message: build(func(b *message.Builder) {
			b.AddString("doc", "json", "{}")
			b.AddInt("i", "", int64(i))
		})})
	}
	data, _ := oneFile(t, declared{}, "p", rows...)
	for i, r := range parquetRows(t, data) {
		if r["i"] != int64(i) {
			t.Fatalf("row %d is %v", i, r)
		}
	}
}

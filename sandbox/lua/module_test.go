package lua

import (
	"errors"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/jsondoc"
	"sandbar/sandbox/message"
)

// fakes are a world that a decoder or output can reach.
type fakes struct {
	heka    []string
	parquet []sandbox.Row
	docs    []string
}

func (f *fakes) Validate(namespace, docType, version string, doc jsondoc.Value, _ func(int64)) sandbox.Verdict {
	f.docs = append(f.docs, string(doc.AppendTo(nil)))
	switch docType {
	case "unknown":
		return sandbox.Verdict{}
	case "bad":
		return sandbox.Verdict{Known: true, Path: "/a", Keyword: "type", Message: namespace + version}
	}
	return sandbox.Verdict{Known: true, Valid: true}
}

func (f *fakes) Lookup(addr string) (sandbox.Place, bool) {
	return sandbox.Place{Country: "SE", City: "Umeå"}, addr == "1.2.3.4"
}

func (f *fakes) Heka(path string, _ []byte) error {
	if path == "" {
		return errors.New("an empty path")
	}
	f.heka = append(f.heka, path)
	return nil
}

func (f *fakes) Parquet(_ string, row sandbox.Row) error {
	f.parquet = append(f.parquet, row)
	return nil
}

func with(t *testing.T, kind sandbox.Kind, f *fakes, body string) sandbox.Result {
	t.Helper()
	cfg, err := ParseConfig(kind, "test", []byte("message_matcher = 'TRUE'"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{now: time.Unix(1_700_000_000, 0)}
	env := b.env()
	env.Schemas, env.Geo, env.Lake = f, f, f
	p, err := Load(cfg, []byte("function process_message()\n"+body+"\nreturn 0 end"), env)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var m message.Builder
	m.AddBytes("content", "", []byte(`{"a":{"b":[1,"two",true,null,{"c":2.5}]},"n":9007199254740993}`))
	m.AddString("broken", "", `{"a":`)
	var v message.View
	if err := v.Parse(m.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	return p.Process(&v)
}

func TestModules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind sandbox.Kind
		body string
	}{
		{"json get", sandbox.Decoder, `local d = require("json").parse_message("Fields[content]")
			assert(d:get("a", "b", 1) == 1 and d:get("a", "b", 2) == "two" and d:get("a", "b", 3) == true and d:get("a", "b", 4) == nil)
			assert(d:get("a", "b", 5, "c") == 2.5 and d:get("x") == nil and d:get("a", "b", 0) == nil and d:get("a", "b", 9) == nil)
			assert(d:type("a", "b", 4) == "null" and d:type("a") == "object" and d:type("x") == nil and d:size("a", "b") == 5)
			assert(d:get("a", "b", 5) == '{"c":2.5}')`},
		{"json remove", sandbox.Decoder, `local d = require("json").parse_message("Fields[content]")
			local part = d:remove("a", "b")
			assert(part and d:remove("a", "b") == nil and d:text() == '{"a":{},"n":9007199254740993}')
			inject_message({Fields = {part = part, rest = d}})`},
		{"json close", sandbox.Decoder, `require "string"
			local json, schema = require "json", require "schema"
			local d = json.parse('{"a":"one","b":{"c":[1]}}')
			assert(d:string("a") == "one" and d:string("b") == nil and d:string("b", "c", 1) == nil and d:string("none") == nil and d:string("b", "c", "x") == nil)
			local a, b, part = d:get("a"), d:get("b"), d:remove("b", "c")
			d:close()
			local other = json.parse('{"x":"two","y":{"z":[2]}}')
			assert(a == "one" and b == '{"c":[1]}' and other:get("x") == "two")
			for _, f in ipairs {d.get, d.string, d.type, d.size, d.text, d.remove, d.close} do
				local ok, why = pcall(f, d, "x")
				assert(not ok and why:find("closed"), why)
			end
			for _, f in ipairs {function() inject_message({Fields = {d = d}}) end, function() inject_message({Payload = d}) end,
				function() add_to_payload(d) end, function() schema.validate(d, "ns", "good", "1") end} do
				local ok, why = pcall(f)
				assert(not ok and why:find("closed"), why)
			end
			inject_message({Fields = {part = part, rest = other}})
			for i = 1, 1000 do json.parse("[" .. string.rep("1,", 1000) .. "1]"):close() end
			assert(other:text() == '{"x":"two","y":{"z":[2]}}')`},
		{"json errors", sandbox.Decoder, `local json = require "json"
			local d, why = json.parse_message("Fields[broken]")
			assert(d == nil and string == nil and why ~= nil)
			assert(json.parse_message("Fields[none]") == nil and json.parse("[1") == nil and json.parse("[1]"):size() == 1)
			assert(not pcall(json.parse) and not pcall(json.parse("1").get, 5))`},
		{"schema", sandbox.Decoder, `local schema, d = require "schema", require("json").parse("{}")
			assert(schema.validate(d, "ns", "good", "1") == true)
			local ok, fault = schema.validate(d, "ns", "bad", "7")
			assert(ok == false and fault.path == "/a" and fault.keyword == "type" and fault.message == "ns7")
			local none, why = schema.validate(d, "ns", "unknown", "1")
			assert(none == nil and why ~= nil and not pcall(schema.validate, {}, "a", "b", "c"))`},
		{"geo", sandbox.Decoder, `local geo = require "geo"
			local p = geo.lookup("1.2.3.4")
			assert(p.country == "SE" and p.city == "Umeå" and p.isp == nil and geo.lookup("x") == nil)`},
		{"anomaly of an array", sandbox.Analysis, `local anomaly = require "anomaly"
			local math = require "math"
			local s = {}
			for i = 1, 300 do s[i] = 100 + i % 7 end
			local score, direction, expected, low, high = anomaly.ewma(s)
			assert(score < 1 and math.abs(expected - 103) < 1 and low < expected and high > expected)
			s[301] = 300
			score, direction = anomaly.ewma(s, {far = 4})
			assert(score > 1 and direction == 1)
			assert(anomaly.ewma(s, {at = 300}) < 1)
			local none, side, what = anomaly.seasonal(s, {step = 3600})
			assert(none > 1 and side == 1 and what > 90)
			local quiet, _, nothing = anomaly.seasonal({1, 2, 3})
			assert(quiet == 0 and nothing == nil)`},
		{"anomaly of a buffer", sandbox.Analysis, `local anomaly = require "anomaly"
			local cb = require("circular_buffer").new(400, 2, 600)
			for i = 1, 400 do cb:set(i * 600e9, 2, i < 390 and 50 + i % 5 or 500) end
			assert(anomaly.jump(cb, {column = 2, at = 389 * 600e9}) < 1)
			local score, direction, expected = anomaly.jump(cb, {column = 2, at = 390 * 600e9})
			assert(score > 1 and direction == 1 and expected == 52)
			assert(anomaly.jump(cb, {column = 1}) == 0)
			assert(not pcall(anomaly.jump, cb, {column = 3}) and not pcall(anomaly.jump, cb, {at = 5e18}) and not pcall(anomaly.jump, cb, {at = -7}))`},
		{"anomaly of samples", sandbox.Analysis, `local anomaly, math = require "anomaly", require "math"
			local a, b = {}, {}
			for i = 1, 1000 do a[i], b[i] = i, i + 200 end
			local now, then_, z = anomaly.quantile_shift(b, a, 0.5)
			assert(now == 700.5 and then_ == 500.5 and z > 5)
			local chance, p = anomaly.rank_sum(a, b)
			assert(chance < 0.5 and p < 1e-6)
			assert(anomaly.pearson({1, 2, 3}, {10, 20, 30}) > 0.9999 and anomaly.earth_mover({1, 0}, {0, 1}) == 1)
			local chi2, degrees, p = anomaly.chi_square({100, 100}, {100, 200})
			assert(chi2 > 1 and degrees == 1 and p < 0.01)
			local new, gone = anomaly.categories({a = 1000, c = 50}, {a = 900, b = 500})
			assert(#new == 1 and new[1] == "c" and #gone == 1 and gone[1] == "b")
			local trend, wave, rest = anomaly.decompose(a, {10})
			assert(#trend == 1000 and #wave == 1000 and math.abs(trend[7] + wave[7] + rest[7] - a[7]) < 1e-9)
			assert(anomaly.quantile_shift({}, {}, 0.5) == nil)`},
		{"anomaly of what is wrong", sandbox.Analysis, `local anomaly, string = require "anomaly", require "string"
			for _, c in ipairs({{{1, 2}, {magic = 1}, "no setting"}, {{1, 2}, {far = 0 / 0}, "far"}, {{1, 2}, {window = 1.5}, "whole"}, {{1, 2}, {far = "x"}, "names with numbers"}, {5, {}, "table"}, {{1, 2}, 7, "table"},
				{{1, 2}, {at = 3}, "at"}, {{1, 2}, {step = 0}, "step"}, {{}, nil, "at"}}) do
				local ok, why = pcall(anomaly.ewma, c[1], c[2])
				assert(not ok and string.find(why, c[3], 1, true), why)
			end
			assert(not pcall(anomaly.categories, {1}, {}) and not pcall(anomaly.categories, {a = "x"}, {}) and not pcall(anomaly.categories, {}, {}, 2))
			assert(not pcall(anomaly.decompose, {}, {1, 2, 3, 4, 5, 6, 7, 8, 9}))
			anomaly.mww({0 / 0, 1 / 0, -1 / 0, "x", true})
			anomaly.decompose({0 / 0, 1 / 0}, {-1, 0, 1e300})`},
		{"zlib", sandbox.Decoder, `local crc = require("zlib").crc32()
			assert(crc("hello ") == 3984718326)
			assert(crc("world") == 222957957)`},
		{"cuckoo", sandbox.Decoder, `require "cuckoo_filter_expire"
			local f = cuckoo_filter_expire.new(1000, 1)
			local added, delta = f:add("k", 600e9)
			assert(added and delta == 0)
			added, delta = f:add("k", 720e9)
			assert(not added and delta == 2 and f:count() == 1 and f:query("k") and not f:query("x"))
			assert(f:delete("k") and f:count() == 0 and not pcall(cuckoo_filter_expire.new, 1, 1))
			local ns, i = f:current_interval()
			assert(ns == 720e9 and i == 12)`},
		{"lake", sandbox.Output, `local lake = require "lake"
			lake.heka("a/b")
			lake.parquet("t/v1", {fields = {"x", "y"}, payload = "content", namespace = "ns", doc_type = "d", doc_version = "1"})
			assert(not pcall(lake.heka, ""))`},
	} {
		f := &fakes{}
		if res := with(t, c.kind, f, c.body); res.Outcome != sandbox.OK {
			t.Errorf("%s: line %d: %s", c.name, res.Line, res.Text)
		}
		if c.name == "lake" && (len(f.heka) != 1 || len(f.parquet) != 1 || f.parquet[0].Fields[1] != "y" || f.parquet[0].DocVersion != "1" || len(f.parquet[0].Message) == 0) {
			t.Errorf("the lake got %v %+v", f.heka, f.parquet)
		}
	}
}

// TestAbsentCapabilities: a plugin that reaches for what it was not given is told so.
func TestAbsentCapabilities(t *testing.T) {
	t.Parallel()
	b := load(t, sandbox.Analysis, "", `local schema, json, geo = require "schema", require "json", require "geo"
		function process_message() assert(geo.lookup("1.2.3.4") == nil) schema.validate(json.parse("{}"), "a", "b", "1") return 0 end`)
	res := b.Process(sample(t))
	if res.Outcome != sandbox.RuntimeError {
		t.Errorf("%v", res)
	}
	contains(t, res.Text, "there are no schemas here")
}

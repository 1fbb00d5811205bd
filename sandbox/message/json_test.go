package message_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sandbar/sandbox/message"
)

// anyMessage builds a message of everything that a Builder can make.
func anyMessage(t *rapid.T) []byte {
	var b message.Builder
	if rapid.Bool().Draw(t, "has uuid") {
		u := message.NewUUID(rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo"))
		b.SetUUID(u[:])
	}
	b.SetTimestamp(rapid.Int64().Draw(t, "timestamp"))
	bytes := rapid.SliceOfN(rapid.Byte(), 0, 20)
	for h := range message.Header(message.Headers) {
		if rapid.Bool().Draw(t, h.String()) {
			b.SetHeaderBytes(h, bytes.Draw(t, "header"))
		}
	}
	if rapid.Bool().Draw(t, "has severity") {
		b.SetSeverity(rapid.Int32().Draw(t, "severity"))
		b.SetPid(rapid.Int32().Draw(t, "pid"))
	}
	for range rapid.IntRange(0, 5).Draw(t, "fields") {
		name, repr := string(bytes.Draw(t, "name")), rapid.StringN(0, 5, 10).Draw(t, "representation")
		switch message.ValueType(rapid.IntRange(0, 4).Draw(t, "type")) {
		case message.String:
			b.AddString(name, repr, rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "strings")...)
		case message.Bytes:
			b.AddBytes(name, repr, rapid.SliceOfN(bytes, 0, 3).Draw(t, "bytes")...)
		case message.Integer:
			b.AddInt(name, repr, rapid.SliceOfN(rapid.Int64(), 0, 3).Draw(t, "integers")...)
		case message.Double:
			b.AddDouble(name, repr, rapid.SliceOfN(rapid.Float64(), 0, 3).Draw(t, "doubles")...)
		case message.Bool:
			b.AddBool(name, repr, rapid.SliceOfN(rapid.Bool(), 0, 3).Draw(t, "bools")...)
		}
	}
	return b.AppendTo(nil)
}

func TestJSONAndBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		msg := anyMessage(t)
		var v message.View
		if err := v.Parse(msg); err != nil {
			t.Fatal(err)
		}
		text := message.AppendJSON(nil, &v)
		if !json.Valid(text) {
			t.Fatalf("not JSON: %s", text)
		}
		again, err := message.FromJSON(text)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if !bytes.Equal(again, msg) {
			t.Fatalf("%s\n%x became\n%x", text, msg, again)
		}
	})
}

func TestJSONForms(t *testing.T) {
	t.Parallel()
	const full = `{"Uuid":"00000000-0000-4001-8000-000000000002","Timestamp":9007199254740993,"Type":"T","Payload":{"base64":"/w=="},` +
		`"Fields":[{"name":"a","value_type":"integer","representation":"B","value":[-9223372036854775808]},{"name":"d","value_type":"double","value":["NaN","-Infinity",0.5]}]}`
	cases := []struct{ name, in, out string }{
		{"the same again", full, full},
		{"fields as an object", `{"Timestamp":1,"Fields":{"z":"s","a":3,"f":0.5,"t":true,"l":[1,2],"b":{"base64":"AA=="}}}`,
			`{"Timestamp":1,"Fields":[{"name":"z","value_type":"string","value":["s"]},{"name":"a","value_type":"integer","value":[3]},` +
				`{"name":"f","value_type":"double","value":[0.5]},{"name":"t","value_type":"bool","value":[true]},` +
				`{"name":"l","value_type":"integer","value":[1,2]},{"name":"b","value_type":"bytes","value":["\u0000"]}]}`},
		{"a value that is no list", `{"Fields":[{"name":"x","value":"y"}]}`, `{"Timestamp":0,"Fields":[{"name":"x","value_type":"string","value":["y"]}]}`},
		{"nothing", `{}`, `{"Timestamp":0}`},
	}
	for _, c := range cases {
		msg, err := message.FromJSON([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var v message.View
		if err := v.Parse(msg); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := string(message.AppendJSON(nil, &v)); got != c.out {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.out)
		}
	}
	for in, want := range map[string]string{
		`[]`: "cannot unmarshal", `{"Uuid":"x"}`: "8-4-4-4-12", `{"Typ":"x"}`: "unknown field", `{"Timestamp":1.5}`: "Timestamp",
		`{"Fields":[{"name":"x","value_type":"int","value":[1]}]}`: "value_type", `{"Fields":{"x":null}}`: "field x",
		`{"Fields":{"x":[1,"a"]}}`: "field x", `{"Fields":{"x":[1,0.5]}}`: "field x", `{"Fields":3}`: "cannot unmarshal", `{} {}`: "more than one",
	} {
		if _, err := message.FromJSON([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", in, err, want)
		}
	}
}

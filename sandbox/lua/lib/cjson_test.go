package lib

import (
	"strings"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/vm"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`cjson.encode(nil)`: `null`, `cjson.encode(true)`: `true`, `cjson.encode(1)`: `1`, `cjson.encode(0.1)`: `0.1`, `cjson.encode(-1e100)`: `-1e+100`,
		`cjson.encode(1/3)`: `0.33333333333333`, `cjson.encode(2^53)`: `9.007199254741e+15`, `cjson.encode("")`: `""`, `cjson.encode({})`: `{}`, `cjson.encode({1,2})`: `[1,2]`,
		`cjson.encode({1,nil,3})`: `[1,null,3]`, `cjson.encode({a=1})`: `{"a":1}`, `cjson.encode({a={b={}}})`: `{"a":{"b":{}}}`, `cjson.encode({1,a=2})`: `{"1":1,"a":2}`,
		`cjson.encode({[1.5]=1})`: `{"1.5":1}`, `cjson.encode({[0]=1})`: `{"0":1}`, `cjson.encode({[10]=1})`: `[null,null,null,null,null,null,null,null,null,1]`,
		`cjson.encode({[11]=1})`:                     `error Cannot serialise table: excessively sparse array`,
		`cjson.encode({[1e9]=1})`:                    `error Cannot serialise table: excessively sparse array`,
		`cjson.encode({[1e9]=1, a=1})`:               `{"1000000000":1,"a":1}`,
		`cjson.encode(cjson.null)`:                   `null`,
		`cjson.encode({cjson.null})`:                 `[null]`,
		`cjson.encode("a\"b\\c/d\b\t\n\f\r\1\127é")`: `"a\"b\\c\/d\b\t\n\f\r\u0001\u007fé"`,
		`cjson.encode(print)`:                        `error Cannot serialise function: type not supported`,
		`cjson.encode({f=print})`:                    `error Cannot serialise function: type not supported`,
		`cjson.encode({[true]=1})`:                   `error Cannot serialise table: table key must be a number or string`,
		`cjson.encode(0/0)`:                          `error Cannot serialise number: must not be NaN or Inf`,
		`cjson.encode({1/0})`:                        `error Cannot serialise number: must not be NaN or Inf`,
		`cjson.encode()`:                             `error bad argument #1 to 'encode' (expected 1 argument)`,
		`cjson.encode(1, 2)`:                         `error bad argument #1 to 'encode' (expected 1 argument)`,
		`(function() local t = {} t.t = t return cjson.encode(t) end)()`:                        `error Cannot serialise, excessive depth (1001)`,
		`(function() local t = {} for i = 1, 999 do t = {t} end return #cjson.encode(t) end)()`: `2000`,
		`(function() local t = {1, 2, 3} t[3] = nil t[2] = nil return cjson.encode(t) end)()`:   `[1]`,
		`(function() local t = {a = 1} t.a = nil return cjson.encode(t) end)()`:                 `{}`,
		`(function() local t = {z = 1, y = 2} t.x = 3 t.y = nil return #cjson.encode(t) end)()`: `13`,
	} {
		if got := evaluate(t, expression); got != want {
			t.Errorf("%s gave %s, want %s", expression, got, want)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`null`: `nil`, `true`: `true`, ` false `: `false`, `0`: `0`, `-0`: `-0`, `12`: `12`, `-12.5e2`: `-1250`, `1e400`: `inf`, `123456789012345678`: `1.2345678901235e+17`,
		`"x"`: `x`, `""`: ``, `"\"\\\/\b\t\n\f\r"`: "\"\\/\b\t\n\f\r", `"\u00e9\u20ac"`: `é€`, `"\ud83d\ude00"`: `😀`, `"a\u0000b"`: "a\x00b",
		``:                         `error Expected value but found T_END at character 1`,
		`{`:                        `error Expected object key string but found T_END at character 2`,
		`[`:                        `error Expected value but found T_END at character 2`,
		`[1`:                       `error Expected comma or array end but found T_END at character 3`,
		`[1,]`:                     `error Expected value but found T_ARR_END at character 4`,
		`{"a"}`:                    `error Expected colon but found T_OBJ_END at character 5`,
		`{"a":}`:                   `error Expected value but found T_OBJ_END at character 6`,
		`{"a":1,}`:                 `error Expected object key string but found T_OBJ_END at character 8`,
		`{"a":1 "b"}`:              `error Expected comma or object end but found T_STRING at character 8`,
		`{1:2}`:                    `error Expected object key string but found T_NUMBER at character 2`,
		`1 2`:                      `error Expected the end but found T_NUMBER at character 3`,
		`nul`:                      `error Expected value but found invalid token at character 1`,
		`  @`:                      `error Expected value but found invalid token at character 3`,
		`01`:                       `error Expected value but found invalid number at character 1`,
		`-`:                        `error Expected value but found invalid number at character 1`,
		`1.`:                       `error Expected value but found invalid number at character 1`,
		`1e`:                       `error Expected value but found invalid number at character 1`,
		`0x10`:                     `error Expected the end but found invalid token at character 2`,
		`"x`:                       `error Expected value but found unexpected end of string at character 3`,
		`"\`:                       `error Expected value but found unexpected end of string at character 2`,
		`"\x"`:                     `error Expected value but found invalid escape code at character 2`,
		`"\u12"`:                   `error Expected value but found invalid unicode escape code at character 2`,
		`"\ud800"`:                 `error Expected value but found invalid unicode escape code at character 2`,
		`"\udc00"`:                 `error Expected value but found invalid unicode escape code at character 2`,
		"\x00[":                    `error JSON parser does not support UTF-16 or UTF-32`,
		strings.Repeat("[", 1001):  `error Found too many nested data structures (1001)`,
		strings.Repeat("[", 1<<20): `error Found too many nested data structures (1001)`,
	} {
		h := newHost()
		L, _ := newState(h, vm.Options{})
		L.SetGlobal("text", L.Str(text))
		got := ""
		if err := doString(L, `local ok, v = pcall(cjson.decode, text) if ok then r = tostring(v) else r = "error " .. v:gsub("^x.lua:1: ", "") end`); err != nil {
			t.Fatal(err)
		}
		got, _ = L.Global("r").Str()
		if got != want {
			t.Errorf("%.40q gave %q, want %q", text, got, want)
		}
	}
}

func TestDecodedTables(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`cjson.decode('{"a":1,"b":[true,"x"]}').b[2]`:                                  `x`,
		`#cjson.decode('[1,2,3]')`:                                                     `3`,
		`cjson.decode('{"a":null}').a`:                                                 `nil`,
		`next(cjson.decode('{"a":null}'))`:                                             `nil`,
		`#cjson.decode('[1,null,3]'), cjson.decode('[1,null,3]')[2]`:                   `1 nil`,
		`#cjson.decode('[1,null]')`:                                                    `1`,
		`cjson.decode_null(true), cjson.decode('[null]')[1] == cjson.null`:             `nil true`,
		`cjson.decode_null(true), cjson.encode(cjson.decode('[null,{"a":null}]'))`:     `nil [null,{"a":null}]`,
		`cjson.decode_null(true), cjson.decode_null(false), cjson.decode('null')`:      `nil nil nil`,
		`cjson.decode_null()`:                                                          `error bad argument #1 to 'decode_null' (boolean expected, got no value)`,
		`cjson.decode('{"a":1,"a":2}').a`:                                              `2`,
		`cjson.decode('{"":1}')[""]`:                                                   `1`,
		`cjson.decode()`:                                                               `error bad argument #1 to 'decode' (expected 1 argument)`,
		`cjson.decode({})`:                                                             `error bad argument #1 to 'decode' (string expected, got table)`,
		`cjson.decode(5)`:                                                              `5`,
		`type(cjson.decode(('['):rep(1000) .. (']'):rep(1000)))`:                       `table`,
		`#cjson.decode('[' .. ('1,'):rep(9999) .. '1]')`:                               `10000`,
		`cjson.encode(cjson.decode('{"a":[1,2.5,"x\\u0001\\/",{"b":{}}],"c":-1e-7}'))`: `{"a":[1,2.5,"x\u0001\/",{"b":{}}],"c":-1e-07}`,
	} {
		if got := evaluate(t, expression); got != want {
			t.Errorf("%s gave %s, want %s", expression, got, want)
		}
	}
}

func TestEncodeOutputLimit(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`cjson.encode(("x"):rep(999))`, `cjson.encode({("x"):rep(500), ("x"):rep(500)})`, `cjson.encode(("\1"):rep(200))`,
		`local t = {} for i = 1, 20 do t = {t, t} end cjson.encode(t)`, `local t = {} for i = 1, 600 do t[i] = 1 end cjson.encode(t)`,
	} {
		h := newHost()
		h.cfg.Limits.Output = 1000
		L, _ := newState(h, vm.Options{})
		err := doString(L, source)
		if err == nil || !strings.Contains(err.Error(), "output_limit exceeded") || h.outcome != sandbox.OutputExceeded {
			t.Errorf("%s ended with %v (%v)", source, err, h.outcome)
		}
	}
}

// What can be encoded comes back as it was.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\u00e9",null,true,{"b":{}}]}`, `[[[]]]`, `"\ud83d\ude00"`, `-0.0`, `{"a":1,"a":2}`, `[1,`, "\"\x00\xff\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		L, _ := newState(newHost(), vm.Options{Fuel: 1 << 24, Memory: 64 << 20})
		L.SetGlobal("text", L.Str(s))
		err := doString(L, `
			local ok, v = pcall(cjson.decode, text)
			if not ok then return end
			local ok, once = pcall(cjson.encode, v)
			if not ok then return end
			local again = cjson.encode(cjson.decode(once))
			if #again ~= #once then error("CHANGED " .. once .. " to " .. again) end`)
		if err != nil && strings.Contains(err.Error(), "CHANGED") {
			t.Fatal(err)
		}
	})
}

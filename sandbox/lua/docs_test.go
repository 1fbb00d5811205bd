package lua

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
)

// TestEditorKnowsTheAPI: what the page's editor completes and explains is what there is, all of it, and nothing else.
func TestEditorKnowsTheAPI(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../web/src/code/docs.json")
	if err != nil {
		t.Fatal(err)
	}
	var docs struct {
		Functions map[string][2]string            `json:"functions"`
		Modules   map[string]map[string][2]string `json:"modules"`
		Methods   map[string]map[string][2]string `json:"methods"`
		Config    map[string][2]string            `json:"config"`
	}
	if err := json.Unmarshal(text, &docs); err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{"function process_message": true, "function timer_event": true}
	for _, kind := range []sandbox.Kind{sandbox.Analysis, sandbox.Decoder, sandbox.Output} {
		cfg, err := ParseConfig(kind, "docs", []byte("message_matcher = 'TRUE' alert = {modules = {web = {}}}"))
		if err != nil {
			t.Fatal(err)
		}
		var modules []string
		for _, m := range lib.Modules() {
			if m.Only == "" || m.Only == kind {
				modules = append(modules, m.Name)
			}
		}
		source := `for k in pairs(_G) do print("function " .. k) end
			for m in ("` + strings.Join(modules, " ") + `"):gmatch("%S+") do for k in pairs(require(m)) do print("module " .. m .. " " .. k) end end
			function process_message() return 0 end`
		log := func(line string) { have[line] = true }
		if _, err := Load(cfg, []byte("require 'string' "+source), sandbox.Env{Now: time.Now, Log: log}); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range lib.Modules() { // require makes them globals
		delete(have, "function "+m.Name)
	}
	for _, k := range sandbox.HostKeys() {
		have["config "+k] = true
	}
	for _, k := range []string{"scope", "batch", "alert"} { // a word of the plugin's own may look like them
		have["config "+k] = true
	}
	written := map[string]bool{}
	note := func(where string, all map[string][2]string) {
		for name, doc := range all {
			written[where+name] = true
			if doc[1] == "" {
				t.Errorf("%s%s is not explained", where, name)
			}
		}
	}
	note("function ", docs.Functions)
	note("config ", docs.Config)
	for m, all := range docs.Modules {
		note("module "+m+" ", all)
	}
	for name := range have {
		if !written[name] {
			t.Errorf("the editor does not know %s", name)
		}
	}
	for name := range written {
		if !have[name] {
			t.Errorf("the editor knows %s, which there is not", name)
		}
	}
	// Methods are tried on an object each.
	for object, make := range map[string]string{"circular_buffer": "circular_buffer.new(2, 1, 1)", "cuckoo_filter_expire": "cuckoo_filter_expire.new(1000, 1)", "json": "json.parse('{}')"} {
		var names []string
		for name := range docs.Methods[object] {
			names = append(names, "o."+name+" or error('no "+name+"')")
		}
		slices.Sort(names)
		cfg, _ := ParseConfig(sandbox.Analysis, "docs", []byte("message_matcher = 'TRUE'"))
		if _, err := Load(cfg, []byte("require '"+object+"' local o = "+make+" local all = {"+strings.Join(names, ", ")+"} function process_message() return #all end"), sandbox.Env{Now: time.Now}); err != nil || len(names) < 5 {
			t.Errorf("%s: %v, %d methods", object, err, len(names))
		}
	}
}

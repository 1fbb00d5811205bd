package lua

import (
	"testing"
	"time"

	"sandbar/sandbox"
)

func TestLint(t *testing.T) {
	t.Parallel()
	const fine = "function process_message() return 0 end\n"
	for _, tt := range []struct{ name, source, want string }{
		{"nothing", fine, ""},
		{"set anywhere", fine + "function timer_event() late = 1 end function use() return late end", ""},
		{"never set", fine + "function timer_event()\n\n  print(cuont)\nend count = 0", "source line 4: the global cuont is never set; did you mean count?"},
		{"in a function within", fine + "local function f() return function() return nosuch end end", "source line 2: the global nosuch is never set"},
		{"an API function", "function process_message() inject_mesage({}) return 0 end", "source line 1: the global inject_mesage is never set; did you mean inject_message?"},
		{"a module without a require", "function process_message() return string.len('x') end", `source line 1: the global string is never set; add require "string"`},
		{"a module that is required later", "function process_message() require 'string' return string.len('x') - 1 end", ""},
		{"a module that is required", "require 'string'\nfunction process_message() return string.len('x') end", ""},
		{"no such library", "function process_message() io.write('x') return 0 end", "source line 1: the global io is never set; there is no such library here"},
		{"through _G", "_G['x'] = 1 function process_message() return x end", ""},
		{"with setfenv", "function process_message() return x end setfenv(process_message, {x = 1})", ""},
		{"set to nil and asked for", fine + "state = nil function f() return state end", ""},
		{"several, by line", fine + "function a() return bbb end\nfunction c() return aaa end", "source line 2: the global bbb is never set; source line 3: the global aaa is never set"},
		{"a global with a short name", fine + "n = 0 function f() return m end", "source line 2: the global m is never set"},
	} {
		cfg, err := ParseConfig(sandbox.Analysis, "lint", []byte("message_matcher = 'TRUE'"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Load(cfg, []byte(tt.source), sandbox.Env{Now: time.Now})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := sandbox.JoinFindings(p.(sandbox.Linter).Lint([]byte(tt.source))); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		p.Close()
	}
}

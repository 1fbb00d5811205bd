package wasm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
	"sandbar/sandbox/sandboxtest"
	"sandbar/sandbox/wasm/wasmtest"
)

// odd are values for parameters: addresses at and beyond the end of memory, lengths that overflow, handles that nothing has.
func odd() map[byte][]string {
	return map[byte][]string{
		'i': {"0", "1", "-1", "65535", "65536", "2147483647", "-2147483648", "8", "1024"},
		'l': {"0", "-1", "9223372036854775807", "-9223372036854775808", "1"},
		'd': {"nan", "inf", "-inf", "-1", "1e308"},
	}
}

// TestArguments calls every function of the host with odd arguments in many combinations: each call ends soon, with an outcome that is no
// fault of the host, and the plugin goes on.
func TestArguments(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for module, funcs := range map[string][]hostFunc{apiModule: apiFuncs(), wasiModule: wasiFuncs()} {
		for _, f := range funcs {
			calls := combinations(f.params)
			source := hostModule(module, &f, calls)
			p, err := loaded(e, "process_message_inject_limit = 100 alert = {modules = {web = {}}}", wasmtest.Assemble(t, f.name, source))
			if err != nil {
				t.Fatalf("%s: %v", f.name, err)
			}
			for i, args := range calls {
				tryCall(t, p.(*plugin), fmt.Sprintf("%s.%s(%s)", module, f.name, strings.Join(args, " ")), fmt.Sprint("call", i))
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func tryCall(t *testing.T, p *plugin, what, export string) {
	p.msgs = []*message.View{sandboxtest.Sample(t)}
	begun := time.Now()
	res := p.call(p.module.ExportedFunction(export), false)
	p.msgs = nil
	if strings.Contains(res.Text, "runtime error:") || strings.Contains(res.Trace, "goroutine ") {
		t.Errorf("%s is a fault of the host: %s\n%s", what, res.Text, res.Trace)
	}
	if took := time.Since(begun); took > 200*time.Millisecond {
		t.Errorf("%s took %v", what, took)
	}
	if res := p.call(p.module.ExportedFunction("well"), false); res.Outcome != sandbox.OK {
		t.Errorf("after %s nothing goes on: %s", what, res.Text)
	}
}

// combinations gives each parameter each odd value while the others have one and the same, and all alike.
func combinations(params string) [][]string {
	if params == "" {
		return [][]string{nil}
	}
	var out [][]string
	for base := range 4 {
		for at := range len(params) {
			for _, v := range odd()[params[at]] {
				args := make([]string, len(params))
				for i := range args {
					values := odd()[params[i]]
					args[i] = values[base%len(values)]
				}
				args[at] = v
				out = append(out, args)
			}
		}
	}
	return out
}

func hostModule(module string, f *hostFunc, calls [][]string) string {
	types := strings.NewReplacer("i", " i32", "l", " i64", "d", " f64")
	var b strings.Builder
	fmt.Fprintf(&b, "(module (import %q %q (func $f (param%s) (result%s)))\n", module, f.name, types.Replace(f.params), types.Replace(f.result))
	b.WriteString("(import \"sandbar_v1\" \"inject_new\" (func $new)) (import \"sandbar_v1\" \"buffer_new\" (func $buffer (param i32 i32 i32) (result i32)))")
	b.WriteString(`{{plugin}} (data (i32.const 0) "Fields[text]")
		(func (export "sandbar_init") (result i32) (drop (call $buffer (i32.const 10) (i32.const 2) (i32.const 60))) (i32.const 0))
		(func (export "sandbar_process") (param i32) (result i32) (i32.const 0)) (func (export "well"))`)
	for i, args := range calls {
		fmt.Fprintf(&b, "\n(func (export \"call%d\") (call $new) (call $f", i)
		for k, v := range args {
			fmt.Fprintf(&b, " (%s.const %s)", map[byte]string{'i': "i32", 'l': "i64", 'd': "f64"}[f.params[k]], v)
		}
		b.WriteString(")")
		if f.result != "" {
			b.WriteString(" drop")
		}
		b.WriteString(")")
	}
	b.WriteString(")")
	return b.String()
}

package wasm

import (
	"fmt"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
	"sandbar/sandbox/wasm/wasmtest"
)

// TestBatch gives a plugin several messages in one call: each handle is a message of its own, and one beyond them is none.
func TestBatch(t *testing.T) {
	t.Parallel()
	module := wasmtest.Assemble(t, "batch", `(module
		(import "sandbar_v1" "msg_text" (func $text (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
		(import "sandbar_v1" "payload_add" (func $add (param i32 i32)))
		(import "sandbar_v1" "payload_send" (func $send (param i32 i32 i32 i32)))
		{{plugin}} (data (i32.const 0) "Payload") (data (i32.const 8) "txt")
		(func (export "sandbar_process") (param $n i32) (result i32) (local $i i32)
			(loop $l
				(call $add (i32.const 64) (call $text (local.get $i) (i32.const 0) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 100)))
				(br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
			(call $send (i32.const 8) (i32.const 3) (i32.const 8) (i32.const 3))
			(i32.const 0)))`)
	r := record(t, engine(t), "batch = 10 process_message_inject_limit = 1", module, nil)
	defer r.Close()
	var ms []*message.View
	for i := range 10 {
		var b message.Builder
		b.SetHeader(message.Payload, fmt.Sprint(i))
		v := new(message.View)
		if err := v.Parse(b.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
		ms = append(ms, v)
	}
	if res := r.Plugin.(sandbox.Batcher).ProcessBatch(ms); res.Outcome != sandbox.OK {
		t.Fatalf("%v %s", res.Outcome, res.Text)
	}
	r.Process(ms[3])
	if got := r.out.String(); got != "0123456789\n3\n" {
		t.Errorf("%q", got)
	}
}

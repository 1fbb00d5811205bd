;; expect: fuel_exhausted or memory_exceeded
(module
  (import "sandbar_v1" "buffer_new" (func $buffer_new (param i32 i32 i32) (result i32)))
  (import "sandbar_v1" "buffer_annotate" (func $buffer_annotate (param i32 i64 i32 i32 i32 i32)))
  {{plugin}}
  (data (i32.const 64) "{{repeat 1000 "x"}}")
  (func (export "sandbar_process") (param i32) (result i32) (local i32)
    (local.set 1 (call $buffer_new (i32.const 2) (i32.const 1) (i32.const 60)))
    (loop $l (call $buffer_annotate (local.get 1) (i64.const 60000000000) (i32.const 1) (i32.const 1) (i32.const 64) (i32.const 1000)) (br $l))
    i32.const 0))

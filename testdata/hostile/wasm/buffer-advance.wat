;; expect: fuel_exhausted or memory_exceeded
(module
  (import "sandbar_v1" "buffer_new" (func $buffer_new (param i32 i32 i32) (result i32)))
  (import "sandbar_v1" "buffer_add" (func $buffer_add (param i32 i64 i32 f64) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) (local i32 i64)
    (local.set 1 (call $buffer_new (i32.const 100000) (i32.const 4) (i32.const 1)))
    (loop $l (drop (call $buffer_add (local.get 1) (local.tee 2 (i64.add (local.get 2) (i64.const 99999000000000))) (i32.const 1) (f64.const 1))) (br $l))
    i32.const 0))

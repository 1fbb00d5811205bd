;; expect: runtime_error column
(module
  (import "sandbar_v1" "buffer_new" (func $buffer_new (param i32 i32 i32) (result i32)))
  (import "sandbar_v1" "buffer_add" (func $buffer_add (param i32 i64 i32 f64) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (call $buffer_add (call $buffer_new (i32.const 2) (i32.const 1) (i32.const 1)) (i64.const 0) (i32.const 0) (f64.const 1)))
    i32.const 0))

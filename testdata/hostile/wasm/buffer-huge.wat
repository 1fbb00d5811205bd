;; expect: runtime_error rows or memory_exceeded
(module
  (import "sandbar_v1" "buffer_new" (func $buffer_new (param i32 i32 i32) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (call $buffer_new (i32.const 2147483647) (i32.const 256) (i32.const 1)))
    i32.const 0))

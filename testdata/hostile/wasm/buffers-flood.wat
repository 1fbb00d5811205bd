;; expect: memory_exceeded
(module
  (import "sandbar_v1" "buffer_new" (func $buffer_new (param i32 i32 i32) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (drop (call $buffer_new (i32.const 1000) (i32.const 10) (i32.const 1))) (br $l))
    i32.const 0))

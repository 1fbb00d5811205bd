;; expect: output_exceeded or fuel_exhausted
;; config: process_message_inject_limit = 1
(module
  (import "sandbar_v1" "inject_new" (func $inject_new))
  (import "sandbar_v1" "inject_field" (func $inject_field (param i32 i32 i32 i32 i32 i32 i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $inject_new)
    (loop $l (call $inject_field (i32.const 0) (i32.const 1000) (i32.const 0) (i32.const 1000) (i32.const 2) (i32.const 0) (i32.const 8000)) (br $l))
    i32.const 0))

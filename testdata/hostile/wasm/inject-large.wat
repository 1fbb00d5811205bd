;; expect: output_exceeded
;; config: process_message_inject_limit = 1
(module
  (import "sandbar_v1" "inject_new" (func $inject_new))
  (import "sandbar_v1" "inject_header" (func $inject_header (param i32 i32 i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $inject_new)
    (loop $l (call $inject_header (i32.const 4) (i32.const 0) (i32.const 65536)) (br $l))
    i32.const 0))

;; expect: inject_exceeded
;; config: process_message_inject_limit = 100
(module
  (import "sandbar_v1" "inject_new" (func $inject_new))
  (import "sandbar_v1" "inject_send" (func $inject_send))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (call $inject_new) (call $inject_send) (br $l))
    i32.const 0))

;; expect: runtime_error inject_raw
;; config: process_message_inject_limit = 1
(module
  (import "sandbar_v1" "inject_raw" (func $inject_raw (param i32 i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $inject_raw (i32.const 0) (i32.const 1000))
    i32.const 0))

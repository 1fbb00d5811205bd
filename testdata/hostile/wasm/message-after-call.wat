;; expect: runtime_error no message
;; in: timer
(module
  (import "sandbar_v1" "msg_type" (func $msg_type (param i32 i32 i32 i32) (result i32)))
  {{plugin}}
  (data (i32.const 0) "Type")
  (func (export "sandbar_timer") (param i64 i32) (drop (call $msg_type (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0))))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

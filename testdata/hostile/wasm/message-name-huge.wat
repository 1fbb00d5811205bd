;; expect: runtime_error a name has
(module
  (import "sandbar_v1" "msg_type" (func $msg_type (param i32 i32 i32 i32) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (call $msg_type (i32.const 0) (i32.const 0) (i32.const 60000) (i32.const 0)))
    i32.const 0))

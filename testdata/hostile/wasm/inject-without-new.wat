;; expect: runtime_error inject_new comes before
(module
  (import "sandbar_v1" "inject_send" (func $inject_send))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $inject_send)
    i32.const 0))

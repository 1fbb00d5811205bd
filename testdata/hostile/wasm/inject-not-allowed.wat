;; expect: inject_exceeded
(module
  (import "sandbar_v1" "inject_new" (func $inject_new))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $inject_new)
    i32.const 0))

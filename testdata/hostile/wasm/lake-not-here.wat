;; expect: runtime_error output plugins have it
(module
  (import "sandbar_v1" "lake_heka" (func $lake_heka (param i32 i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $lake_heka (i32.const 0) (i32.const 1))
    i32.const 0))

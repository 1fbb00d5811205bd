;; expect: load_error which is no function
;; in: load
(module
  (import "env" "g" (global i32))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

;; expect: load_error which this host does not have
;; in: load
(module
  (import "sandbar_v1" "system" (func (param i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

;; expect: load_error this host has the modules
;; in: load
(module
  (import "env" "system" (func (param i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

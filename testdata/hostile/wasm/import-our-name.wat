;; expect: load_error the host's
;; in: load
(module
  (import "sandbar_v1" "__sandbar_fuel" (func))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

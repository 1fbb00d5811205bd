;; expect: load_error 100000 are allowed
;; in: load
(module
  {{plugin}}
  (table 134217728 funcref)
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

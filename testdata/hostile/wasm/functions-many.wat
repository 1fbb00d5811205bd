;; expect: load_error 50000 are allowed
;; in: load
(module
  {{plugin}}
  {{repeat 50001 "(func) "}}
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

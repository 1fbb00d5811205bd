;; expect: load_error 1000 are allowed
;; in: load
(module
  {{plugin}}
  {{repeat 2000 "(global i32 (i32.const 0)) "}}
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

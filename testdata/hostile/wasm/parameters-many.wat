;; expect: load_error 100 are allowed
;; in: load
(module
  {{plugin}}
  (func (param {{repeat 200 "i32 "}}))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

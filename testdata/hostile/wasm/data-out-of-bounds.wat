;; expect: load_error
;; in: load
(module
  {{plugin}}
  (data (i32.const 65530) "too much data")
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

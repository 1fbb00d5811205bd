;; expect: load_error the host's
;; in: load
(module
  {{plugin}}
  (func (export "__sandbar_start"))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

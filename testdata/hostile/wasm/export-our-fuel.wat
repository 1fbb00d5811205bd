;; expect: load_error the host's
;; in: load
(module
  {{plugin}}
  (global (export "__sandbar_fuel") (mut i64) (i64.const 0))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

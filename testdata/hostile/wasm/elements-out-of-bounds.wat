;; expect: load_error or ok
;; in: load
(module
  {{plugin}}
  (table 1 funcref)
  (elem (i32.const 5) $g)
  (func $g)
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

;; expect: fuel_exhausted
;; in: load
(module
  {{plugin}}
  (func $s (loop $l (br $l)))
  (start $s)
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

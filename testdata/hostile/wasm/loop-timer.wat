;; expect: fuel_exhausted
;; in: timer
(module
  {{plugin}}
  (func (export "sandbar_timer") (param i64 i32) (loop $l (br $l)))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

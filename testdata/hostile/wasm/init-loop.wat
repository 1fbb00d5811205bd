;; expect: fuel_exhausted
;; in: load
(module
  {{plugin}}
  (func (export "sandbar_init") (result i32) (loop $l (br $l)) (i32.const 0))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

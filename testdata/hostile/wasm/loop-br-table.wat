;; expect: fuel_exhausted
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (br_table $l $l $l (i32.const 1)))
    i32.const 0))

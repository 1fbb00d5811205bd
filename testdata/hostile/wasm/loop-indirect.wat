;; expect: fuel_exhausted
(module
  {{plugin}}
  (type $t (func))
  (table 1 funcref)
  (elem (i32.const 0) $f)
  (func $f)
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (call_indirect (type $t) (i32.const 0)) (br $l))
    i32.const 0))

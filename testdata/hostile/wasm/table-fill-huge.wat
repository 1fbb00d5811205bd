;; expect: fuel_exhausted
(module
  {{plugin}}
  (table $t 1 funcref)
  (func (export "sandbar_process") (param i32) (result i32) 
    (table.fill $t (i32.const 0) (ref.null func) (i32.const -1))
    i32.const 0))

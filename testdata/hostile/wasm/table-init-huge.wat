;; expect: fuel_exhausted
(module
  {{plugin}}
  (table $t 1 funcref)
  (elem $e func $f)
  (func $f)
  (func (export "sandbar_process") (param i32) (result i32) 
    (table.init $e (i32.const 0) (i32.const 0) (i32.const -1))
    i32.const 0))

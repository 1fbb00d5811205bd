;; expect: runtime_error indirect call type mismatch
(module
  {{plugin}}
  (type $t (func))
  (table 1 funcref)
  (elem (i32.const 0) $g)
  (func $g (param i32))
  (func (export "sandbar_process") (param i32) (result i32) 
    (call_indirect (type $t) (i32.const 0))
    i32.const 0))

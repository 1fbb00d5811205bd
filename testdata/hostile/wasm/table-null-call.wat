;; expect: runtime_error
(module
  {{plugin}}
  (type $t (func))
  (table 1 funcref)
  (func (export "sandbar_process") (param i32) (result i32) 
    (call_indirect (type $t) (i32.const 0))
    i32.const 0))

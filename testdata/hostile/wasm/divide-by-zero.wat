;; expect: runtime_error integer divide by zero
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (i32.div_s (i32.const 1) (i32.const 0)))
    i32.const 0))

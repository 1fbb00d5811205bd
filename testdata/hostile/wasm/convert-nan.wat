;; expect: runtime_error invalid conversion to integer
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (i32.trunc_f64_s (f64.const nan)))
    i32.const 0))

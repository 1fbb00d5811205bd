;; expect: runtime_error unreachable
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    unreachable
    i32.const 0))

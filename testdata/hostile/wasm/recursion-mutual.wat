;; expect: runtime_error stack overflow
(module
  {{plugin}}
  (func $f (call $g))
  (func $g (call $f))
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $f)
    i32.const 0))

;; expect: runtime_error stack overflow
(module
  {{plugin}}
  (func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (call $f (local.get 0)))
    i32.const 0))

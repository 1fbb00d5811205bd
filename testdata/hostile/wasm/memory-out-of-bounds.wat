;; expect: runtime_error out of bounds memory access
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (i32.load (i32.const -4)))
    i32.const 0))

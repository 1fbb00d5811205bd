;; expect: runtime_error out of bounds memory access
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (i64.load offset=4294967295 (i32.const -1)))
    i32.const 0))

;; expect: load_error which is no function
;; in: load
(module
  (import "env" "memory" (memory 1))
  (func (export "sandbar_v1"))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

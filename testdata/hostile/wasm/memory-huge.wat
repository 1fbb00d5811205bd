;; expect: load_error memory_limit allows
;; in: load
(module
  (memory (export "memory") 2000) (func (export "sandbar_v1"))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

;; expect: load_error which says that it is a plugin
;; in: load
(module
  (memory (export "memory") 1)
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

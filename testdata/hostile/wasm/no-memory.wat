;; expect: load_error exports no memory
;; in: load
(module
  (func (export "sandbar_v1"))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

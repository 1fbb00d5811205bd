;; expect: output_exceeded
;; config: output_limit = 1000
(module
  (import "sandbar_v1" "print" (func $print (param i32 i32)))
  (memory (export "memory") 2) (func (export "sandbar_v1"))
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $print (i32.const 0) (i32.const 65536))
    i32.const 0))

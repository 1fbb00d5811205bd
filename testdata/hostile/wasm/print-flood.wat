;; expect: fuel_exhausted
(module
  (import "sandbar_v1" "print" (func $print (param i32 i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (call $print (i32.const 0) (i32.const 100)) (br $l))
    i32.const 0))

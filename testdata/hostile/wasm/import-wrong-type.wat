;; expect: load_error it is (i32, i32) -> ()
;; in: load
(module
  (import "sandbar_v1" "print" (func (param i64)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

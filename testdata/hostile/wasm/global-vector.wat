;; expect: load_error could not be saved
;; in: load
(module
  {{plugin}}
  (global (mut v128) (v128.const i64x2 0 0))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

;; expect: load_error 2000 are allowed
;; in: load
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) (local {{repeat 3000 "i64 "}})
    nop
    i32.const 0))

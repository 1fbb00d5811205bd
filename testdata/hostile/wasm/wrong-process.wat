;; expect: load_error it should be (i32) -> (i32)
;; in: load
(module
  {{plugin}}
  (func (export "sandbar_process") (param i64)))

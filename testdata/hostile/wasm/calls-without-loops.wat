;; expect: fuel_exhausted or load_error it takes
(module
  {{plugin}}
  (func $leaf (param i32) (result i32) (local.get 0) {{repeat 2400 "i32.load "}})
  (func (export "sandbar_process") (param i32) (result i32)
    (local.get 0) {{repeat 100000 "(call $leaf) "}}))

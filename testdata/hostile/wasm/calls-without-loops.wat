;; expect: fuel_exhausted
(module
  {{plugin}}
  (func $leaf (param i32) (result i32) (local.get 0) {{repeat 2400 "i32.load "}})
  (func (export "sandbar_process") (param i32) (result i32)
    (local.get 0) {{repeat 300000 "(call $leaf) "}}))

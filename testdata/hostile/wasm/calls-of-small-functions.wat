;; expect: fuel_exhausted or load_error it takes
(module
  {{plugin}}
  (func $leaf (param i32) (result i32) (i32.mul (i32.load (local.get 0)) (i32.load offset=8 (local.get 0))))
  (func $many (param i32) (result i32) (local.get 0) {{repeat 200000 "(call $leaf) "}})
  (func (export "sandbar_process") (param i32) (result i32)
    (local.get 0) {{repeat 200000 "(call $many) "}}))

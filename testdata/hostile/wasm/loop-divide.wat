;; expect: fuel_exhausted
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) (local i64)
    (local.set 1 (i64.const 3))
    (loop $l (drop (i64.div_u (i64.const -1) (local.get 1))) (br $l))
    i32.const 0))

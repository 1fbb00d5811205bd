;; expect: fuel_exhausted
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) (local i32)
    (loop $l (if (local.get 1) (then (br $l)) (else (local.set 1 (i32.const 1)) (br $l))))
    i32.const 0))

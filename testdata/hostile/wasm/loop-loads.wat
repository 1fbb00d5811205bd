;; expect: fuel_exhausted
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) (local i32)
    (loop $l (local.set 1 (i32.load (i32.and (i32.mul (local.get 1) (i32.const 69069)) (i32.const 65532)))) (local.set 1 (i32.add (local.get 1) (i32.const 12345))) (br $l))
    i32.const 0))

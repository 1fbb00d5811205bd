;; expect: fuel_exhausted
(module
  (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (drop (call $r (i32.const 0) (i32.const 65536))) (br $l))
    i32.const 0))

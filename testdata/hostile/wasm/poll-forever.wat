;; expect: fuel_exhausted
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $p (param i32 i32 i32 i32) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (drop (call $p (i32.const 0) (i32.const 49152) (i32.const 500) (i32.const 65532))) (br $l))
    i32.const 0))

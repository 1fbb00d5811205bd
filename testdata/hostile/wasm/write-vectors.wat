;; expect: ok
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) (local i32)
    (loop $l (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1000000) (i32.const 8))) (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 100))))
    i32.const 0))

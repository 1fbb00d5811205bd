;; expect: fuel_exhausted
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (memory.fill (i32.const 1024) (i32.const 10) (i32.const 60000))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 60000))
    (loop $l (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $l))
    i32.const 0))

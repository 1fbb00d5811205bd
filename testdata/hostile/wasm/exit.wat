;; expect: runtime_error exited with the status 7
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $e (param i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $e (i32.const 7))
    i32.const 0))

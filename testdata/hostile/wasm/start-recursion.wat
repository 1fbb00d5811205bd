;; expect: runtime_error stack overflow
;; in: load
(module
  {{plugin}}
  (func $s (call $s))
  (start $s)
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

;; expect: runtime_error unreachable
;; in: load
(module
  {{plugin}}
  (func (export "_initialize") unreachable)
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

;; expect: load_error sandbar_init returned 5
;; in: load
(module
  {{plugin}}
  (func (export "sandbar_init") (result i32) (i32.const 5))
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

;; expect: load_error bytes of a function
;; in: load
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    {{repeat 400000 "(drop (i32.const 1)) "}}
    i32.const 0))

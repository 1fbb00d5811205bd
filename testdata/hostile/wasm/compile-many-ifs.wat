;; expect: load_error it takes or load_error bytes of a function
;; in: compile
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    {{repeat 40000 "(if (local.get 0) (then)) "}}
    i32.const 0))

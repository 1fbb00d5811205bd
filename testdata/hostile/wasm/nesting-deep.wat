;; expect: load_error nested more than
;; in: load
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    {{repeat 600 "(block "}}{{repeat 600 ")"}}
    i32.const 0))

;; expect: load_error nested more than
;; in: load
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    {{repeat 10100 "block "}} {{repeat 10100 "end "}}
    i32.const 0))

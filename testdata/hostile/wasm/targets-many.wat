;; expect: load_error 10000 are allowed
;; in: load
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (block $b (br_table {{repeat 20000 "$b "}} (i32.const 0)))
    i32.const 0))

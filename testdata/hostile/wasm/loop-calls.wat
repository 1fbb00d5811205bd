;; expect: fuel_exhausted
(module
  {{plugin}}
  (func $f)
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (call $f) (br $l))
    i32.const 0))

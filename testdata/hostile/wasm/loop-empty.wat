;; expect: fuel_exhausted
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (br $l))
    i32.const 0))

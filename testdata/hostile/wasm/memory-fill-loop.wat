;; expect: fuel_exhausted
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l))
    i32.const 0))

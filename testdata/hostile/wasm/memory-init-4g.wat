;; expect: fuel_exhausted
(module
  {{plugin}}
  (data $d "some bytes")
  (func (export "sandbar_process") (param i32) (result i32) 
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const -1))
    i32.const 0))

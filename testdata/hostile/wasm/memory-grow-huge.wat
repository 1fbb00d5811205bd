;; expect: memory_exceeded or fuel_exhausted
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (memory.grow (i32.const 65535)))
    i32.const 0))

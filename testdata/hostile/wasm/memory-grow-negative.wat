;; expect: memory_exceeded or fuel_exhausted
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (memory.grow (i32.const -1)))
    i32.const 0))

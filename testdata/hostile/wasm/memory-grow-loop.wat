;; expect: memory_exceeded
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (drop (memory.grow (i32.const 1))) (br $l))
    i32.const 0))

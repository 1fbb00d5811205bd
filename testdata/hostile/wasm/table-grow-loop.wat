;; expect: memory_exceeded
(module
  {{plugin}}
  (table $t 1 funcref)
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $l))
    i32.const 0))

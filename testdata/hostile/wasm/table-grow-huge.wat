;; expect: memory_exceeded or fuel_exhausted
(module
  {{plugin}}
  (table $t 1 funcref)
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (table.grow $t (ref.null func) (i32.const -1)))
    i32.const 0))

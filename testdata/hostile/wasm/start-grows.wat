;; expect: memory_exceeded
;; in: load
(module
  {{plugin}}
  (func $s (loop $l (drop (memory.grow (i32.const 1))) (br $l)))
  (start $s)
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

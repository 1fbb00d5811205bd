;; expect: output_exceeded
(module
  (import "sandbar_v1" "payload_add" (func $payload_add (param i32 i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (loop $l (call $payload_add (i32.const 0) (i32.const 1000)) (br $l))
    i32.const 0))

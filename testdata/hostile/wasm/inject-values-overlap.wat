;; expect: output_exceeded or fuel_exhausted
;; config: process_message_inject_limit = 1
(module
  (import "sandbar_v1" "inject_new" (func $inject_new))
  (import "sandbar_v1" "inject_field" (func $inject_field (param i32 i32 i32 i32 i32 i32 i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) (local i32)
    (local.set 1 (i32.const 65528))
    (loop $l (i32.store (local.get 1) (i32.const 0)) (i32.store offset=4 (local.get 1) (i32.const 65536)) (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 8)))))
    (call $inject_new)
    (call $inject_field (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 8000))
    i32.const 0))

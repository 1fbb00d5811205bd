;; expect: inject_exceeded or fuel_exhausted
;; config: process_message_inject_limit = 10 alert = {modules = {web = {}}}
(module
  (import "sandbar_v1" "alert_send" (func $alert_send (param i32 i32 i32 i32 i32 i32 f64) (result i32)))
  {{plugin}}
  (data (i32.const 64) "{{repeat 100 "x"}}")
  (func (export "sandbar_process") (param i32) (result i32) (local i32)
    (loop $l (i32.store8 (i32.const 0) (local.tee 1 (i32.add (local.get 1) (i32.const 1)))) (drop (call $alert_send (i32.const 0) (i32.const 1) (i32.const 64) (i32.const 100) (i32.const 64) (i32.const 100) (f64.const 0))) (br $l))
    i32.const 0))

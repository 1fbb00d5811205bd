;; expect: runtime_error the config needs a table alert
(module
  (import "sandbar_v1" "alert_throttled" (func $alert_throttled (param i32 i32 f64) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (call $alert_throttled (i32.const 0) (i32.const 1) (f64.const 0)))
    i32.const 0))

;; expect: fuel_exhausted or load_error it takes
(module
  (import "sandbar_v1" "random" (func $random (result i64)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32)
    {{repeat 100000 "(drop (call $random)) "}} (i32.const 0)))

;; expect: runtime_error decoders have them
(module
  (import "sandbar_v1" "schema_validate" (func $schema_validate (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (drop (call $schema_validate (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1)))
    i32.const 0))

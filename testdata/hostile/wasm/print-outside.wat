;; expect: runtime_error the memory has 65536
(module
  (import "sandbar_v1" "print" (func $print (param i32 i32)))
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $print (i32.const 65530) (i32.const 100))
    i32.const 0))

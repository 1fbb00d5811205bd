;; expect: runtime_error stack overflow
(module
  {{plugin}}
  (func $f (local {{repeat 1500 "i64 "}}) {{range $i := n 1500}}(local.set {{$i}} (i64.extend_i32_u (i32.load (i32.const {{$i}})))) {{end}} (call $f) {{range $i := n 1500}}(i64.store (i32.const {{$i}}) (local.get {{$i}})) {{end}})
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $f)
    i32.const 0))

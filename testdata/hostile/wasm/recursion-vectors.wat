;; expect: runtime_error stack overflow
(module
  {{plugin}}
  (func $f (local {{repeat 500 "v128 "}}) {{range $i := n 500}}(local.set {{$i}} (v128.load (i32.const {{$i}}))) {{end}} (call $f) {{range $i := n 500}}(v128.store (i32.const {{$i}}) (local.get {{$i}})) {{end}})
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $f)
    i32.const 0))

;; expect: runtime_error stack overflow
(module
  {{plugin}}
  (func $f {{range $i := n 2000}}(i32.load (i32.const {{$i}})) {{end}} (call $f) {{repeat 1999 "i32.add "}} drop)
  (func (export "sandbar_process") (param i32) (result i32) 
    (call $f)
    i32.const 0))

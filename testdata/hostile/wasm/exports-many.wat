;; expect: load_error 1000 are allowed
;; in: load
(module
  {{plugin}}
  {{range $i := n 2000}}(func (export "f{{$i}}")) {{end}}
  (func (export "sandbar_process") (param i32) (result i32) 
    nop
    i32.const 0))

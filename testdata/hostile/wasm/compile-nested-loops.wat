;; expect: load_error it takes
;; in: compile
(module
  {{plugin}}
  (func (export "sandbar_process") (param i32) (result i32) (local {{repeat 500 "i64 "}})
    {{repeat 450 "(loop "}} {{range $i := n 500}}(local.set {{add $i 1}} (i64.add (local.get {{add $i 1}}) (i64.const 1))) {{end}} {{repeat 450 "(br_if 0 (local.get 0))) "}}
    i32.const 0))

;; expect: load_error no function sandbar_process
;; in: load
(module
  {{plugin}})

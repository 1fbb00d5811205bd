-- expect: instruction_limit
-- in: process
-- closure upvalues, as many as a function may have, again and again.
require "string"
function process_message()
local v0 = 0
local v1 = 1
local v2 = 2
local v3 = 3
local v4 = 4
local v5 = 5
local v6 = 6
local v7 = 7
local v8 = 8
local v9 = 9
local v10 = 10
local v11 = 11
local v12 = 12
local v13 = 13
local v14 = 14
local v15 = 15
local v16 = 16
local v17 = 17
local v18 = 18
local v19 = 19
local v20 = 20
local v21 = 21
local v22 = 22
local v23 = 23
local v24 = 24
local v25 = 25
local v26 = 26
local v27 = 27
local v28 = 28
local v29 = 29
local v30 = 30
local v31 = 31
local v32 = 32
local v33 = 33
local v34 = 34
local v35 = 35
local v36 = 36
local v37 = 37
local v38 = 38
local v39 = 39
local v40 = 40
local v41 = 41
local v42 = 42
local v43 = 43
local v44 = 44
local v45 = 45
local v46 = 46
local v47 = 47
local v48 = 48
local v49 = 49
local v50 = 50
local v51 = 51
local v52 = 52
local v53 = 53
local v54 = 54
local v55 = 55
local v56 = 56
local v57 = 57
local v58 = 58
local v59 = 59
local hold = function() return v59 + v58 + v57 + v56 + v55 + v54 + v53 + v52 + v51 + v50 + v49 + v48 + v47 + v46 + v45 + v44 + v43 + v42 + v41 + v40 + v39 + v38 + v37 + v36 + v35 + v34 + v33 + v32 + v31 + v30 + v29 + v28 + v27 + v26 + v25 + v24 + v23 + v22 + v21 + v20 + v19 + v18 + v17 + v16 + v15 + v14 + v13 + v12 + v11 + v10 + v9 + v8 + v7 + v6 + v5 + v4 + v3 + v2 + v1 + v0 end
while true do local f = function() return v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7 + v8 + v9 + v10 + v11 + v12 + v13 + v14 + v15 + v16 + v17 + v18 + v19 + v20 + v21 + v22 + v23 + v24 + v25 + v26 + v27 + v28 + v29 + v30 + v31 + v32 + v33 + v34 + v35 + v36 + v37 + v38 + v39 + v40 + v41 + v42 + v43 + v44 + v45 + v46 + v47 + v48 + v49 + v50 + v51 + v52 + v53 + v54 + v55 + v56 + v57 + v58 + v59 end end
return 0 end

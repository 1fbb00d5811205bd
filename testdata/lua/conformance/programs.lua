--## sieve of Eratosthenes
local function sieve(n) local t, out = {}, {} for i = 2, n do if not t[i] then out[#out + 1] = i for j = i * i, n, i do t[j] = true end end end return out end
local p = sieve(200) print(#p, p[1], p[10], p[#p], table.concat(p, " ", 1, 20))
--## greatest common divisor and least common multiple
local function gcd(a, b) while b ~= 0 do a, b = b, a % b end return a end
for _, x in ipairs {{12, 18}, {7, 13}, {0, 5}, {5, 0}, {270, 192}, {-12, 18}} do print(x[1], x[2], gcd(x[1], x[2]), x[1] ~= 0 and x[1] * x[2] / gcd(x[1], x[2])) end
--## Fibonacci: recursion, loop, memo
local function r(n) if n < 2 then return n end return r(n - 1) + r(n - 2) end
local function l(n) local a, b = 0, 1 for i = 1, n do a, b = b, a + b end return a end
local memo = setmetatable({[0] = 0, 1}, {__index = function(t, n) local v = t[n - 1] + t[n - 2] t[n] = v return v end})
print(r(15), l(15), memo[15], l(78), memo[78], #memo)
--## factorials until infinity
local f, n = 1, 0 repeat n = n + 1 f = f * n until f == math.huge print(n)
local function fact(n) return n <= 1 and 1 or n * fact(n - 1) end for i = 0, 20, 4 do print(i, fact(i)) end
--## Collatz
local best, at = 0, 0 for i = 1, 1000 do local n, s = i, 0 while n ~= 1 do n = n % 2 == 0 and n / 2 or 3 * n + 1 s = s + 1 end if s > best then best, at = s, i end end print(best, at)
--## perfect numbers and divisors
for n = 2, 500 do local sum = 1 for d = 2, math.sqrt(n) do if n % d == 0 then sum = sum + d + (d * d ~= n and n / d or 0) end end if sum == n then print(n) end end
--## Pascal's triangle
local row = {1} for i = 1, 8 do print(table.concat(row, " ")) local next = {1} for j = 2, #row do next[j] = row[j - 1] + row[j] end next[#next + 1] = 1 row = next end
--## eight queens
local n, count, first = 8, 0
local function place(row, cols) if row > n then count = count + 1 first = first or table.concat(cols, " ") return end
  for c = 1, n do local ok = true for r = 1, row - 1 do if cols[r] == c or math.abs(cols[r] - c) == row - r then ok = false break end end if ok then cols[row] = c place(row + 1, cols) cols[row] = nil end end end
place(1, {}) print(count, first)
--## towers of Hanoi
local moves = {} local function hanoi(n, a, b, c) if n > 0 then hanoi(n - 1, a, c, b) moves[#moves + 1] = a .. c hanoi(n - 1, b, a, c) end end hanoi(4, "A", "B", "C") print(#moves, table.concat(moves, " "))
--## permutations in order of words
local function next_permutation(t) local i = #t - 1 while i > 0 and t[i] >= t[i + 1] do i = i - 1 end if i == 0 then return end local j = #t while t[j] <= t[i] do j = j - 1 end t[i], t[j] = t[j], t[i]
  local a, b = i + 1, #t while a < b do t[a], t[b] = t[b], t[a] a, b = a + 1, b - 1 end return t end
local t, n = {1, 1, 2, 3}, 0 repeat n = n + 1 print(n, table.concat(t)) until not next_permutation(t)
--## combinations
local function choose(t, k, from, picked, each) if #picked == k then return each(table.concat(picked, ",")) end for i = from, #t do picked[#picked + 1] = t[i] choose(t, k, i + 1, picked, each) picked[#picked] = nil end end
choose({"a", "b", "c", "d", "e"}, 3, 1, {}, print)
--## power set
local items, out = {"x", "y", "z"}, {} for mask = 0, 2 ^ #items - 1 do local s, m = {}, mask for i = 1, #items do if m % 2 == 1 then s[#s + 1] = items[i] end m = math.floor(m / 2) end out[#out + 1] = "{" .. table.concat(s, ",") .. "}" end print(table.concat(out, " "))
--## binary search
local t = {} for i = 1, 100 do t[i] = i * 3 end
local function find(x) local lo, hi, steps = 1, #t, 0 while lo <= hi do steps = steps + 1 local mid = math.floor((lo + hi) / 2) if t[mid] == x then return mid, steps elseif t[mid] < x then lo = mid + 1 else hi = mid - 1 end end return nil, steps end
for _, x in ipairs {3, 300, 150, 151, 0, 1000} do print(x, find(x)) end
--## insertion sort, stable
local t = {} for w in ("the quick brown fox jumps over the lazy dog again"):gmatch("%a+") do t[#t + 1] = {w, #t} end
for i = 2, #t do local v, j = t[i], i - 1 while j > 0 and #t[j][1] > #v[1] do t[j + 1] = t[j] j = j - 1 end t[j + 1] = v end
for _, v in ipairs(t) do io.write(v[1], ":", v[2], " ") end print()
--## merge sort
local function sort(t, less) if #t < 2 then return t end local a, b = {}, {} for i, v in ipairs(t) do local h = i <= #t / 2 and a or b h[#h + 1] = v end a, b = sort(a, less), sort(b, less)
  local out, i, j = {}, 1, 1 while a[i] or b[j] do if not b[j] or a[i] and not less(b[j], a[i]) then out[#out + 1] = a[i] i = i + 1 else out[#out + 1] = b[j] j = j + 1 end end return out end
print(table.concat(sort({5, 3, 8, 1, 9, 2, 7, 2, 6}, function(a, b) return a < b end), " "), table.concat(sort({"b", "a", "C", "B"}, function(a, b) return a:lower() < b:lower() end), " "))
--## heap
local heap = {} local function push(v) heap[#heap + 1] = v local i = #heap while i > 1 do local p = math.floor(i / 2) if heap[p] <= heap[i] then break end heap[p], heap[i] = heap[i], heap[p] i = p end end
local function pop() local top = heap[1] heap[1] = heap[#heap] heap[#heap] = nil local i = 1 while true do local c = 2 * i if c > #heap then break end if c < #heap and heap[c + 1] < heap[c] then c = c + 1 end if heap[i] <= heap[c] then break end heap[i], heap[c] = heap[c], heap[i] i = c end return top end
for _, v in ipairs {9, 4, 7, 1, 8, 2, 6, 3, 5, 5} do push(v) end local out = {} while #heap > 0 do out[#out + 1] = pop() end print(table.concat(out, " "))
--## quicksort in place with a random walk of its own
local seed = 42 local function random(n) seed = (seed * 1103515245 + 12345) % 2147483648 return seed % n + 1 end
local t = {} for i = 1, 50 do t[i] = random(1000) end
local function quick(a, b) if a >= b then return end local p = t[a + random(b - a + 1) - 1] local i, j = a, b while i <= j do while t[i] < p do i = i + 1 end while t[j] > p do j = j - 1 end if i <= j then t[i], t[j] = t[j], t[i] i, j = i + 1, j - 1 end end quick(a, j) quick(i, b) end
quick(1, #t) local ok = true for i = 2, #t do ok = ok and t[i - 1] <= t[i] end print(ok, t[1], t[25], t[50])
--## matrices
local function mul(a, b) local c = {} for i = 1, #a do c[i] = {} for j = 1, #b[1] do local s = 0 for k = 1, #b do s = s + a[i][k] * b[k][j] end c[i][j] = s end end return c end
local function det(m) local n, d = #m, 1 for i = 1, n do local p = i while p <= n and m[p][i] == 0 do p = p + 1 end if p > n then return 0 end if p ~= i then m[p], m[i] = m[i], m[p] d = -d end d = d * m[i][i] for r = i + 1, n do local f = m[r][i] / m[i][i] for c = i, n do m[r][c] = m[r][c] - f * m[i][c] end end end return d end
local m = mul({{1, 2}, {3, 4}}, {{0, 1}, {1, 0}}) print(m[1][1], m[1][2], m[2][1], m[2][2], det {{2, 0, 1}, {1, 3, 2}, {1, 1, 4}}, det {{1, 2}, {2, 4}})
--## Gauss elimination
local a, b = {{2, 1, -1}, {-3, -1, 2}, {-2, 1, 2}}, {8, -11, -3} for i = 1, 3 do for r = i + 1, 3 do local f = a[r][i] / a[i][i] for c = i, 3 do a[r][c] = a[r][c] - f * a[i][c] end b[r] = b[r] - f * b[i] end end
local x = {} for i = 3, 1, -1 do local s = b[i] for c = i + 1, 3 do s = s - a[i][c] * x[c] end x[i] = s / a[i][i] end print(string.format("%.6f %.6f %.6f", x[1], x[2], x[3]))
--## shortest paths
local graph = {a = {b = 7, c = 9, f = 14}, b = {c = 10, d = 15}, c = {d = 11, f = 2}, d = {e = 6}, f = {e = 9}, e = {}}
local dist, done, from = {a = 0}, {}, {} while true do local at for v, d in pairs(dist) do if not done[v] and (not at or d < dist[at] or d == dist[at] and v < at) then at = v end end if not at then break end done[at] = true
  for v, w in pairs(graph[at]) do if not dist[v] or dist[at] + w < dist[v] then dist[v], from[v] = dist[at] + w, at end end end
for _, v in ipairs {"a", "b", "c", "d", "e", "f"} do print(v, dist[v], from[v]) end
--## breadth first search in a grid
local grid, start, goal = {"#########", "#S  #   #", "# # # # #", "# #   #G#", "#########"}
for y, row in ipairs(grid) do local s, g = row:find("S"), row:find("G") if s then start = {s, y} end if g then goal = {g, y} end end
local queue, seen, head = {{start[1], start[2], 0}}, {}, 1 while queue[head] do local x, y, d = unpack(queue[head]) head = head + 1 local key = x .. "," .. y if not seen[key] and grid[y]:sub(x, x) ~= "#" then seen[key] = true if x == goal[1] and y == goal[2] then print("steps", d) break end for _, s in ipairs {{1, 0}, {-1, 0}, {0, 1}, {0, -1}} do queue[#queue + 1] = {x + s[1], y + s[2], d + 1} end end end
--## topological order
local needs = {shirt = {}, tie = {"shirt"}, jacket = {"tie", "trousers"}, trousers = {"socks"}, socks = {}, shoes = {"socks", "trousers"}}
local order, state = {}, {} local function visit(v) if state[v] == 2 then return end if state[v] == 1 then error("cycle at " .. v, 0) end state[v] = 1 for _, n in ipairs(needs[v]) do visit(n) end state[v] = 2 order[#order + 1] = v end
local names = {} for k in pairs(needs) do names[#names + 1] = k end table.sort(names) for _, v in ipairs(names) do visit(v) end print(table.concat(order, " "))
needs.socks = {"shoes"} state, order = {}, {} print(pcall(visit, "jacket"))
--## union and find
local parent = {} for i = 1, 10 do parent[i] = i end local function root(x) while parent[x] ~= x do parent[x] = parent[parent[x]] x = parent[x] end return x end
for _, e in ipairs {{1, 2}, {3, 4}, {2, 3}, {5, 6}, {9, 10}} do parent[root(e[1])] = root(e[2]) end local groups = {} for i = 1, 10 do local r = root(i) groups[r] = (groups[r] or 0) + 1 end local sizes = {} for _, n in pairs(groups) do sizes[#sizes + 1] = n end table.sort(sizes) print(table.concat(sizes, " "))
--## edit distance
local function distance(a, b) local prev = {} for j = 0, #b do prev[j] = j end for i = 1, #a do local row = {[0] = i} for j = 1, #b do row[j] = math.min(prev[j] + 1, row[j - 1] + 1, prev[j - 1] + (a:byte(i) == b:byte(j) and 0 or 1)) end prev = row end return prev[#b] end
print(distance("kitten", "sitting"), distance("", "abc"), distance("same", "same"), distance("flaw", "lawn"))
--## longest common subsequence
local a, b = "AGGTABQRS", "GXTXAYBRZS" local len = {} for i = 0, #a do len[i] = {} for j = 0, #b do len[i][j] = (i == 0 or j == 0) and 0 or a:sub(i, i) == b:sub(j, j) and len[i - 1][j - 1] + 1 or math.max(len[i - 1][j], len[i][j - 1]) end end
local out, i, j = "", #a, #b while i > 0 and j > 0 do if a:sub(i, i) == b:sub(j, j) then out = a:sub(i, i) .. out i, j = i - 1, j - 1 elseif len[i - 1][j] >= len[i][j - 1] then i = i - 1 else j = j - 1 end end print(len[#a][#b], out)
--## knapsack
local items, cap = {{60, 10}, {100, 20}, {120, 30}, {30, 5}}, 50 local best = {} for w = 0, cap do best[w] = 0 end for _, it in ipairs(items) do for w = cap, it[2], -1 do best[w] = math.max(best[w], best[w - it[2]] + it[1]) end end print(best[cap], best[25], best[5])
--## coins
local ways = {[0] = 1} for i = 1, 100 do ways[i] = 0 end for _, c in ipairs {1, 5, 10, 25, 50} do for i = c, 100 do ways[i] = ways[i] + ways[i - c] end end print(ways[10], ways[50], ways[100])
--## game of life
local w, h, cells = 6, 6, {} local function key(x, y) return (x % w) + (y % h) * w end for _, c in ipairs {{1, 0}, {2, 1}, {0, 2}, {1, 2}, {2, 2}} do cells[key(c[1], c[2])] = true end
for gen = 1, 5 do local counts = {} for k in pairs(cells) do local x, y = k % w, math.floor(k / w) for dx = -1, 1 do for dy = -1, 1 do if dx ~= 0 or dy ~= 0 then local n = key(x + dx, y + dy) counts[n] = (counts[n] or 0) + 1 end end end end local next = {} for k, n in pairs(counts) do if n == 3 or n == 2 and cells[k] then next[k] = true end end cells = next end
for y = 0, h - 1 do local row = {} for x = 0, w - 1 do row[#row + 1] = cells[key(x, y)] and "#" or "." end print(table.concat(row)) end
--## numbers in Roman letters and back
local roman = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}}
local function to(n) local s = "" for _, r in ipairs(roman) do while n >= r[1] do s, n = s .. r[2], n - r[1] end end return s end
local function from(s) local n, i = 0, 1 while i <= #s do for _, r in ipairs(roman) do if s:sub(i, i + #r[2] - 1) == r[2] then n, i = n + r[1], i + #r[2] break end end end return n end
for _, n in ipairs {1, 4, 9, 14, 40, 90, 400, 1994, 2024, 3999} do print(n, to(n), from(to(n)) == n) end
--## numbers in other bases
local function base(n, b) local s = "" repeat local d = n % b s = ("0123456789abcdefghijklmnopqrstuvwxyz"):sub(d + 1, d + 1) .. s n = math.floor(n / b) until n == 0 return s end
for _, n in ipairs {0, 1, 255, 1024, 123456789} do print(base(n, 2), base(n, 8), base(n, 16), base(n, 36), tonumber(base(n, 7), 7) == n) end
--## sums of large numbers, digit by digit
local function add(a, b) local out, carry = {}, 0 for i = 1, math.max(#a, #b) do local s = (tonumber(a:sub(-i, -i)) or 0) + (tonumber(b:sub(-i, -i)) or 0) + carry out[i] = s % 10 carry = (s - s % 10) / 10 end if carry > 0 then out[#out + 1] = carry end return table.concat(out):reverse() end
local a, b = "0", "1" for i = 1, 150 do a, b = b, add(a, b) end print(a)
--## products of large numbers
local n = {1} for i = 2, 30 do local carry = 0 for j = 1, #n do local v = n[j] * i + carry n[j] = v % 1000 carry = math.floor(v / 1000) end while carry > 0 do n[#n + 1] = carry % 1000 carry = math.floor(carry / 1000) end end
local s = tostring(n[#n]) for i = #n - 1, 1, -1 do s = s .. string.format("%03d", n[i]) end print(s)
--## numerical integration and roots
local function simpson(f, a, b, n) local h, s = (b - a) / n, f(a) + f(b) for i = 1, n - 1 do s = s + f(a + i * h) * (i % 2 == 0 and 2 or 4) end return s * h / 3 end
print(string.format("%.8f %.8f", simpson(function(x) return x * x end, 0, 3, 10), simpson(math.sin, 0, math.pi, 100)))
local x = 1 for i = 1, 20 do x = x - (x * x - 2) / (2 * x) end print(string.format("%.12f", x)) local lo, hi = 0, 2 for i = 1, 50 do local m = (lo + hi) / 2 if m * m * m < 3 then lo = m else hi = m end end print(string.format("%.9f", lo))
--## a spiral
local n, m, k = 4, {}, 0 for i = 1, n do m[i] = {} end local t, b, l, r = 1, n, 1, n while t <= b and l <= r do for c = l, r do k = k + 1 m[t][c] = k end t = t + 1 for i = t, b do k = k + 1 m[i][r] = k end r = r - 1 for c = r, l, -1 do if t <= b then k = k + 1 m[b][c] = k end end b = b - 1 for i = b, t, -1 do if l <= r then k = k + 1 m[i][l] = k end end l = l + 1 end
for i = 1, n do print(table.concat(m[i], "\t")) end
--## magic square
local n, m = 5, {} for i = 1, n do m[i] = {} end local i, j = 1, 3 for k = 1, n * n do m[i][j] = k local a, b = (i - 2) % n + 1, j % n + 1 if m[a][b] then i = i % n + 1 else i, j = a, b end end for _, r in ipairs(m) do local s = 0 for _, v in ipairs(r) do s = s + v end print(table.concat(r, " "), s) end
--## a stack machine
local program = {{"push", 2}, {"push", 3}, {"add"}, {"dup"}, {"mul"}, {"push", 5}, {"sub"}, {"print"}, {"jz", 11}, {"push", 0}, {"print"}, {"halt"}} local stack, pc, out = {}, 1, {}
local op = {push = function(v) stack[#stack + 1] = v end, add = function() stack[#stack - 1] = stack[#stack - 1] + stack[#stack] stack[#stack] = nil end, mul = function() stack[#stack - 1] = stack[#stack - 1] * table.remove(stack) end, sub = function() local b = table.remove(stack) stack[#stack] = stack[#stack] - b end, dup = function() stack[#stack + 1] = stack[#stack] end, print = function() out[#out + 1] = tostring(stack[#stack]) end, jz = function(to) if stack[#stack] == 0 then pc = to end end, halt = function() pc = nil end}
while pc do local i = program[pc] pc = pc + 1 op[i[1]](i[2]) end print(table.concat(out, " "))
--## an expression parser
local function parse(s) local pos = 1 local expr local function skip() pos = s:find("%S", pos) or #s + 1 end
  local function atom() skip() if s:sub(pos, pos) == "(" then pos = pos + 1 local v = expr() skip() assert(s:sub(pos, pos) == ")", "no )") pos = pos + 1 return v end local n, e = s:match("^(%-?%d+%.?%d*)()", pos) if not n then error("a number at " .. pos, 0) end pos = e return tonumber(n) end
  local function term() local v = atom() while true do skip() local o = s:match("^[*/]", pos) if not o then return v end pos = pos + 1 local w = atom() v = o == "*" and v * w or v / w end end
  function expr() local v = term() while true do skip() local o = s:match("^[+-]", pos) if not o then return v end pos = pos + 1 local w = term() v = o == "+" and v + w or v - w end end
  local v = expr() skip() if pos <= #s then error("left: " .. s:sub(pos), 0) end return v end
for _, s in ipairs {"1 + 2 * 3", "(1 + 2) * 3", "10 / 4 - 1", "2 * (3 + (4 - 1)) / 9", "1 +", "(1", "1 2", " -3 * -3 "} do print(s, pcall(parse, s)) end
--## a brainfuck program
local code, tape, p, out, i = "++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.+++++++..+++.", {}, 1, {}, 1 local stack, jump = {}, {} for k = 1, #code do local c = code:sub(k, k) if c == "[" then stack[#stack + 1] = k elseif c == "]" then local o = table.remove(stack) jump[o], jump[k] = k, o end end
while i <= #code do local c = code:sub(i, i) local v = tape[p] or 0 if c == ">" then p = p + 1 elseif c == "<" then p = p - 1 elseif c == "+" then tape[p] = (v + 1) % 256 elseif c == "-" then tape[p] = (v - 1) % 256 elseif c == "." then out[#out + 1] = string.char(v) elseif c == "[" and v == 0 or c == "]" and v ~= 0 then i = jump[i] end i = i + 1 end print(table.concat(out))
--## mean, median, deviation, percentiles
local t = {5, 3, 8, 1, 9, 2, 7, 2, 6, 4} local s, q = 0, 0 for _, v in ipairs(t) do s, q = s + v, q + v * v end local mean = s / #t table.sort(t) local function pct(p) local i = p * (#t - 1) + 1 local a = math.floor(i) return t[a] + (i - a) * ((t[a + 1] or t[a]) - t[a]) end
print(mean, (t[5] + t[6]) / 2, string.format("%.6f", math.sqrt(q / #t - mean * mean)), pct(0), pct(0.25), pct(0.5), pct(0.9), pct(1))
--## running mean and variance
local n, mean, m2 = 0, 0, 0 for i = 1, 100 do local x = (i * 37) % 11 n = n + 1 local d = x - mean mean = mean + d / n m2 = m2 + d * (x - mean) end print(n, string.format("%.10f %.10f", mean, m2 / (n - 1)))
--## histogram in text
local bins = {} for i = 1, 60 do local b = math.floor((i * i) % 37 / 6) bins[b] = (bins[b] or 0) + 1 end for b = 0, 6 do print(string.format("%2d-%2d %-12s %d", b * 6, b * 6 + 5, ("#"):rep(bins[b] or 0), bins[b] or 0)) end
--## linear regression
local xs, ys, n, sx, sy, sxx, sxy = {}, {}, 20, 0, 0, 0, 0 for i = 1, n do local x, y = i, 3 * i + 2 + (i % 3 - 1) sx, sy, sxx, sxy = sx + x, sy + y, sxx + x * x, sxy + x * y end local b = (n * sxy - sx * sy) / (n * sxx - sx * sx) print(string.format("%.6f %.6f", b, (sy - b * sx) / n))
--## weighted choice with a generator of its own
local seed = 7 local function rnd() seed = (16807 * seed) % 2147483647 return seed / 2147483647 end local weights, total, seen = {a = 1, b = 2, c = 7}, 10, {a = 0, b = 0, c = 0} for i = 1, 1000 do local x = rnd() * total for _, k in ipairs {"a", "b", "c"} do x = x - weights[k] if x < 0 then seen[k] = seen[k] + 1 break end end end print(seen.a, seen.b, seen.c)
--## days of months and leap years
local function leap(y) return y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0) end local function days(y, m) return m == 2 and (leap(y) and 29 or 28) or (m == 4 or m == 6 or m == 9 or m == 11) and 30 or 31 end
for _, y in ipairs {1900, 2000, 2023, 2024} do local t = 0 for m = 1, 12 do t = t + days(y, m) end print(y, leap(y), days(y, 2), t) end
local function weekday(y, m, d) local t = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4} if m < 3 then y = y - 1 end return (y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400) + t[m] + d) % 7 end print(weekday(2024, 2, 29), weekday(2000, 1, 1), weekday(1970, 1, 1))
--## julian days
local function jd(y, m, d) local a = math.floor((14 - m) / 12) y, m = y + 4800 - a, m + 12 * a - 3 return d + math.floor((153 * m + 2) / 5) + 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400) - 32045 end print(jd(2000, 1, 1), jd(2024, 2, 29) - jd(2023, 2, 28), (jd(1970, 1, 1) + 1) % 7)
--## bits with arithmetic
local function bits(f) return function(a, b) local r, p = 0, 1 while a > 0 or b > 0 do if f(a % 2, b % 2) == 1 then r = r + p end a, b, p = math.floor(a / 2), math.floor(b / 2), p * 2 end return r end end
local band, bor, bxor = bits(function(a, b) return a * b end), bits(function(a, b) return math.max(a, b) end), bits(function(a, b) return (a + b) % 2 end) print(band(12, 10), bor(12, 10), bxor(12, 10), bxor(2 ^ 32 - 1, 0xff), band(0xdeadbeef, 0xffff))
--## Adler and a simple hash
local function adler(s) local a, b = 1, 0 for i = 1, #s do a = (a + s:byte(i)) % 65521 b = (b + a) % 65521 end return b * 65536 + a end local function djb(s) local h = 5381 for i = 1, #s do h = (h * 33 + s:byte(i)) % 2 ^ 32 end return h end print(adler("Wikipedia"), string.format("%x", adler("Wikipedia")), djb("hello"), djb(""))
--## CRC-32
local function xor(a, b) local r, p = 0, 1 for i = 1, 32 do local x, y = a % 2, b % 2 if x ~= y then r = r + p end a, b, p = (a - x) / 2, (b - y) / 2, p * 2 end return r end
local tab = {} for i = 0, 255 do local c = i for k = 1, 8 do c = c % 2 == 1 and xor(0xEDB88320, (c - 1) / 2) or c / 2 end tab[i] = c end
local function crc(s) local c = 2 ^ 32 - 1 for i = 1, #s do c = xor(tab[xor(c % 256, s:byte(i))], math.floor(c / 256)) end return xor(c, 2 ^ 32 - 1) end print(string.format("%x %x %x", crc("123456789"), crc(""), crc("The quick brown fox jumps over the lazy dog")))
--## a queue of events by time
local queue = {} local function at(t, what) local i = #queue while i > 0 and queue[i].t > t do queue[i + 1] = queue[i] i = i - 1 end queue[i + 1] = {t = t, what = what} end at(5, "e") at(1, "a") at(3, "c") at(3, "d") at(2, "b") while #queue > 0 do local e = table.remove(queue, 1) io.write(e.t, e.what, " ") end print()
--## simplify fractions
local function gcd(a, b) return b == 0 and a or gcd(b, a % b) end local function frac(x, most) local best, bn, bd = math.huge for d = 1, most do local n = math.floor(x * d + 0.5) local e = math.abs(x - n / d) if e < best - 1e-15 then best, bn, bd = e, n, d end end local g = gcd(bn, bd) return bn / g .. "/" .. bd / g end print(frac(0.75, 10), frac(math.pi, 200), frac(1 / 3, 9), frac(0.5, 100))

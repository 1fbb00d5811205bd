package std

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator writes random programs: statements that use what came before them, wrapped so that an error is printed and
// the program goes on. Every loop and function counts its steps, so that each program ends.
type generator struct {
	*rand.Rand
	vars  []variable // in scope
	names int
	depth int // of blocks
	loops int // around the statement, within the function
	yield bool
}

type variable struct {
	name  string
	kind  kind
	fixed bool // a loop's
}

type kind int

const (
	numberKind kind = iota
	stringKind
	boolKind
	listKind   // of numbers
	recordKind // with fields a, b, c
	functionKind
	objectKind // with metamethods
	kinds
	elementKind // of lists: a number, and no nil, which would let # choose
)

// generatedPrelude has what generated programs use. show prints without addresses. Strings have no sign of NaN, which depends on the processor, and keys no -0,
// which C Lua keeps apart from 0 when it shows it. Powers are rounded, since Go's and C's differ in the last bits. Programs end after 60 steps, so that calls never nest as deep as C's stack allows.
const generatedPrelude = `local luas = tostring
local function tostring(v) if v ~= v then return "nan" end if type(v) == "function" or type(v) == "table" and not getmetatable(v) then return type(v) end return luas(v) end
local steps = 0
local function step() steps = steps + 1 if steps > 60 then error("too many steps", 0) end end
local function int(x) x = tonumber(x) or 1 if x ~= x or x > 1e6 or x < -1e6 then return 3 end return math.floor(x) % 7 end
local function id(x) return x end
local function rough(x) if type(x) == "number" and x > -1e99 and x < 1e99 then return string.format("%.6g", x) + 0 end return x end
local function sorted(t) if pcall(table.sort, t) then return t end return {} end
local function cut(s, ...) if type(s) == "string" then s = s:gsub(" *%-?nan", "nan"):sub(1, 100) end return s, ... end
local function text(v, d)
  if type(v) == "number" and v ~= v then return "nan" end
  if type(v) ~= "table" then return tostring(v) end
  if d > 2 then return "{...}" end
  local out = {}
  for k in pairs(v) do out[#out + 1] = tostring(k == 0 and 0 or k) .. "=" .. text(rawget(v, k), d + 1) end
  table.sort(out)
  return "{" .. table.concat(out, ",") .. "}"
end
local function show(...)
  local out = {}
  for i = 1, select("#", ...) do out[i] = text((select(i, ...)), 0):gsub("0x%x+", "0x") end
  print(table.concat(out, " "):sub(1, 200))
end
local meta = {}
local function object(n) return setmetatable({n = n}, meta) end
local function n(v) if type(v) == "table" then return rawget(v, "n") or 0 end return tonumber(v) or 0 end
meta.__add = function(a, b) return object(n(a) + n(b)) end
meta.__sub = function(a, b) return n(a) - n(b) end
meta.__mul = function(a, b) return object(n(a) * n(b)) end
meta.__unm = function(a) return object(-n(a)) end
meta.__concat = function(a, b) return "<" .. n(a) .. "," .. n(b) .. ">" end
meta.__eq = function(a, b) return n(a) == n(b) end
meta.__lt = function(a, b) return n(a) < n(b) end
meta.__le = function(a, b) return n(a) <= n(b) end
meta.__call = function(self, ...) return n(self), select("#", ...), ... end
meta.__index = function(t, k) if k == "d" then return "dee" end return nil end
meta.__tostring = function(o) return "object " .. n(o) end
G1, G2 = 1, "two"
`

// program is the statements of one program, each on its own.
func newProgram(seed1, seed2 uint64) []string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed1, seed2))}
	var out []string
	for range 4 + g.IntN(10) {
		out = append(out, g.top())
	}
	return append(out, g.report())
}

func (g *generator) pick(options ...string) string { return options[g.IntN(len(options))] }

func (g *generator) name() string {
	g.names++
	return fmt.Sprintf("v%d", g.names)
}

func (g *generator) add(k kind) string {
	name := g.name()
	g.vars = append(g.vars, variable{name: name, kind: k})
	return name
}

// report shows all variables.
func (g *generator) report() string {
	var names []string
	for _, v := range g.vars {
		names = append(names, v.name)
	}
	return "show(" + strings.Join(append(names, "G1", "G2"), ", ") + ")"
}

// top is a statement of the program itself: a declaration, or what may fail within pcall.
func (g *generator) top() string {
	if g.IntN(3) == 0 {
		return g.declare()
	}
	return "show(pcall(function()\n" + g.scope(func() string { return g.block() }) + "end))"
}

// scope lets variables end with a block.
func (g *generator) scope(body func() string) string {
	n := len(g.vars)
	g.depth++
	text := body()
	g.depth--
	g.vars = g.vars[:n]
	return text
}

func (g *generator) function(body func() string) string {
	loops := g.loops
	g.loops = 0
	text := g.scope(body)
	g.loops = loops
	return text
}

func (g *generator) block() string {
	var b strings.Builder
	for range 1 + g.IntN(4) {
		b.WriteString(g.statement() + "\n")
	}
	switch g.IntN(8) {
	case 0:
		b.WriteString("return " + g.exprs(3) + "\n")
	case 1:
		if g.loops > 0 {
			b.WriteString("break\n")
		}
	case 2:
		b.WriteString("return " + g.call() + "\n")
	}
	return b.String()
}

func (g *generator) declare() string {
	k := kind(g.IntN(int(kinds)))
	switch g.IntN(6) {
	case 0:
		e1, e2 := g.expr(k, 2), g.expr(numberKind, 2)
		return "local " + g.add(k) + ", " + g.add(numberKind) + " = " + e1 + ", " + e2
	case 1:
		text := g.functionBody(false)
		name := g.name()
		g.vars = append(g.vars, variable{name: name, kind: functionKind})
		return "local function " + name + text
	}
	e := g.expr(k, 3)
	return "local " + g.add(k) + " = " + e
}

func (g *generator) functionBody(yields bool) string {
	return g.function(func() string {
		before := g.yield
		g.yield = yields
		p1, p2 := g.add(numberKind), g.add(kind(g.IntN(int(kinds))))
		head := "(" + p1 + ", " + p2 + ")"
		more := ""
		if g.IntN(4) == 0 {
			head = "(" + p1 + ", " + p2 + ", ...)"
			more = g.pick("show(select('#', ...))\n", "local va = {...} show(#va)\n", "show(...)\n", p1+" = ... or 0\n", "show((...))\n")
		}
		text := head + "\nstep()\n" + more + g.block() + "end"
		g.yield = before
		return text
	})
}

func (g *generator) statement() string {
	if g.depth > 4 {
		return g.assign()
	}
	switch g.IntN(16) {
	case 0, 1:
		return g.declare()
	case 2:
		return "if " + g.expr(boolKind, 2) + " then\n" + g.scope(g.block) + g.pick("end", "else\n"+g.scope(g.block)+"end", "elseif "+g.expr(boolKind, 1)+" then\n"+g.scope(g.block)+"end")
	case 3, 4, 5:
		return g.loop()
	case 6:
		return "do\n" + g.scope(g.block) + "end"
	case 7:
		return "show(" + g.exprs(4) + ")"
	case 8:
		return "show(pcall(function(...)\n" + g.function(g.block) + "end, " + g.exprs(2) + "))"
	case 9:
		return "local _ = " + g.call()
	case 10:
		return g.coroutine()
	case 11:
		return g.pick("error("+g.expr(stringKind, 1)+")", "error({"+g.exprs(2)+"})", "error("+g.expr(stringKind, 1)+", "+g.pick("0", "1", "2")+")", "assert("+g.exprs(2)+")", "show(xpcall(function() "+g.assign()+" end, function(e) return 'caught ' .. tostring(e) end))")
	case 12:
		if g.yield {
			return "show('resumed', coroutine.yield(" + g.exprs(2) + "))"
		}
		return g.assign()
	}
	return g.assign()
}

func (g *generator) loop() string {
	g.loops++
	defer func() { g.loops-- }()
	body := func(names ...variable) string {
		return g.scope(func() string {
			g.vars = append(g.vars, names...)
			return "step()\n" + g.block() + "end"
		})
	}
	number := func(name string) variable { return variable{name, numberKind, true} }
	switch g.IntN(6) {
	case 0:
		return "while " + g.expr(boolKind, 2) + " do\n" + body()
	case 1:
		return "repeat\n" + g.scope(func() string {
			text := "step()\n" + g.assign() + "\n" + g.declare() + "\n"
			return text + "until " + g.expr(boolKind, 2)
		})
	case 2:
		i, v := g.name(), g.name()
		return "for " + i + ", " + v + " in ipairs(" + g.expr(listKind, 1) + ") do\n" + body(number(i), number(v))
	case 3:
		w := g.name()
		return "for " + w + " in " + "(" + g.expr(stringKind, 1) + "):gmatch(" + g.pattern() + ") do\n" + body(variable{w, stringKind, true})
	}
	i := g.name()
	head := "for " + i + " = " + g.expr(numberKind, 1) + ", " + g.expr(numberKind, 1)
	if g.IntN(2) == 0 {
		head += ", " + g.pick("1", "-1", "2", "0.5", "-3", g.expr(numberKind, 1))
	}
	return head + " do\n" + body(number(i))
}

// target is something to assign to.
func (g *generator) target() (string, kind) {
	for range 5 {
		if len(g.vars) == 0 {
			break
		}
		v := g.vars[g.IntN(len(g.vars))]
		switch {
		case v.kind == listKind && g.IntN(2) == 0:
			return v.name + g.pick("[#"+v.name+" + 1]", "[1]", "[math.min(int("+g.expr(numberKind, 1)+"), #"+v.name+") + 1]"), elementKind
		case v.kind == recordKind && g.IntN(3) > 0:
			return v.name + g.pick(".a", ".b", ".c", "['a']", "[ "+g.expr(stringKind, 1)+"]"), numberKind
		case !v.fixed && v.kind != functionKind:
			return v.name, v.kind
		}
	}
	if g.IntN(2) == 0 {
		return "G1", numberKind
	}
	return "G2", stringKind
}

func (g *generator) assign() string {
	t, k := g.target()
	if g.IntN(4) == 0 {
		t2, k2 := g.target()
		return t + ", " + t2 + " = " + g.expr(k, 2) + ", " + g.expr(k2, 2)
	}
	return t + " = " + g.expr(k, 3)
}

func (g *generator) coroutine() string {
	name := g.name()
	text := "do local " + name + " = coroutine." + g.pick("create", "wrap") + "(function" + g.functionBody(true) + ")\n"
	call := "show(pcall(" + name + ", " + g.exprs(1) + "))\n"
	if strings.Contains(text, "coroutine.create") {
		call = "show(coroutine.resume(" + name + ", " + g.exprs(2) + ")) show(coroutine.status(" + name + "))\n"
	}
	return text + strings.Repeat(call, 1+g.IntN(3)) + "end"
}

func (g *generator) exprs(most int) string {
	n := 1 + g.IntN(most)
	list := make([]string, n)
	for i := range list {
		list[i] = g.expr(kind(g.IntN(int(kinds))), 2)
	}
	if g.IntN(5) == 0 {
		list[n-1] = g.call()
	}
	return strings.Join(list, ", ")
}

func (g *generator) call() string {
	args := g.exprs(3)
	if f := g.variable(functionKind); f != "" && g.IntN(3) > 0 {
		return f + "(" + args + ")"
	}
	return g.pick("select("+g.pick("1", "2", "-1", "'#'")+", "+args+")", "unpack("+g.expr(listKind, 1)+")", "tostring("+args+")", "type("+args+")", "pcall(show, "+args+")",
		"("+g.expr(stringKind, 1)+"):find("+g.pattern()+")", "("+g.expr(stringKind, 1)+"):byte(1, 3)", "math.max("+g.expr(numberKind, 1)+", "+g.expr(numberKind, 1)+")",
		"next({"+g.expr(numberKind, 1)+"})", "("+g.expr(objectKind, 1)+")("+args+")", "cut(("+g.expr(stringKind, 1)+"):gsub("+g.pattern()+", "+g.pick("'%0%0'", "function(x) return x and #x end", "{a = 'A', b = 1}", "''")+"))")
}

// variable is the name of one of a kind, or "".
func (g *generator) variable(k kind) string {
	var found []string
	for _, v := range g.vars {
		if v.kind == k {
			found = append(found, v.name)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return g.pick(found...)
}

// expr is an expression of a kind, or now and then of another.
func (g *generator) expr(k kind, depth int) string {
	if k == elementKind {
		return "(" + g.expr(numberKind, depth) + " or 0)"
	}
	if g.IntN(40) == 0 {
		return g.pick("nil", "undefined", "(nil)", "{}", "'7'", "show")
	}
	if g.IntN(60) == 0 {
		k = kind(g.IntN(int(kinds)))
	}
	if v := g.variable(k); v != "" && g.IntN(3) == 0 {
		return v
	}
	if depth <= 0 {
		return g.literal(k)
	}
	sub := func(k kind) string { return g.expr(k, depth-1) }
	switch k {
	case numberKind:
		return g.numberExpr(sub)
	case stringKind:
		return g.stringExpr(sub)
	case boolKind:
		return g.boolExpr(sub)
	case listKind:
		return g.pick(g.literal(k), "{"+sub(elementKind)+", "+sub(elementKind)+"}", "{"+sub(elementKind)+", unpack("+sub(listKind)+")}", "sorted("+sub(listKind)+")")
	case recordKind:
		return g.pick("{a = "+sub(numberKind)+", b = "+sub(stringKind)+"}", "{[ "+sub(stringKind)+"] = "+sub(boolKind)+", c = 3}", "{a = "+sub(recordKind)+", "+sub(numberKind)+"}")
	case functionKind:
		if g.depth < 5 {
			return "function" + g.functionBody(false)
		}
		return g.literal(k)
	}
	return g.pick("object("+sub(numberKind)+")", sub(objectKind)+" + "+sub(objectKind), "- "+sub(objectKind), sub(objectKind)+" * "+sub(numberKind))
}

func (g *generator) numberExpr(sub func(kind) string) string {
	switch g.IntN(9) {
	case 0:
		return "#" + g.pick(sub(listKind), sub(stringKind))
	case 1:
		return "- " + g.noConstant(sub)
	case 2:
		return "(" + g.pick(sub(recordKind)+").a", sub(recordKind)+").c", sub(listKind)+")[1]", sub(objectKind)+").n")
	case 3:
		return "math." + g.pick("floor", "abs", "ceil") + "(" + sub(numberKind) + ")"
	case 4:
		return "(" + sub(boolKind) + " and " + sub(numberKind) + " or " + sub(numberKind) + ")"
	case 5:
		return g.pick("(tonumber("+sub(stringKind)+") or 4)", "table.getn("+sub(listKind)+")", "(select('#', "+g.exprs(2)+"))")
	}
	operator := g.pick("+", "-", "*", "/", "%", "^", "+", "-")
	e := "(" + g.noConstant(sub) + " " + operator + " " + sub(numberKind) + ")"
	if operator == "^" {
		return "rough" + e
	}
	return e
}

// noConstant keeps C's compiler from computing with constants: it takes -0 and 0 for the same one.
func (g *generator) noConstant(sub func(kind) string) string {
	if v := g.variable(numberKind); v != "" && g.IntN(2) == 0 {
		return v
	}
	return "id(" + sub(numberKind) + ")"
}

func (g *generator) stringExpr(sub func(kind) string) string {
	switch g.IntN(8) {
	case 0:
		return "tostring(" + g.pick(sub(numberKind), sub(boolKind), sub(objectKind)) + ")"
	case 1:
		return "(" + sub(stringKind) + "):sub(int(" + sub(numberKind) + "), " + g.pick("-1", "3", "int("+sub(numberKind)+")") + ")"
	case 2:
		return "string." + g.pick("upper", "lower", "reverse") + "(" + sub(stringKind) + ")"
	case 3:
		return "cut(string.rep(" + sub(stringKind) + ", int(" + sub(numberKind) + ")))"
	case 4:
		return "cut(string.format(" + g.pick("'%5.1f|%s', "+sub(numberKind)+", "+sub(stringKind), "'%q', "+sub(stringKind), "'%-8s|', "+sub(stringKind), "'%d', int("+sub(numberKind)+")") + "))"
	case 5:
		return "cut(table.concat(" + sub(listKind) + ", " + sub(stringKind) + "))"
	}
	return "cut(" + sub(stringKind) + " .. " + g.pick(sub(stringKind), sub(numberKind), sub(stringKind)+" .. "+sub(numberKind), sub(objectKind)) + ")"
}

func (g *generator) boolExpr(sub func(kind) string) string {
	switch g.IntN(6) {
	case 0:
		return "not " + g.pick(sub(boolKind), sub(numberKind), "(nil)")
	case 1:
		return "(" + sub(stringKind) + g.pick(" < ", " == ", " ~= ", " >= ") + sub(stringKind) + ")"
	case 2:
		return "(" + sub(boolKind) + g.pick(" and ", " or ") + sub(boolKind) + ")"
	case 3:
		return "(" + sub(objectKind) + g.pick(" < ", " == ", " <= ", " > ") + sub(objectKind) + ")"
	}
	return "(" + sub(numberKind) + g.pick(" < ", " <= ", " > ", " >= ", " == ", " ~= ") + sub(numberKind) + ")"
}

func (g *generator) literal(k kind) string {
	switch k {
	case numberKind:
		return g.pick("0", "1", "2", "3", "7", "10", "-1", "0.5", "1e3", "100", "0x1F", "G1")
	case stringKind:
		return g.pick("'a'", "'hello world'", "''", "'12'", "'a,b,c'", "[[x\ny]]", "'%d'", "G2", `"q\"\n"`)
	case boolKind:
		return g.pick("true", "false", "nil")
	case listKind:
		return g.pick("{}", "{1, 2, 3}", "{5, 4, 9, 1}", "{10}")
	case recordKind:
		return g.pick("{a = 1}", "{a = 1, b = 'x', c = 2}", "{c = {a = 1}}")
	case functionKind:
		return g.pick("function() return 1 end", "tostring", "function(...) return ... end", "math.floor", "object")
	}
	return g.pick("object(1)", "object(2)", "object()")
}

func (g *generator) pattern() string {
	return g.pick("'%w+'", "'(.)(.)'", "'[a-c]'", "'%d'", "'^.'", "'l+'", "'()'", "'%s*'", "'.-'", "'x*$'")
}

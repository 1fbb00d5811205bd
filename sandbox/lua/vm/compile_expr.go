package vm

import (
	"slices"

	"github.com/yuin/gopher-lua/ast"

	"sandbar/sandbox/number"
)

// expr compiles an expression.
func (b *builder) expr(node ast.Expr) expr {
	switch n := node.(type) {
	case *ast.NilExpr:
		return b.leaf(n, newExpr(exprNil, 0))
	case *ast.TrueExpr:
		return b.leaf(n, newExpr(exprTrue, 0))
	case *ast.FalseExpr:
		return b.leaf(n, newExpr(exprFalse, 0))
	case *ast.NumberExpr:
		return b.leaf(n, b.number(n))
	case *ast.StringExpr:
		if long, ok := b.longs[int32(n.Line())]; ok && long.is(n.Value) {
			b.line = max(b.line, long.to)
		}
		return b.leaf(n, newExpr(exprConst, b.text(n.Value)))
	case *ast.Comma3Expr:
		return b.varargs(n)
	case *ast.IdentExpr:
		return b.leaf(n, b.variable(n.Value))
	case *ast.AttrGetExpr:
		return b.element(n)
	case *ast.FuncCallExpr:
		e := b.call(n)
		if n.AdjustRet {
			b.read(&e)
		}
		return e
	case *ast.FunctionExpr:
		return b.function(n, false)
	case *ast.TableExpr:
		return b.table(n)
	case *ast.LogicalOpExpr:
		return b.logical(n)
	case *ast.RelationalOpExpr:
		return b.relational(n)
	case *ast.ArithmeticOpExpr:
		return b.arithmetic(n)
	case *ast.StringConcatOpExpr:
		return b.concat(n)
	}
	return b.unary(node)
}

func (b *builder) leaf(n ast.Expr, e expr) expr {
	b.line = max(b.line, int32(n.Line()))
	return e
}

func (b *builder) number(n *ast.NumberExpr) expr {
	e := newExpr(exprNumber, 0)
	f, ok := number.Parse(n.Value)
	if !ok {
		b.line = int32(n.Line())
		b.fail("malformed number near '%s'", n.Value)
	}
	e.number = f
	return e
}

func (b *builder) varargs(n *ast.Comma3Expr) expr {
	if !b.vararg {
		b.line = int32(n.Line())
		b.fail("cannot use '...' outside a vararg function near '...'")
	}
	b.fillsArg = false
	e := b.leaf(n, newExpr(exprVararg, b.emit(opVararg, 0, 1, 0)))
	if n.AdjustRet {
		b.read(&e)
	}
	return e
}

func (b *builder) variable(name string) expr {
	e := b.find(b.name(name), false)
	if e.kind == exprGlobal {
		e.at = b.text(name)
	}
	return e
}

func (b *builder) element(n *ast.AttrGetExpr) expr {
	e := b.expr(n.Object)
	b.anywhere(&e)
	k := b.expr(n.Key)
	b.value(&k)
	return b.elementOf(e, &k)
}

func (b *builder) elementOf(table expr, key *expr) expr {
	e := newExpr(exprElement, table.at)
	e.key = b.operand(key)
	return e
}

// call compiles a call for one result, which setResults can change.
func (b *builder) call(n *ast.FuncCallExpr) expr {
	method := n.Receiver != nil
	of := n.Func
	if method {
		of = n.Receiver
	}
	f := b.expr(of)
	at := b.nextCall()
	b.line = max(b.line, at.from)
	line := b.line
	if method {
		f = b.self(f, n.Method)
	} else {
		b.next(&f)
	}
	args := b.list(n.Args)
	b.line = max(b.line, at.to)
	count := -1
	if args.several() {
		b.setResults(&args, -1)
	} else {
		if args.kind != exprNone {
			b.next(&args)
		}
		count = b.free - (f.at + 1)
	}
	e := newExpr(exprCall, b.emit(opCall, f.at, count+1, 2))
	b.onLine(int(line))
	b.free = f.at + 1
	return e
}

// self puts a method and its object into two registers.
func (b *builder) self(e expr, method string) expr {
	b.anywhere(&e)
	b.releaseExpr(&e)
	r := b.free
	b.reserve(2)
	key := newExpr(exprConst, b.text(method))
	if k := b.operand(&key); k >= constBit {
		b.emit(opSelf, r, e.at, k-constBit)
	} else { // more constants than an instruction can name
		b.emit(opMove, r+1, e.at, 0)
		b.emit(opGetTable, r, e.at, k)
	}
	b.releaseExpr(&key)
	return newExpr(exprIn, r)
}

// list compiles expressions into registers, all but the last, which it returns.
func (b *builder) list(nodes []ast.Expr) expr {
	e := newExpr(exprNone, 0)
	for i, n := range nodes {
		if i > 0 {
			b.next(&e)
		}
		e = b.expr(n)
	}
	return e
}

// table compiles a constructor.
func (b *builder) table(n *ast.TableExpr) expr {
	b.line = max(b.line, int32(n.Line()))
	pc := b.emit(opNewTable, 0, 0, 0)
	t := newExpr(exprOpen, pc)
	b.next(&t)
	item, waiting, items, keys := newExpr(exprNone, 0), 0, 0, 0
	for _, f := range n.Fields {
		if item.kind != exprNone {
			b.next(&item)
			item.kind = exprNone
			if waiting == fieldsPerFlush {
				b.setList(t.at, items, waiting)
				waiting = 0
			}
		}
		if f.Key != nil {
			keys++
			b.field(t.at, f)
			continue
		}
		item = b.expr(f.Value)
		items++
		waiting++
	}
	switch {
	case waiting == 0:
	case item.several():
		b.setResults(&item, -1)
		b.setList(t.at, items, -1)
		items--
	default:
		if item.kind != exprNone {
			b.next(&item)
		}
		b.setList(t.at, items, waiting)
	}
	b.code[pc].b, b.code[pc].c = uint16(min(items, 1<<16-1)), uint16(min(keys, 1<<16-1))
	if shape := b.shape(n); len(shape) > 0 && len(shape) == keys {
		b.shapes = append(b.shapes, shape)
		b.code[pc].x = int32(len(b.shapes))
	}
	return t
}

// shape is the keys of a constructor, when all have names, each another, and are few. The table begins with them then.
func (b *builder) shape(n *ast.TableExpr) []int {
	var keys []int
	for _, f := range n.Fields {
		if f.Key == nil {
			continue
		}
		name, ok := f.Key.(*ast.StringExpr)
		if !ok || len(keys) == minNodes {
			return nil
		}
		k := b.constant(constant{kind: constText, text: name.Value})
		if slices.Contains(keys, k) {
			return nil
		}
		keys = append(keys, k)
	}
	return keys
}

func (b *builder) field(table int, f *ast.Field) {
	free := b.free
	k := b.expr(f.Key)
	b.value(&k)
	key := b.operand(&k)
	v := b.expr(f.Value)
	b.setElement(table, key, b.operand(&v))
	b.free = free
}

// setList puts values behind a table into it: count of them or, when that is negative, all up to the top.
func (b *builder) setList(table, items, count int) {
	if count < 0 {
		count = 0
	}
	pc := b.emit(opSetList, table, count, 0)
	b.code[pc].x = int32((items-1)/fieldsPerFlush + 1)
	b.free = table + 1
}

// function compiles a function, with the parameter self when it is a method.
func (b *builder) function(n *ast.FunctionExpr, method bool) expr {
	in := b.inner(n.Line(), n.ParList.HasVargs)
	if method {
		in.declare("self")
	}
	in.declare(n.ParList.Names...)
	in.params = len(in.active)
	if in.vararg {
		in.arg, in.fillsArg = true, true
		in.declare("arg")
	}
	in.reserve(len(in.active))
	in.body(n.Stmts, n.LastLine())
	b.line = max(b.line, int32(n.LastLine()))
	b.subs = append(b.subs, in.Code)
	b.captures = append(b.captures, in.from)
	return newExpr(exprOpen, b.emitX(opClosure, 0, len(b.subs)-1))
}

// inner begins a function inside of another.
func (b *builder) inner(line int, vararg bool) *builder {
	return &builder{
		Code: &Code{Name: b.Name, first: line, vararg: vararg, registers: 2}, compiler: b.compiler, outer: b,
		target: -1, pending: noJump, line: int32(line), known: map[constant]int{},
	}
}

// body compiles what a function does, up to its end.
func (b *builder) body(stmts []ast.Stmt, last int) {
	b.stmts(stmts)
	b.line = max(b.line, int32(last))
	b.forget(0)
	b.ret(0, 0)
	b.exact()
	b.fuse()
}

package vm

import "github.com/yuin/gopher-lua/ast"

func (b *builder) stmts(list []ast.Stmt) {
	for _, s := range list {
		b.line = max(b.line, int32(s.Line()))
		b.stmt(s)
		b.free = len(b.active)
	}
}

func (b *builder) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		b.assign(s)
	case *ast.LocalAssignStmt:
		b.localStmt(s)
	case *ast.FuncCallStmt:
		b.callStmt(s)
	case *ast.DoBlockStmt:
		b.scope(s.Stmts)
	case *ast.WhileStmt:
		b.while(s)
	case *ast.RepeatStmt:
		b.repeat(s)
	case *ast.IfStmt:
		b.ifStmt(s)
	case *ast.NumberForStmt:
		b.numberFor(s)
	case *ast.GenericForStmt:
		b.genericFor(s)
	case *ast.FuncDefStmt:
		b.functionStmt(s)
	case *ast.ReturnStmt:
		b.returnStmt(s)
	case *ast.BreakStmt:
		b.breakStmt()
	default: // goto and labels, which gopher-lua knows
		b.fail("there is no goto in Lua 5.1")
	}
}

func (b *builder) scope(stmts []ast.Stmt) {
	var bl block
	b.enter(&bl, false)
	b.stmts(stmts)
	b.leave()
}

// assign stores from the right to the left, as C Lua does.
func (b *builder) assign(s *ast.AssignStmt) {
	targets := make([]expr, len(s.Lhs))
	for i, l := range s.Lhs {
		targets[i] = b.expr(l)
		if i > 0 && targets[i].kind == exprLocal {
			b.keepFrom(targets[:i], targets[i].at)
		}
	}
	e := b.list(s.Rhs)
	n := len(targets)
	if len(s.Rhs) == n {
		b.one(&e)
		n--
		b.store(&targets[n], &e)
	} else {
		b.adjust(n, len(s.Rhs), &e)
		if len(s.Rhs) > n {
			b.free -= len(s.Rhs) - n
		}
	}
	for n--; n >= 0; n-- {
		last := newExpr(exprIn, b.free-1)
		b.store(&targets[n], &last)
	}
}

// keepFrom copies a variable that is assigned to while elements before it are found by its value.
func (b *builder) keepFrom(before []expr, r int) {
	copied := b.free
	used := false
	for i := range before {
		if t := &before[i]; t.kind == exprElement {
			if t.at == r {
				t.at, used = copied, true
			}
			if t.key == r {
				t.key, used = copied, true
			}
		}
	}
	if used {
		b.emit(opMove, copied, r, 0)
		b.reserve(1)
	}
}

// adjust makes as many values as there are variables.
func (b *builder) adjust(variables, values int, e *expr) {
	extra := variables - values
	if e.several() {
		extra = max(extra+1, 0)
		b.setResults(e, extra)
		if extra > 1 {
			b.reserve(extra - 1)
		}
		return
	}
	if e.kind != exprNone {
		b.next(e)
	}
	if extra > 0 {
		r := b.free
		b.reserve(extra)
		b.loadNil(r, extra)
	}
}

func (b *builder) localStmt(s *ast.LocalAssignStmt) {
	if f, ok := localFunction(s); ok {
		v := newExpr(exprLocal, b.free)
		b.reserve(1)
		b.declare(s.Names[0])
		e := b.function(f, false)
		b.store(&v, &e)
		b.locals[len(b.locals)-1].from = b.pc() // not yet known where the function is made
		return
	}
	e := b.list(s.Exprs)
	b.adjust(len(s.Names), len(s.Exprs), &e)
	b.declare(s.Names...)
}

// localFunction says whether a statement is "local function", whose name is known in the function; the parser gives only that one its last line.
func localFunction(s *ast.LocalAssignStmt) (*ast.FunctionExpr, bool) {
	if s.LastLine() == 0 || len(s.Exprs) != 1 {
		return nil, false
	}
	f, ok := s.Exprs[0].(*ast.FunctionExpr)
	return f, ok
}

func (b *builder) callStmt(s *ast.FuncCallStmt) {
	call, ok := s.Expr.(*ast.FuncCallExpr)
	if !ok || call.AdjustRet {
		b.fail("syntax error")
	}
	e := b.expr(call)
	b.code[e.at].c = 1
}

// condition compiles an expression and returns the jumps that are taken when it is not true.
func (b *builder) unless(n ast.Expr) int {
	e := b.expr(n)
	if e.kind == exprNil {
		e.kind = exprFalse
	}
	b.goOnIfTrue(&e)
	return e.no
}

func (b *builder) while(s *ast.WhileStmt) {
	begin := b.label()
	exit := b.unless(s.Condition)
	var bl block
	b.enter(&bl, true)
	b.scope(s.Stmts)
	b.lead(b.jump(), begin)
	b.leave()
	b.leadHere(exit)
}

func (b *builder) repeat(s *ast.RepeatStmt) {
	begin := b.label()
	var loop, scope block
	b.enter(&loop, true)
	b.enter(&scope, false)
	b.stmts(s.Stmts)
	again := b.unless(s.Condition)
	if !scope.escapes {
		b.leave()
		b.lead(again, begin)
	} else { // variables leave the stack on both ways
		b.breakStmt()
		b.leadHere(again)
		b.leave()
		b.lead(b.jump(), begin)
	}
	b.leave()
}

func (b *builder) ifStmt(s *ast.IfStmt) {
	escape := noJump
	for {
		unless := b.unless(s.Condition)
		b.scope(s.Then)
		if len(s.Else) == 0 {
			escape = b.joined(escape, unless)
			break
		}
		escape = b.joined(escape, b.jump())
		b.leadHere(unless)
		if next, ok := s.Else[0].(*ast.IfStmt); ok && len(s.Else) == 1 {
			b.line = max(b.line, int32(next.Line()))
			s = next
			continue
		}
		b.scope(s.Else)
		break
	}
	b.leadHere(escape)
}

func (b *builder) numberFor(s *ast.NumberForStmt) {
	var loop block
	b.enter(&loop, true)
	base := b.free
	b.intoNext(s.Init)
	b.intoNext(s.Limit)
	if s.Step != nil {
		b.intoNext(s.Step)
	} else {
		one := newExpr(exprNumber, 0)
		one.number = 1
		b.next(&one)
	}
	b.declare("(for index)", "(for limit)", "(for step)")
	prepare := b.emitX(opForPrep, base, noJump)
	b.loopBody([]string{s.Name}, s.Stmts)
	b.leadHere(prepare)
	end := b.emitX(opForLoop, base, noJump)
	b.onLine(s.Line())
	b.lead(end, prepare+1)
	b.leave()
}

func (b *builder) intoNext(n ast.Expr) {
	e := b.expr(n)
	b.next(&e)
}

func (b *builder) loopBody(names []string, stmts []ast.Stmt) {
	var bl block
	b.enter(&bl, false)
	b.declare(names...)
	b.reserve(len(names))
	b.stmts(stmts)
	b.leave()
}

func (b *builder) genericFor(s *ast.GenericForStmt) {
	var loop block
	b.enter(&loop, true)
	base := b.free
	e := b.list(s.Exprs)
	b.adjust(3, len(s.Exprs), &e)
	if b.free > base+3 {
		b.free = base + 3
	}
	if b.free+3 >= maxRegisters {
		b.fail("function or expression too complex")
	}
	b.registers = max(b.registers, b.free+3) // for the call
	b.declare("(for generator)", "(for state)", "(for control)")
	prepare := b.jump()
	b.loopBody(s.Names, s.Stmts)
	b.leadHere(prepare)
	b.emit(opTForCall, base, 0, len(s.Names))
	b.onLine(s.Line())
	end := b.emitX(opTForLoop, base, noJump)
	b.lead(end, prepare+1)
	b.leave()
}

func (b *builder) functionStmt(s *ast.FuncDefStmt) {
	var to expr
	if s.Name.Receiver != nil {
		t := b.expr(s.Name.Receiver)
		b.anywhere(&t)
		key := newExpr(exprConst, b.text(s.Name.Method))
		to = b.elementOf(t, &key)
	} else {
		to = b.expr(s.Name.Func)
	}
	e := b.function(s.Func, s.Name.Receiver != nil)
	b.store(&to, &e)
	b.onLine(s.Line())
}

func (b *builder) returnStmt(s *ast.ReturnStmt) {
	if len(s.Exprs) == 0 {
		b.ret(0, 0)
		return
	}
	e := b.list(s.Exprs)
	switch {
	case e.several():
		b.setResults(&e, -1)
		if e.kind == exprCall && len(s.Exprs) == 1 {
			b.code[e.at].op = opTailCall
		}
		b.ret(len(b.active), -1)
	case len(s.Exprs) == 1:
		b.ret(b.anywhere(&e), 1)
	default:
		b.next(&e)
		b.ret(len(b.active), len(s.Exprs))
	}
}

func (b *builder) breakStmt() {
	escapes := false
	bl := b.block
	for ; bl != nil && !bl.loop; bl = bl.outer {
		escapes = escapes || bl.escapes
	}
	if bl == nil {
		b.fail("no loop to break near <eof>")
	}
	if escapes {
		b.emit(opClose, bl.active, 0, 0)
	}
	bl.breaks = b.joined(bl.breaks, b.jump())
}

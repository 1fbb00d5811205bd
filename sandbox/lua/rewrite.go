package lua

import (
	"bytes"
	"fmt"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

const (
	maxSource  = 256 << 10
	maxNesting = 1000 // of statements and expressions; the compiler recurses over them
)

// boundError is a source that is too large or too deep.
type boundError struct {
	line int
	text string
}

func (e *boundError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

// compile parses, bounds, rewrites and compiles a source.
// Its prototype is a function of the guards that returns the source as a function.
func compile(name string, source []byte) (proto *lua.FunctionProto, err error) {
	if len(source) > maxSource {
		return nil, &boundError{text: fmt.Sprintf("the source has %d bytes, %d are allowed", len(source), maxSource)}
	}
	if bytes.HasPrefix(source, []byte("#")) { // as Lua's loader: a first line for the shell
		source = append([]byte("--"), source...)
	}
	defer func() {
		// The parser of gopher-lua panics on some inputs that are no Lua.
		if r := recover(); r != nil {
			proto, err = nil, &boundError{text: fmt.Sprintf("the source cannot be compiled: %v", r)}
		}
	}()
	chunk, err := parse.Parse(bytes.NewReader(source), name)
	if err != nil {
		return nil, err
	}
	r := rewriter{}
	chunk = r.block(chunk)
	if r.err != nil {
		return nil, r.err
	}
	return lua.Compile(withGuards(chunk), name)
}

// withGuards makes the chunk `local (concat), ... = ...; return function(...) chunk end`.
func withGuards(chunk []ast.Stmt) []ast.Stmt {
	names := guardNames()
	local := &ast.LocalAssignStmt{Names: names[:], Exprs: []ast.Expr{at(&ast.Comma3Expr{}, 1)}}
	local.SetLine(1)
	fn := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true, Names: []string{}}, Stmts: chunk}
	fn.SetLine(1)
	fn.SetLastLine(1)
	if n := len(chunk); n > 0 {
		fn.SetLastLine(max(chunk[n-1].LastLine(), chunk[n-1].Line()))
	}
	ret := &ast.ReturnStmt{Exprs: []ast.Expr{fn}}
	ret.SetLine(1)
	return []ast.Stmt{local, ret}
}

func at[E ast.PositionHolder](e E, line int) E {
	e.SetLine(line)
	e.SetLastLine(line)
	return e
}

// rewriter replaces what allocates by calls of the guards, in place, and bounds the nesting.
type rewriter struct {
	depth int
	err   error
}

// enter counts one level of nesting; leave must follow when it returns true.
func (r *rewriter) enter(n ast.PositionHolder) bool {
	if r.err != nil {
		return false
	}
	if r.depth++; r.depth > maxNesting {
		r.err = &boundError{line: n.Line(), text: fmt.Sprintf("statements or expressions are nested more than %d deep", maxNesting)}
		return false
	}
	return true
}

func (r *rewriter) leave() { r.depth-- }

func guardCall(guard, line int, args ...ast.Expr) *ast.FuncCallExpr {
	fn := at(&ast.IdentExpr{Value: guardNames()[guard]}, line)
	return at(&ast.FuncCallExpr{Func: fn, Args: args}, line)
}

func (r *rewriter) block(stmts []ast.Stmt) []ast.Stmt {
	out := make([]ast.Stmt, 0, len(stmts))
	for _, s := range stmts {
		if !r.enter(s) {
			return nil
		}
		out = r.statement(out, s)
		r.leave()
	}
	return out
}

// statement appends s, rewritten, to out.
func (r *rewriter) statement(out []ast.Stmt, s ast.Stmt) []ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		return append(out, r.assign(s))
	case *ast.LocalAssignStmt:
		if len(s.Names) == 1 && len(s.Exprs) == 1 {
			if fn, ok := s.Exprs[0].(*ast.FunctionExpr); ok { // may call itself, so it stays as it is
				call := at(&ast.FuncCallStmt{Expr: guardCall(guardClosure, s.Line())}, s.Line())
				r.function(fn)
				return append(out, call, s)
			}
		}
		r.expressions(s.Exprs)
	case *ast.FuncCallStmt:
		s.Expr = r.expression(s.Expr)
	case *ast.DoBlockStmt:
		s.Stmts = r.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition, s.Stmts = r.expression(s.Condition), r.block(s.Stmts)
	case *ast.RepeatStmt:
		s.Condition, s.Stmts = r.expression(s.Condition), r.block(s.Stmts)
	case *ast.IfStmt:
		r.branches(s)
	case *ast.NumberForStmt:
		s.Init, s.Limit = r.expression(s.Init), r.expression(s.Limit)
		if s.Step != nil {
			s.Step = r.expression(s.Step)
		}
		s.Stmts = r.block(s.Stmts)
	case *ast.GenericForStmt:
		r.expressions(s.Exprs)
		s.Stmts = r.block(s.Stmts)
	case *ast.FuncDefStmt:
		return append(out, r.define(s))
	case *ast.ReturnStmt:
		r.expressions(s.Exprs)
	}
	return append(out, s)
}

// branches walks a chain of elseif without a level for each.
func (r *rewriter) branches(s *ast.IfStmt) {
	for n := 0; ; n++ {
		if n > 1000 {
			r.err = &boundError{line: s.Line(), text: "more than 1000 elseif"}
			return
		}
		s.Condition, s.Then = r.expression(s.Condition), r.block(s.Then)
		if len(s.Else) == 1 {
			if next, ok := s.Else[0].(*ast.IfStmt); ok {
				s = next
				continue
			}
		}
		s.Else = r.block(s.Else)
		return
	}
}

// define turns `function a.b(...)` and `function a:b(...)` into an assignment to an element.
func (r *rewriter) define(s *ast.FuncDefStmt) ast.Stmt {
	line := s.Func.Line()
	if s.Name.Func == nil { // method
		s.Func.ParList.Names = append([]string{"self"}, s.Func.ParList.Names...)
		key := at(&ast.StringExpr{Value: s.Name.Method}, line)
		target := at(&ast.AttrGetExpr{Object: s.Name.Receiver, Key: key}, line)
		return r.assign(at(&ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{s.Func}}, line))
	}
	return r.assign(at(&ast.AssignStmt{Lhs: []ast.Expr{s.Name.Func}, Rhs: []ast.Expr{s.Func}}, line))
}

// assign rewrites assignments to elements. All expressions are evaluated before anything is assigned.
func (r *rewriter) assign(s *ast.AssignStmt) ast.Stmt {
	r.expressions(s.Rhs)
	elements := 0
	for _, l := range s.Lhs {
		if t, ok := l.(*ast.AttrGetExpr); ok {
			elements++
			t.Object, t.Key = r.expression(t.Object), r.expression(t.Key)
		}
	}
	switch {
	case elements == 0:
		return s
	case len(s.Lhs) == 1 && len(s.Rhs) == 1:
		t := s.Lhs[0].(*ast.AttrGetExpr)
		return at(&ast.FuncCallStmt{Expr: guardCall(guardSet, s.Line(), t.Object, t.Key, single(s.Rhs[0]))}, s.Line())
	}
	return assignMany(s)
}

// assignMany is do local (o1),(k1),...,(v1),... = o1,k1,...,values; set(o1,k1,v1); name = v2 end.
func assignMany(s *ast.AssignStmt) ast.Stmt {
	line := s.Line()
	local := at(&ast.LocalAssignStmt{}, line)
	for i, l := range s.Lhs {
		if t, ok := l.(*ast.AttrGetExpr); ok {
			local.Names = append(local.Names, fmt.Sprintf("(o%d)", i), fmt.Sprintf("(k%d)", i))
			local.Exprs = append(local.Exprs, single(t.Object), single(t.Key))
		}
	}
	for i := range s.Lhs {
		local.Names = append(local.Names, fmt.Sprintf("(v%d)", i))
	}
	local.Exprs = append(local.Exprs, s.Rhs...)
	name := func(format string, i int) ast.Expr { return at(&ast.IdentExpr{Value: fmt.Sprintf(format, i)}, line) }
	stmts := []ast.Stmt{local}
	for i, l := range s.Lhs {
		if _, ok := l.(*ast.AttrGetExpr); ok {
			call := guardCall(guardSet, line, name("(o%d)", i), name("(k%d)", i), name("(v%d)", i))
			stmts = append(stmts, at(&ast.FuncCallStmt{Expr: call}, line))
			continue
		}
		stmts = append(stmts, at(&ast.AssignStmt{Lhs: []ast.Expr{l}, Rhs: []ast.Expr{name("(v%d)", i)}}, line))
	}
	return at(&ast.DoBlockStmt{Stmts: stmts}, line)
}

// single cuts an expression of several values down to one.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

func (r *rewriter) expressions(list []ast.Expr) {
	for i, e := range list {
		list[i] = r.expression(e)
	}
}

func (r *rewriter) expression(e ast.Expr) ast.Expr {
	if e == nil || !r.enter(e) {
		return e
	}
	defer r.leave()
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		e.Object, e.Key = r.expression(e.Object), r.expression(e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			f.Key, f.Value = r.expression(f.Key), r.expression(f.Value)
		}
		return guardCall(guardTable, e.Line(), e)
	case *ast.FuncCallExpr:
		e.Func, e.Receiver = r.expression(e.Func), r.expression(e.Receiver)
		r.expressions(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
	case *ast.StringConcatOpExpr:
		return r.concat(e)
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.FunctionExpr:
		r.function(e)
		return guardCall(guardClosure, e.Line(), e)
	}
	return e
}

func (r *rewriter) function(fn *ast.FunctionExpr) { fn.Stmts = r.block(fn.Stmts) }

// concat makes one call of a chain a .. b .. c, which is nested to the right.
func (r *rewriter) concat(e *ast.StringConcatOpExpr) ast.Expr {
	var args []ast.Expr
	for {
		args = append(args, single(r.expression(e.Lhs)))
		next, ok := e.Rhs.(*ast.StringConcatOpExpr)
		if !ok {
			break
		}
		e = next
	}
	args = append(args, single(r.expression(e.Rhs)))
	if len(args) > maxNesting {
		r.err = &boundError{line: e.Line(), text: fmt.Sprintf("more than %d strings in one concatenation", maxNesting)}
	}
	return guardCall(guardConcat, e.Line(), args...)
}

package vm

import (
	"fmt"

	"github.com/yuin/gopher-lua/ast"
)

// What gopher-lua's compiler gets wrong is written in another way before it sees it:
//
//   - `a, b = b, a` assigns b to both when they are local variables. Values go into variables of their own first, and
//     are assigned from the right, as Lua does.
//   - A generic for with fewer than three values leaves the missing ones undefined. They become nil.
//   - A jump back to a loop that begins with a jump goes astray. Loops begin with one when what runs first is a break,
//     or a constant that is false: a body that may begin with break gets an instruction before it, and conditions
//     with constants are computed here, as C Lua's compiler does.

type position interface {
	ast.PositionHolder
	SetLine(int)
	SetLastLine(int)
}

func placed[T position](node T, line int) T {
	node.SetLine(line)
	node.SetLastLine(line)
	return node
}

func repairBlock(stmts []ast.Stmt) {
	for i, s := range stmts {
		stmts[i] = repair(s)
	}
}

func repair(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		repairExprs(s.Lhs)
		repairExprs(s.Rhs)
		return repairAssign(s)
	case *ast.LocalAssignStmt:
		repairExprs(s.Exprs)
	case *ast.FuncCallStmt:
		s.Expr = repairExpr(s.Expr)
	case *ast.DoBlockStmt:
		repairBlock(s.Stmts)
	case *ast.WhileStmt:
		return repairWhile(s)
	case *ast.RepeatStmt:
		s.Condition = repairExpr(s.Condition)
		s.Stmts = repairBody(s.Stmts)
	case *ast.IfStmt:
		return repairIf(s)
	case *ast.NumberForStmt:
		s.Init, s.Limit, s.Step = repairExpr(s.Init), repairExpr(s.Limit), repairExpr(s.Step)
		s.Stmts = repairBody(s.Stmts)
	case *ast.GenericForStmt:
		repairExprs(s.Exprs)
		for n := len(s.Exprs); n < 3 && (n == 0 || !several(s.Exprs[n-1])); n++ {
			s.Exprs = append(s.Exprs, placed(&ast.NilExpr{}, s.Line()))
		}
		s.Stmts = repairBody(s.Stmts)
	case *ast.FuncDefStmt:
		repairExpr(s.Func)
	case *ast.ReturnStmt:
		repairExprs(s.Exprs)
	}
	return s
}

func repairWhile(s *ast.WhileStmt) ast.Stmt {
	s.Condition = repairExpr(s.Condition)
	s.Stmts = repairBody(s.Stmts)
	if is, ok := constant(s.Condition); ok && !is {
		return placed(&ast.DoBlockStmt{}, s.Line())
	}
	return s
}

func repairIf(s *ast.IfStmt) ast.Stmt {
	s.Condition = repairExpr(s.Condition)
	repairBlock(s.Then)
	repairBlock(s.Else)
	if is, ok := constant(s.Condition); ok {
		if is {
			return placed(&ast.DoBlockStmt{Stmts: s.Then}, s.Line())
		}
		return placed(&ast.DoBlockStmt{Stmts: s.Else}, s.Line())
	}
	return s
}

// repairBody repairs the body of a loop, which must not begin with a jump.
func repairBody(stmts []ast.Stmt) []ast.Stmt {
	repairBlock(stmts)
	if breaks, _ := breaksFirst(stmts); !breaks {
		return stmts
	}
	nothing := placed(&ast.LocalAssignStmt{Names: []string{"(nothing)"}}, stmts[0].Line())
	return append([]ast.Stmt{placed(&ast.DoBlockStmt{Stmts: []ast.Stmt{nothing}}, stmts[0].Line())}, stmts...)
}

// breaksFirst says whether the first instruction of a block may be a break, and whether it may have none at all.
func breaksFirst(stmts []ast.Stmt) (breaks, empty bool) {
	for _, s := range stmts {
		breaks, empty = false, false
		switch s := s.(type) {
		case *ast.BreakStmt:
			return true, false
		case *ast.DoBlockStmt:
			breaks, empty = breaksFirst(s.Stmts)
		case *ast.RepeatStmt:
			breaks, _ = breaksFirst(s.Stmts)
		case *ast.WhileStmt:
			if _, ok := constant(s.Condition); ok {
				breaks, _ = breaksFirst(s.Stmts)
			}
		case *ast.AssignStmt: // of a variable to itself
			_, name := s.Lhs[0].(*ast.IdentExpr)
			_, empty = s.Rhs[0].(*ast.IdentExpr)
			empty = empty && name
		}
		if breaks || !empty {
			return breaks, empty
		}
	}
	return false, true
}

// several says whether an expression may have more or fewer values than one.
func several(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}

// repairAssign makes of o.k, a = values: do local (o), (k), (v1), (v2) = o, k, values; a = (v2); (o)[(k)] = (v1) end.
func repairAssign(s *ast.AssignStmt) ast.Stmt {
	names := 0
	for _, l := range s.Lhs {
		if _, ok := l.(*ast.IdentExpr); ok {
			names++
		}
	}
	if names == 0 || len(s.Lhs) < 2 {
		return s
	}
	line := s.Line()
	local := placed(&ast.LocalAssignStmt{}, line)
	hidden := func(what string, i int) *ast.IdentExpr {
		return placed(&ast.IdentExpr{Value: fmt.Sprintf("(%s%d)", what, i)}, line)
	}
	targets := make([]ast.Expr, len(s.Lhs))
	for i, l := range s.Lhs {
		targets[i] = l
		if t, ok := l.(*ast.AttrGetExpr); ok {
			o, k := hidden("o", i), hidden("k", i)
			local.Names = append(local.Names, o.Value, k.Value)
			local.Exprs = append(local.Exprs, t.Object, t.Key)
			targets[i] = placed(&ast.AttrGetExpr{Object: o, Key: k}, line)
		}
	}
	for i := range s.Lhs {
		local.Names = append(local.Names, hidden("v", i).Value)
	}
	local.Exprs = append(local.Exprs, s.Rhs...)
	block := placed(&ast.DoBlockStmt{Stmts: []ast.Stmt{local}}, line)
	for i := len(targets) - 1; i >= 0; i-- {
		block.Stmts = append(block.Stmts, placed(&ast.AssignStmt{Lhs: []ast.Expr{targets[i]}, Rhs: []ast.Expr{hidden("v", i)}}, line))
	}
	return block
}

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
		repairExpr(s.Expr)
	case *ast.DoBlockStmt:
		repairBlock(s.Stmts)
	case *ast.WhileStmt:
		repairExpr(s.Condition)
		repairBlock(s.Stmts)
	case *ast.RepeatStmt:
		repairExpr(s.Condition)
		repairBlock(s.Stmts)
	case *ast.IfStmt:
		repairExpr(s.Condition)
		repairBlock(s.Then)
		repairBlock(s.Else)
	case *ast.NumberForStmt:
		repairExprs([]ast.Expr{s.Init, s.Limit, s.Step})
		repairBlock(s.Stmts)
	case *ast.GenericForStmt:
		repairExprs(s.Exprs)
		for n := len(s.Exprs); n < 3 && (n == 0 || !several(s.Exprs[n-1])); n++ {
			s.Exprs = append(s.Exprs, placed(&ast.NilExpr{}, s.Line()))
		}
		repairBlock(s.Stmts)
	case *ast.FuncDefStmt:
		repairExpr(s.Func)
	case *ast.ReturnStmt:
		repairExprs(s.Exprs)
	}
	return s
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

func repairExprs(list []ast.Expr) {
	for _, e := range list {
		repairExpr(e)
	}
}

// repairExpr finds the functions in an expression.
func repairExpr(e ast.Expr) {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		repairExprs([]ast.Expr{e.Object, e.Key})
	case *ast.TableExpr:
		for _, f := range e.Fields {
			repairExprs([]ast.Expr{f.Key, f.Value})
		}
	case *ast.FuncCallExpr:
		repairExprs([]ast.Expr{e.Func, e.Receiver})
		repairExprs(e.Args)
	case *ast.LogicalOpExpr:
		repairExprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.RelationalOpExpr:
		repairExprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.ArithmeticOpExpr:
		repairExprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.StringConcatOpExpr:
		repairExprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.UnaryMinusOpExpr:
		repairExpr(e.Expr)
	case *ast.UnaryNotOpExpr:
		repairExpr(e.Expr)
	case *ast.UnaryLenOpExpr:
		repairExpr(e.Expr)
	case *ast.FunctionExpr:
		repairBlock(e.Stmts)
	}
}

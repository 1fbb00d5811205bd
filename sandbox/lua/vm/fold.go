package vm

import "github.com/yuin/gopher-lua/ast"

func repairExprs(list []ast.Expr) {
	for i, e := range list {
		list[i] = repairExpr(e)
	}
}

// repairExpr repairs the functions in an expression, and computes and, or and not of constants.
func repairExpr(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		e.Object, e.Key = repairExpr(e.Object), repairExpr(e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			f.Key, f.Value = repairExpr(f.Key), repairExpr(f.Value)
		}
	case *ast.FuncCallExpr:
		e.Func, e.Receiver = repairExpr(e.Func), repairExpr(e.Receiver)
		repairExprs(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = repairExpr(e.Lhs), repairExpr(e.Rhs)
		return foldLogical(e)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = repairExpr(e.Lhs), repairExpr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = repairExpr(e.Lhs), repairExpr(e.Rhs)
	case *ast.StringConcatOpExpr:
		e.Lhs, e.Rhs = repairExpr(e.Lhs), repairExpr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = repairExpr(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = repairExpr(e.Expr)
		if is, ok := constant(e.Expr); ok {
			if is {
				return placed(&ast.FalseExpr{}, e.Line())
			}
			return placed(&ast.TrueExpr{}, e.Line())
		}
	case *ast.UnaryLenOpExpr:
		e.Expr = repairExpr(e.Expr)
	case *ast.FunctionExpr:
		repairBlock(e.Stmts)
	}
	return e
}

// foldLogical leaves one side of an operator whose left side is a constant.
func foldLogical(e *ast.LogicalOpExpr) ast.Expr {
	is, ok := constant(e.Lhs)
	if !ok {
		return e
	}
	if is != (e.Operator == "and") {
		return e.Lhs
	}
	switch r := e.Rhs.(type) { // now an operand no more, but still of one value
	case *ast.FuncCallExpr:
		r.AdjustRet = true
	case *ast.Comma3Expr:
		r.AdjustRet = true
	}
	return e.Rhs
}

// constant says whether an expression is always the same, and whether that is true.
func constant(e ast.Expr) (is, ok bool) {
	switch e.(type) {
	case *ast.NilExpr, *ast.FalseExpr:
		return false, true
	case *ast.TrueExpr, *ast.NumberExpr, *ast.StringExpr:
		return true, true
	}
	return false, false
}

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/report"
)

// Whoever says in this project that a check is not OK says in the same breath what mends it: each row
// that is made, each row that is changed and each error that becomes one. And the midimonctl that a
// string of the project tells people to run exists.
func TestEveryCheckHasAFix(t *testing.T) {
	checks, commands := 0, 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir(), !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"):
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, src, 0)
		if err != nil {
			return err
		}
		c := &fixChecker{t: t, set: set}
		ast.Walk(visitor{c, nil}, file)
		checks, commands = checks+c.checks, commands+c.commands
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checks < 40 || commands < 10 {
		t.Errorf("%d checks and %d commands seen: this test no longer finds them", checks, commands)
	}
}

type fixChecker struct {
	t                *testing.T
	set              *token.FileSet
	checks, commands int
}

func (c *fixChecker) fault(n ast.Node, format string, args ...any) {
	c.t.Helper()
	c.t.Errorf("%s: "+format, append([]any{c.set.Position(n.Pos())}, args...)...)
}

// A visitor knows what is around a node, the innermost last.
type visitor struct {
	c      *fixChecker
	around []ast.Node
}

func (v visitor) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case nil:
		return nil
	case *ast.CompositeLit:
		v.c.literal(n, v.elided(n))
	case *ast.AssignStmt:
		v.c.assignment(n, v.around)
	case *ast.BasicLit:
		v.c.command(n)
	}
	return visitor{v.c, append(v.around[:len(v.around):len(v.around)], n)}
}

// elided is the type of a literal that an enclosing one names.
func (v visitor) elided(n *ast.CompositeLit) ast.Expr {
	if n.Type != nil {
		return n.Type
	}
	if outer, ok := v.around[len(v.around)-1].(*ast.CompositeLit); ok {
		if list, ok := outer.Type.(*ast.ArrayType); ok {
			return list.Elt
		}
	}
	return nil
}

// is says whether an expression is a name of package report.
func is(e ast.Expr, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "report" && s.Sel.Name == name
}

// literal wants the fix of a Check that is not OK, and of a Fault.
func (c *fixChecker) literal(n *ast.CompositeLit, of ast.Expr) {
	if len(n.Elts) == 0 || !is(of, "Check") && !is(of, "Fault") {
		return
	}
	fields := map[string]ast.Expr{}
	for _, e := range n.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			fields[pair.Key.(*ast.Ident).Name] = pair.Value
		}
	}
	c.checks++
	if is(of, "Check") && is(fields["Status"], "OK") {
		return
	}
	c.given(n, fields["Fix"])
}

// given wants a fix that is not empty.
func (c *fixChecker) given(n ast.Node, fix ast.Expr) {
	if text, ok := fix.(*ast.BasicLit); fix == nil || ok && text.Value == `""` {
		c.fault(n, "this says that something is wrong, and names no Fix")
	}
}

// assignment wants a fix where a status becomes another than OK: beside it or in the same block. A row
// that was not OK before has one.
func (c *fixChecker) assignment(n *ast.AssignStmt, around []ast.Node) {
	for i, l := range n.Lhs {
		s, ok := l.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != "Status" || i >= len(n.Rhs) || !is(n.Rhs[i], "Warning") && !is(n.Rhs[i], "Failed") {
			continue
		}
		row, ok := s.X.(*ast.Ident)
		if !ok {
			c.fault(n, "a status of something without a name")
			continue
		}
		c.checks++
		if !c.mended(row.Name, around) {
			c.fault(n, "%s is not OK then, and has no Fix", row.Name)
		}
	}
}

// mended says whether the innermost block around gives the row a fix, or whether it had one.
func (c *fixChecker) mended(row string, around []ast.Node) bool {
	block := true // the innermost is still to come
	for i := len(around) - 1; i >= 0; i-- {
		switch n := around[i].(type) {
		case *ast.BlockStmt:
			if block && c.fixes(row, n.List) {
				return true
			}
			block = false
			if judged(row, n.List) {
				return true
			}
		case *ast.CaseClause:
			if block && c.fixes(row, n.Body) {
				return true
			}
			block = false
		case *ast.IfStmt:
			for _, wrong := range []string{"Failed", "Warning"} {
				if asks(n.Cond, row, wrong) {
					return true
				}
			}
		}
	}
	return false
}

// fixes says whether one of the statements itself sets the row's fix.
func (c *fixChecker) fixes(row string, list []ast.Stmt) bool {
	for _, s := range list {
		a, ok := s.(*ast.AssignStmt)
		if !ok {
			continue
		}
		for i, l := range a.Lhs {
			if s, ok := l.(*ast.SelectorExpr); ok && s.Sel.Name == "Fix" && named(s.X, row) {
				if len(a.Rhs) == len(a.Lhs) {
					c.given(a, a.Rhs[i])
				}
				return true
			}
		}
	}
	return false
}

// judged says whether the row is what health.Of made of an error.
func judged(row string, list []ast.Stmt) bool {
	for _, s := range list {
		a, ok := s.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != 1 || !named(a.Lhs[0], row) {
			continue
		}
		if call, ok := a.Rhs[0].(*ast.CallExpr); ok {
			if of, ok := call.Fun.(*ast.SelectorExpr); ok && named(of.X, "health") && of.Sel.Name == "Of" {
				return true
			}
		}
	}
	return false
}

func named(e ast.Expr, name string) bool {
	x, ok := e.(*ast.Ident)
	return ok && x.Name == name
}

// asks says whether a condition asks for that status of the row, and more at most.
func asks(e ast.Expr, row, status string) bool {
	b, ok := e.(*ast.BinaryExpr)
	if !ok {
		return false
	}
	if b.Op == token.LAND {
		return asks(b.X, row, status) || asks(b.Y, row, status)
	}
	s, ok := b.X.(*ast.SelectorExpr)
	return ok && b.Op == token.EQL && s.Sel.Name == "Status" && named(s.X, row) && is(b.Y, status)
}

var midimonctl = regexp.MustCompile(`^midimonctl ([a-z]+)( .*)?$`)

// command wants the verb and the flags that a string names.
func (c *fixChecker) command(n *ast.BasicLit) {
	text, err := strconv.Unquote(n.Value)
	if n.Kind != token.STRING || err != nil {
		return
	}
	found := midimonctl.FindStringSubmatch(text)
	if found == nil {
		return
	}
	c.commands++
	root := newRoot(&app{getenv: os.Getenv}, "")
	cmd, _, err := root.Find([]string{found[1]})
	if err != nil || cmd == root {
		c.fault(n, "there is no %q", text)
		return
	}
	for _, word := range strings.Fields(found[2]) {
		flag, ok := strings.CutPrefix(word, "--")
		if ok && cmd.Flags().Lookup(flag) == nil && root.PersistentFlags().Lookup(flag) == nil {
			c.fault(n, "%s has no --%s", cmd.Name(), flag)
		}
	}
}

// What starts midimon is named only where it can.
func TestStarting(t *testing.T) {
	row := func(name, status, fix string) report.Check {
		return report.Check{Name: name, Status: status, Fix: fix}
	}
	nobody := row("units", report.Warning, "none")
	for want, rows := range map[string][]report.Check{
		"midimonctl start":         {row("bus", report.OK, ""), row("units:midimon.socket", report.OK, ""), row("units:midimon.service", report.Failed, "midimonctl start")},
		"midimonctl install":       {row("bus", report.OK, ""), row("units:midimon.socket", report.Warning, "midimonctl install")},
		"dbus-run-session midimon": {row("bus", report.Warning, "dbus-run-session midimon"), nobody},
	} {
		if got := starting(rows); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for fix, rows := range map[string][]report.Check{
		"midimonctl start":   {row("bus", report.OK, ""), nobody},
		"midimonctl install": {row("bus", report.Warning, "midimonctl install"), nobody},
	} {
		if got := starting(rows); got != fix {
			t.Errorf("by the bus: %q, want %q", got, fix)
		}
	}
}

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
)

// source is one Go file of the project.
type source struct {
	path string // slash-separated, from the root
	pkg  string // folder
	test bool
	file *ast.File
	fset *token.FileSet
	size int // lines
}

// skippedDirs hold no Go of ours.
func skippedDir(name string) bool {
	switch name {
	case ".git", "node_modules", "sandbar-data", "testdata", ".ci":
		return true
	}
	return false
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != "." && skippedDir(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		out = append(out, source{path: path, pkg: filepath.ToSlash(filepath.Dir(path)), test: strings.HasSuffix(path, "_test.go"),
			file: f, fset: fset, size: strings.Count(string(text), "\n")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("found only %d Go files; the test must run in the root of the project", len(out))
	}
	return out
}

// layer is how high a package stands; imports go down, or sideways where siblings says so.
func layer(pkg string) int {
	switch {
	case pkg == ".":
		return 5
	case pkg == "cmd":
		return 4
	case strings.HasPrefix(pkg, "web"):
		return 3
	case strings.HasPrefix(pkg, "host"):
		return 2
	case pkg == "docs", strings.HasPrefix(pkg, "schemas"), pkg == "plugins", strings.HasPrefix(pkg, "plugins/sdk"):
		return 1
	case strings.HasPrefix(pkg, "sandbox"):
		return 0
	}
	return -1
}

// siblings lists who may import whom of one layer; a package may always import what lies below its own folder.
func siblings() map[string][]string {
	return map[string][]string{
		"sandbox":                  {"sandbox/message"},
		"sandbox/matcher":          {"sandbox/message", "sandbox/pattern"},
		"sandbox/anomaly/judge":    {"sandbox/anomaly"},
		"sandbox/lua":              {"sandbox", "sandbox/message", "sandbox/matcher", "sandbox/pattern", "sandbox/cbuf", "sandbox/sketch", "sandbox/anomaly", "sandbox/jsondoc", "sandbox/number"},
		"sandbox/lua/lib":          {"sandbox", "sandbox/message", "sandbox/matcher", "sandbox/pattern", "sandbox/cbuf", "sandbox/sketch", "sandbox/anomaly", "sandbox/jsondoc", "sandbox/number", "sandbox/lua/std", "sandbox/lua/vm"},
		"sandbox/lua/std":          {"sandbox/lua/vm", "sandbox/pattern", "sandbox/number"},
		"sandbox/lua/vm":           {"sandbox/number"},
		"sandbox/wasm":             {"sandbox", "sandbox/message", "sandbox/cbuf", "sandbox/anomaly", "sandbox/jsondoc"},
		"sandbox/cbuf":             {"sandbox/number"},
		"sandbox/jsondoc":          {"sandbox/number"},
		"host/selfreport":          {"host/runner", "host/stream"},
		"host/stream/disk/faultfs": {"host/stream/disk"},
		"host/stream/disk":         {"host/stream"},
		"host/stream/kafka":        {"host/stream"},
		"host/bucket/dir":          {"host/bucket"},
		"host/bucket/s3":           {"host/bucket"},
		"host/landfill":            {"host/stream", "host/bucket"},
		"host/lake":                {"host/stream", "host/bucket"},
		"host/view":                {"host/stream"},
		"host/series":              {"host/stream", "host/view"},
		"host/alert":               {"host/stream", "host/view"},
		"host/evidence":            {"host/alert", "host/stream", "host/view"},
		"host/failures":            {"host/stream", "host/view"},
		"host/tap":                 {"host/stream", "host/view"},
		"host/migrate":             {"host/stream"},
		"host/runner":              {"host/stream"},
		"host/runner/commit":       {"host/stream"},
		"host/trial":               {"host/runner"},
		"host/gate":                {"host/try"},
		"host/vitals":              {"host/runner", "host/series"},
		"host/history":             {"host/series"},
		"host/promql":              {"host/series", "host/history"},
		"host/shadow":              {"host/series", "host/alert"},
		"host/try":                 {"host/trial", "host/runner", "host/stream", "host/view", "host/alert", "host/series", "host/lake"},
		"host/deploy":              {"host/runner", "host/catalog"},
		"host/saved":               {"host/catalog"},
		"host/notify":              {"host/alert", "host/stream", "host/view"},
		"host/notify/mail":         {"host/notify"},
		"host/notify/irc":          {"host/notify"},
		"host/notify/webhook":      {"host/notify"},
		"host/datasets":            {"host/bucket"},
		"host/control":             {"host/catalog", "host/stream/kafka"},
		"host/fleet":               {"host/deploy", "host/health", "host/landfill", "host/partitions", "host/runner", "host/stream", "host/stream/kafka"},
		"host/partitions":          {"host/runner", "host/runner/commit", "host/landfill", "host/stream"},
		"host/intake/http":         {"host/stream", "host/intake"},
		"host/intake/spill":        {"host/stream"},
	}
}

func TestImportsGoDown(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || strings.HasSuffix(s.pkg, "test") {
			continue // tests may join packages
		}
		if layer(s.pkg) < 0 {
			t.Errorf("%s: the folder %s stands on no floor of ARCHITECTURE.md", s.path, s.pkg)
			continue
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			dep, ours := strings.CutPrefix(path, "sandbar/")
			if !ours || strings.HasPrefix(dep, s.pkg+"/") || layer(dep) < layer(s.pkg) && dep != "host/config" {
				continue
			}
			if dep == "host/config" && s.pkg == "cmd" {
				continue
			}
			allowed := false
			for _, a := range siblings()[s.pkg] {
				allowed = allowed || a == dep
			}
			if !allowed {
				t.Errorf("%s imports %s, which stands beside or above it", s.path, dep)
			}
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	const longest = 600
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.file.Doc != nil && strings.HasPrefix(s.file.Doc.Text(), "Package "+s.file.Name.Name+" ") || s.file.Name.Name == "main" {
			documented[s.pkg] = true
		}
		if _, seen := documented[s.pkg]; !seen && !s.test {
			documented[s.pkg] = false
		}
		if strings.Contains(s.file.Name.Name, "util") {
			t.Errorf("%s: package %s: name it for what it holds", s.path, s.file.Name.Name)
		}
		if s.size > longest {
			t.Errorf("%s has %d lines; split it where it has a second reason to change (at most %d)", s.path, s.size, longest)
		}
		if !s.test {
			checkFile(t, s)
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment that says what it is for", pkg)
		}
	}
}

// checkFile holds the rules for code that is no test.
func checkFile(t *testing.T, s source) {
	at := func(n ast.Node) string { return s.fset.Position(n.Pos()).String() }
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				t.Errorf("%s: init registers behind the reader's back; pass an explicit list", at(d))
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR && s.pkg != "plugins/sdk/go" { // a guest has one thread
				for _, spec := range d.Specs {
					checkVar(t, at(spec), spec.(*ast.ValueSpec))
				}
			}
		}
	}
	printing := regexp.MustCompile(`^(Print|Printf|Println)$`)
	mayPrint := s.pkg == "cmd" || s.pkg == "." || s.file.Name.Name == "main"
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch {
		case id.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since" || sel.Sel.Name == "Until") && s.pkg != "host/clock":
			t.Errorf("%s: time.%s: take the time from a clock that is handed in", at(n), sel.Sel.Name)
		case id.Name == "fmt" && printing.MatchString(sel.Sel.Name) && !mayPrint:
			t.Errorf("%s: fmt.%s: only cmd prints", at(n), sel.Sel.Name)
		}
		return true
	})
}

// checkVar refuses package-level variables but for errors, regular expressions, embedded files, constant
// tables and assertions that a type fills an interface.
func checkVar(t *testing.T, at string, v *ast.ValueSpec) {
	for i, name := range v.Names {
		if name.Name == "_" || strings.HasPrefix(name.Name, "Err") || strings.HasPrefix(name.Name, "err") {
			continue
		}
		if sel, ok := v.Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "FS" {
			continue
		}
		if i < len(v.Values) {
			switch x := v.Values[i].(type) {
			case *ast.CompositeLit:
				continue
			case *ast.CallExpr:
				if _, ok := x.Fun.(*ast.FuncLit); ok {
					continue // a constant table that is computed
				}
				if sel, ok := x.Fun.(*ast.SelectorExpr); ok && (sel.Sel.Name == "MustCompile" || sel.Sel.Name == "MakeTable" || sel.Sel.Name == "NewReplacer") {
					continue
				}
			}
		}
		if len(v.Values) == 0 && v.Type == nil {
			continue
		}
		t.Errorf("%s: package-level variable %s: pass it in, or make it a constant", at, name.Name)
	}
}

// TestArchitectureNames holds ARCHITECTURE.md to the tree: every folder that it names in its plan exists.
func TestArchitectureNames(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`((?:sandbox|host|web|cmd|plugins|schemas|docs)(?:/[a-z0-9_./-]+)?)`").FindAllStringSubmatch(string(text), -1)
	if len(names) < 15 {
		t.Fatalf("ARCHITECTURE.md names only %d folders of the project in backquotes", len(names))
	}
	for _, n := range names {
		if _, err := os.Stat(filepath.FromSlash(strings.TrimSuffix(n[1], "/"))); err != nil {
			t.Errorf("ARCHITECTURE.md names %s, which does not exist", n[1])
		}
	}
}

// Package declared lists the errors that packages declare with a word in JSON, from their
// sources. Tests hold those who read results by these words against it.
package declared

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// An Error is one that a package declares by the New or NewUnder of a cause.Table.
type Error struct {
	Name string // "ErrNoRecord"
	Word string // "no-record"
	Text string // "the domain has no SPF record"
}

// In returns the errors of the packages in directories, in the order of the sources. It fails the
// test where there are none, or where an exported error of such a package has no word.
func In(t testing.TB, dirs ...string) []Error {
	t.Helper()
	var list []Error
	for _, dir := range dirs {
		before := len(list)
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
					for i, value := range spec.Values {
						if e, ok := read(t, name, spec.Names[i].Name, value); ok {
							list = append(list, e)
						}
					}
				}
				return true
			})
		}
		if len(list) == before {
			t.Fatalf("no error is declared in %s", dir)
		}
	}
	return list
}

// read reads the value of one declaration.
func read(t testing.TB, file, name string, value ast.Expr) (e Error, ok bool) {
	t.Helper()
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return e, false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return e, false
	}
	of, _ := f.X.(*ast.Ident)
	args := call.Args
	switch {
	case of != nil && of.Name == "errors" && strings.HasPrefix(name, "Err"):
		t.Errorf("%s: %s has no word", file, name)
		return e, false
	case f.Sel.Name == "NewUnder" && len(args) == 3:
		args = args[1:]
	case f.Sel.Name != "New" || len(args) != 2:
		return e, false
	}
	word, _ := args[0].(*ast.BasicLit)
	text, _ := args[1].(*ast.BasicLit)
	if word == nil || text == nil {
		return e, false
	}
	e.Name = name
	e.Word, _ = strconv.Unquote(word.Value)
	e.Text, _ = strconv.Unquote(text.Value)
	return e, e.Word != ""
}

package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxNames is how many exported names the packages have together that others may
// rely on: what a reader can survey, and what must not change after version 1.
const maxNames = 256

// TestPublicNamesAreFew counts what docs/architecture.md promises.
func TestPublicNamesAreFew(t *testing.T) {
	packages, total := 0, 0
	for _, top := range []string{"filters", "leases", "prune"} {
		err := filepath.WalkDir("../../../"+top, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil || !e.IsDir():
				return err
			case e.Name() == "internal" || e.Name() == "testdata":
				return fs.SkipDir
			}
			names, err := publicNames(path)
			if len(names) > 0 {
				t.Logf("%s: %d", path, len(names))
				packages++
			}
			total += len(names)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if packages < 5 || total < 100 {
		t.Fatalf("only %d names in %d packages are found", total, packages)
	}
	if total > maxNames {
		t.Errorf("the public packages have %d exported names, more than %d", total, maxNames)
	}
}

// TestNamesThatCount shows what is counted and what is not.
func TestNamesThatCount(t *testing.T) {
	const source = `package p

const A, b = 1, 2

type T struct{ F, g int }

type I interface{ M(); n() }

type Alias = T

type u struct{ H int }

func (t *T) Method() {}

func (u) Method() {}

func Func() {}

func (T) hidden() {}
`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"A", "T", "F", "I", "M", "Alias", "Method", "Func"}
	if got := namesIn(file); !slices.Equal(got, want) {
		t.Errorf("counted %q, want %q", got, want)
	}
}

// publicNames lists the exported names of a folder's package: constants,
// variables, functions, types, and methods and fields of exported types.
func publicNames(dir string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		names = append(names, namesIn(file)...)
	}
	return names, err
}

func namesIn(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || receiver(d.Recv.List[0].Type).IsExported() {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				names = append(names, namesOf(spec)...)
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return !ast.IsExported(name) })
}

// receiver is the type that a method belongs to.
func receiver(of ast.Expr) *ast.Ident {
	switch e := of.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e
	}
	return ast.NewIdent("_")
}

func namesOf(spec ast.Spec) (names []string) {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			names = append(names, name.Name)
		}
	case *ast.TypeSpec:
		names = append(names, s.Name.Name)
		if s.Name.IsExported() {
			names = append(names, members(s.Type)...)
		}
	}
	return names
}

func members(of ast.Expr) (names []string) {
	var list *ast.FieldList
	switch e := of.(type) {
	case *ast.StructType:
		list = e.Fields
	case *ast.InterfaceType:
		list = e.Methods
	default:
		return nil
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

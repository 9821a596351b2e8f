package config

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// TestEveryActionIsDrivenByAPad: for each type of action there is a test with real peers (build tags
// desktop and vm) that has a mapping of that type in a configuration of its own, and that names the
// control of the mapping: somebody plays it. Whether the test judges what comes of it, only who reads
// it can say.
func TestEveryActionIsDrivenByAPad(t *testing.T) {
	folders := map[string]map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		dir := filepath.ToSlash(filepath.Dir(path))
		if folders[dir] == nil {
			folders[dir] = map[string]string{}
		}
		folders[dir][filepath.Base(path)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]string{}
	for dir, files := range folders {
		for action, tests := range driven(t, files) {
			for _, test := range tests {
				by[action] = append(by[action], strings.TrimPrefix(dir, "../../")+" "+test)
			}
		}
	}
	for _, action := range actionNames {
		slices.Sort(by[action])
		t.Logf("%s: %s", action, strings.Join(by[action], ", "))
		if by[action] == nil {
			t.Errorf("no test with real peers has a pad that performs %s", action)
		}
	}
}

// TestWhatDrives has what counts and what does not.
func TestWhatDrives(t *testing.T) {
	const (
		tag     = "//go:build linux && desktop\n\n"
		mapping = "const one = `[[global_mappings]]\ntrigger = { type = \"Note\", note = 41 }\n" +
			"action = { type = \"Sequence\", actions = [{ type = \"Panic\" }] }`\n"
		broken = "const one = `[[global_mappings]]\naction = { type = \"Panic\" }`\n"
	)
	for name, c := range map[string]struct{ text, want string }{
		"played":             {tag + "package a\n" + mapping + "func TestA(t *testing.T) { start(one); tap(41) }", "map[Panic:[TestA] Sequence:[TestA]]"},
		"played by a helper": {tag + "package a\n" + mapping + "func TestA(t *testing.T) { go x.play() }\nfunc (x) play() { start(one); tap(41) }", "map[Panic:[TestA] Sequence:[TestA]]"},
		"not played":         {tag + "package a\n" + mapping + "func TestA(t *testing.T) { start(one); tap(42) }", "map[]"},
		"not started":        {tag + "package a\n" + mapping + "func TestA(t *testing.T) { tap(41) }", "map[]"},
		"by no test":         {tag + "package a\n" + mapping + "func start() { start(one); tap(41) }", "map[]"},
		"dry":                {tag + "package a\n" + mapping + "func TestA(t *testing.T) { start(one, \"--dry-run\"); tap(41) }", "map[]"},
		"no real peer":       {"//go:build linux\n\npackage a\n" + mapping + "func TestA(t *testing.T) { start(one); tap(41) }", "map[]"},
		"no configuration":   {tag + "package a\n" + broken + "func TestA(t *testing.T) { start(one); tap(41) }", "map[]"},
	} {
		if got := fmt.Sprint(driven(t, map[string]string{"a_test.go": c.text})); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// driven are the types of action that the tests of one folder drive, with the tests' names. Files are
// its tests by their names.
func driven(t *testing.T, files map[string]string) map[string][]string {
	t.Helper()
	declared := map[string][]ast.Node{} // by name, methods among them
	var tests []string
	for name, text := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				declared[d.Name.Name] = append(declared[d.Name.Name], d.Body)
				if strings.HasPrefix(d.Name.Name, "Test") && realPeers(f) {
					tests = append(tests, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.ValueSpec); ok {
						for _, n := range s.Names {
							declared[n.Name] = append(declared[n.Name], s)
						}
					}
				}
			}
		}
	}
	all := map[string][]string{}
	for _, test := range tests {
		texts, numbers := said(declared, test)
		if slices.Contains(texts, "--dry-run") {
			continue // nothing is performed
		}
		for _, text := range texts {
			p, _ := Load(test, []byte(text))
			if p == nil {
				continue // it is no configuration, or a part of one
			}
			for i := range p.Mappings {
				if !plays(&p.Mappings[i], numbers) {
					continue
				}
				effect.Within(p.Mappings[i].Action, func(a effect.Action) bool {
					if !slices.Contains(all[a.Type()], test) {
						all[a.Type()] = append(all[a.Type()], test)
					}
					return true
				})
			}
		}
	}
	return all
}

// realPeers says whether a file is one of those that need the tag desktop or vm.
func realPeers(f *ast.File) bool {
	for _, group := range f.Comments {
		for _, c := range group.List {
			if c.Pos() > f.Package || !constraint.IsGoBuild(c.Text) {
				continue
			}
			x, err := constraint.Parse(c.Text)
			return err == nil && !x.Eval(func(tag string) bool { return tag != "desktop" && tag != "vm" })
		}
	}
	return false
}

// said are the texts and numbers in a function and in all of its folder that it names, and so on.
func said(declared map[string][]ast.Node, test string) (texts []string, numbers map[string]bool) {
	numbers = map[string]bool{}
	seen := map[string]bool{}
	var look func(name string)
	look = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, d := range declared[name] {
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					look(n.Name)
				case *ast.BasicLit:
					switch text, err := strconv.Unquote(n.Value); {
					case n.Kind == token.INT:
						numbers[n.Value] = true
					case n.Kind == token.STRING && err == nil:
						texts = append(texts, text)
					}
				}
				return true
			})
		}
	}
	look(test)
	return texts, numbers
}

// plays says whether one of the numbers may be the mapping's control.
func plays(m *engine.Mapping, numbers map[string]bool) bool {
	return m.Enabled && (m.Trigger.Number == engine.Any || numbers[strconv.Itoa(int(m.Trigger.Number))])
}

package config

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	burntsushi "github.com/BurntSushi/toml"
	gotoml "github.com/pelletier/go-toml/v2"
	tomltest "github.com/toml-lang/toml-test/v2"

	"github.com/amiable-dev/midimon/engine"
)

// plain is a node as the maps, slices and scalars that other readers make. Times only say
// that they are: other readers differ in what they make of them.
func (t *tree) plain(id int32) any {
	n := &t.nodes[id]
	switch n.kind {
	case tableNode:
		m := map[string]any{}
		for c := t.first(id); c != 0; c = t.nodes[c].next {
			m[t.key(c)] = t.plain(c)
		}
		return m
	case tablesNode, arrayNode:
		s := []any{}
		for c := t.first(id); c != 0; c = t.nodes[c].next {
			s = append(s, t.plain(c))
		}
		return s
	case textNode:
		return t.str(id)
	case integerNode:
		return n.num
	case floatNode:
		return math.Float64frombits(uint64(n.num))
	case booleanNode:
		return n.num != 0
	case timeNode:
		return "a time"
	case brokenNode:
	}
	return nil
}

// alike turns what BurntSushi/toml makes into the form of plain.
func alike(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = alike(v[k])
		}
		return v
	case []map[string]any:
		s := []any{}
		for i := range v {
			s = append(s, alike(v[i]))
		}
		return s
	case []any:
		s := []any{}
		for i := range v {
			s = append(s, alike(v[i]))
		}
		return s
	case string, int64, float64, bool:
		return v
	}
	return "a time"
}

// same is reflect.DeepEqual, but NaN equals itself.
func same(a, b any) bool {
	return reflect.DeepEqual(a, b) || fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

func parsed(src []byte) *tree {
	src = bytes.TrimPrefix(src, []byte(byteOrderMark))
	t := newTree(&problems{}, "f", string(src))
	t.parse(src)
	return t
}

// beyond is an offset that RFC 3339 does not have and Go's time.Parse takes: some write those.
var beyond = regexp.MustCompile(`[+-](24:[0-9]{2}|[0-9]{2}:60)`)

// compare holds the tree against the two readers that we have besides. What we take,
// BurntSushi/toml takes too and with equal values. What we refuse go-toml refuses too, or it
// is nested deeper than we allow; where BurntSushi/toml takes it, it is a redefinition that
// TOML forbids, a byte order mark that is none of UTF-8, or an offset of 24 hours or 60 minutes.
func compare(t *testing.T, src []byte) {
	t.Helper()
	tree := parsed(src)
	var want map[string]any
	err := burntsushi.Unmarshal(src, &want)
	if len(tree.errors) == 0 {
		if err != nil {
			t.Fatalf("taken, but BurntSushi/toml says %v:\n%s", err, src)
		}
		if want == nil {
			want = map[string]any{}
		}
		if got := tree.plain(0); !same(got, alike(want)) {
			t.Fatalf("got  %#v\nwant %#v\n%s", got, want, src)
		}
		return
	}
	redefined := false
	for _, d := range tree.errors {
		if d.code == TooDeep {
			return
		}
		redefined = redefined || d.code == DuplicateKey
	}
	mark := bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) || bytes.HasPrefix(src, []byte(byteOrderMark))
	if err == nil && !redefined && !mark && !beyond.Match(src) {
		t.Fatalf("BurntSushi/toml takes what was refused for %v:\n%s", tree.diagnostics(), src)
	}
	var any map[string]any
	if err := gotoml.Unmarshal(src, &any); err == nil {
		t.Fatalf("go-toml takes what was refused for %v:\n%s", tree.diagnostics(), src)
	}
}

// checkTree holds for any text: every node hangs where it says, has its place in the text, and
// is found by its key.
func checkTree(t *testing.T, tree *tree) {
	t.Helper()
	reached := 1
	for id := range tree.nodes {
		n := &tree.nodes[id]
		if int(n.off) > len(tree.text) || int(tree.keyAt(int32(id))) > len(tree.text) {
			t.Fatalf("node %d is at %d, its key at %d of %d", id, n.off, tree.keyAt(int32(id)), len(tree.text))
		}
		children, last := int32(0), int32(0)
		for c := tree.first(int32(id)); c != 0; c = tree.nodes[c].next {
			if tree.nodes[c].parent != int32(id) {
				t.Fatalf("node %d has another parent than %d", c, id)
			}
			if n.kind == tableNode {
				if key := tree.key(c); tree.find(int32(id), key) != c {
					t.Fatalf("%q is not found in node %d", key, id)
				}
			}
			children, last = children+1, c
			reached++
		}
		if n.kind <= arrayNode && (children != n.size || last != int32(n.num)) {
			t.Fatalf("node %d has %d children and %d of them hang on it", id, n.size, children)
		}
	}
	if reached > len(tree.nodes) {
		t.Fatalf("%d nodes hang on %d", reached, len(tree.nodes))
	}
}

var treeSeeds = []string{
	"", "a = 1", "a.b.c = 1\na = 2", "a = {}\na.b = 2", "t = {t = {}}\n[t.x]", "e.e = 1\n[e]",
	"[a.b]\nx = 1\n[a]\nb.c = 1", "[[a]]\n[a.b]\n[[a]]\n[a.b]", "[a]\n[a.b.c]\n[a.b]\n[[a.b]]", "[[a.b]]\n[a]\nx = 1\n[a]",
	"a = [1, 2.5, 'x', [ ], {b = 1, c.d = [2]}, # [\n [3], ]", "a = { b = 1,\n c = 2, # x\n }",
	"a = \"\\u00e9\\t\\e\\x41\"\nb = \"\"\"\n x \\\n  y\"\"\"\nc = '''\nz'''\nd = \"\"\"\"\"\"",
	"a = [-nan, nan, inf, -inf, 1e3, -0.0, 1_0.0_1, 1e400]", "a = [0x1f, 0o17, 0b1, 1_000, -9223372036854775808, 9223372036854775808, +0, -0]",
	"a = [2021-02-29, 2020-02-29, 12:00:00, 24:00, 23:59, 12:30:60]", "a = [2021-01-01T00:00:00Z, 2021-01-01 00:00:00.5+01:00, 2021-01-01t00:00z, 2021-01-01T00:00:00]",
	"a = 2021-13-01", "a = 0000-01-01", "a = 1900-02-29", "a = 2021-04-31T00:00:00-25:00", "a = 2021-01-01 00:00+24:00",
	"\uFEFFa = 1", "a = \"\xff\"", "a = 1\r\nb = 2\r\n", "\"\" = 1\n'' = 2", "a = 1 b = 2", "[a\nb = 1\n[c]\nd = 1", "a = '''",
	"a=1\nb=1\nc=1\nd=1\ne=1\nf=1\ng=1\nh=1\ni=1\nj=1\nk=1\nl=1\nm=1\nn=1\no=1\na=2",
	// Headers that begin as the one before them.
	"[[a]]\nx=1\n[[a]]\nx=2\n[[ab]]\n[[a]]", "[[ a ]]\n[[ a . b ]]\n[[ a . b ]]\n[[a.b]]\n[[a.b]]\n[[ a ]]\n[[a.b]]", "[[a]]\n[a]", "[[a.b]]\n[a.b]\n[[a.b]]",
	"[[a]]\n[a.b]\n[[a]]\n[a.b]\n[[a]]", "[[a.b]]\nc.d=1\n[[a.b]]\nc.d=2\n[a.c]\n[[a.b]]", "[[a]]\n[[a]]\n[[a.'b']]\n[[a.'b']]\n[[a.b]]", "[[a]]\n[[a\n[[a]]\n[[a]]",
	"a=[]\n[[a]]\n[[a]]", "[[a]]#\n[[a]] # x\n[[a]]\t\n[[a]]", "[[a ]]\n[[a .b]]\n[[a .b]]",
	"3.14159 = 1\n1979-05-27 = 2", "a = 01", "a = 1__0", "a = 1._0", "a = +0x1", "a = 0X1", "[ a . 'b' ]\n\"c\".d = 1",
}

func TestTree(t *testing.T) {
	for _, s := range treeSeeds {
		compare(t, []byte(s))
	}
	files, err := filepath.Glob("testdata/compat/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, "templates/starter.toml", "templates/lpd8.toml") {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, src)
	}
}

// seeds are all texts we have.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range treeSeeds {
		f.Add([]byte(s))
	}
	f.Add(Starter())
	for _, c := range suite(f) {
		f.Add(c.text)
	}
}

// longest is how long an input may be: go-toml's time is the square of a table's size.
const longest = 3000

func FuzzTree(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) { checkTree(t, parsed(src)) })
}

func FuzzDifferential(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) <= longest {
			compare(t, src)
		}
	})
}

// suiteCase is a file of the TOML project's own test suite.
type suiteCase struct {
	name string
	text []byte
}

// suite is its list of TOML 1.1.
func suite(tb testing.TB) []suiteCase {
	tb.Helper()
	files := tomltest.TestCases()
	list, err := fs.ReadFile(files, "files-toml-1.1.0")
	if err != nil {
		tb.Fatal(err)
	}
	var cases []suiteCase
	for name := range strings.FieldsSeq(string(list)) {
		if !strings.HasSuffix(name, ".toml") {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			tb.Fatal(err)
		}
		cases = append(cases, suiteCase{name, text})
	}
	return cases
}

func TestSuite(t *testing.T) {
	count := map[bool]int{}
	for _, c := range suite(t) {
		valid := strings.HasPrefix(c.name, "valid/")
		count[valid]++
		t.Run(c.name, func(t *testing.T) {
			tree := parsed(c.text)
			if (len(tree.errors) == 0) != valid {
				t.Errorf("%v\n%s", tree.diagnostics(), c.text)
			}
			checkTree(t, tree)
			if len(c.text) <= longest {
				compare(t, c.text)
			}
		})
	}
	if count[true] < 200 || count[false] < 400 {
		t.Errorf("only %d valid files and %d invalid ones", count[true], count[false])
	}
}

// TestLargeTables: ten times the keys take about ten times as long. If each key looked at all others
// it would be a hundred times; the best of a few rounds counts, since other work makes one only worse.
func TestLargeTables(t *testing.T) {
	const rounds, limit = 5, 50
	best := 0.0
	for range rounds {
		few, many := keysTake(t, 20_000), keysTake(t, 200_000)
		ratio := float64(many) / float64(few)
		t.Logf("20,000 keys take %v, 200,000 take %v: %.1f times", few, many, ratio)
		if best == 0 || ratio < best {
			best = ratio
		}
		if best <= limit {
			return
		}
	}
	t.Errorf("ten times the keys take at best %.1f times as long", best)
}

// keysTake is how long it takes to parse a table of so many keys, of which the last one comes twice.
func keysTake(t *testing.T, keys int) time.Duration {
	t.Helper()
	var b strings.Builder
	for i := range keys {
		fmt.Fprintf(&b, "k%d = %d\n", i, i)
	}
	fmt.Fprintf(&b, "k%d = 1\n", keys-1)
	began := time.Now()
	tree := parsed([]byte(b.String()))
	took := time.Since(began)
	if len(tree.errors) != 1 || tree.diagnostics()[0].Line != keys+1 {
		t.Error(tree.diagnostics())
	}
	if id := tree.find(0, "k4321"); id == 0 || tree.nodes[id].num != 4321 {
		t.Error("a key of a large table is not found")
	}
	if tree.find(0, "k200000") != 0 {
		t.Error("a key is found that is not there")
	}
	return took
}

func TestPositionsOfArrays(t *testing.T) {
	tree := parsed([]byte("a = [ [1], # [ no\n  [[2]], {x = '['}, [ ], '[', [3] ] # [\n\"b[\" = [ ]"))
	want := map[string][2]int{
		"a": {1, 5}, "a[0]": {1, 7}, "a[1]": {2, 3}, "a[1][0]": {2, 4}, "a[1][0][0]": {2, 5}, "a[2]": {2, 10},
		"a[2].x": {2, 15}, "a[3]": {2, 21}, "a[4]": {2, 26}, "a[5]": {2, 31}, "a[5][0]": {2, 32}, "a[0][0]": {1, 8}, `"b["`: {3, 8},
	}
	for id := 1; id < len(tree.nodes); id++ {
		path := string(tree.appendPath(nil, int32(id)))
		at := cursor{source: &tree.source, line: 1}
		line, column := at.position(tree.nodes[id].off)
		if want[path] != [2]int{line, column} {
			t.Errorf("%s is at %d:%d, want %v", path, line, column, want[path])
		}
	}
	if len(tree.nodes) != len(want)+1 {
		t.Errorf("%d values, want %d", len(tree.nodes)-1, len(want))
	}
}

func TestShadowedMappings(t *testing.T) {
	src := []byte(`[[modes]]
name = "A"
[[modes.mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Plugin", of = "the ancestor" }
[[modes.mappings]]
name = "first"
trigger = { type = "Note", note = 1 }
action = { type = "Keystroke", keys = "a" }
[[modes.mappings]]
trigger = { type = "Note", note = 1, velocity_min = 80 }
action = { type = "Keystroke", keys = "b" }
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Keystroke", keys = "c" }
`)
	r := &reader{tree: parsed(src)}
	r.files = []*tree{r.tree}
	r.program()
	r.warnings = nil
	r.shadowed([]engine.Covered{{Mapping: 1, By: 0}, {Mapping: 2, By: 1}})
	var got []string
	for _, d := range r.diagnostics() {
		got = append(got, Format(d, false))
	}
	want := []string{
		"f:10:9: warning: modes[0].mappings[2]: never acts: first always acts before it",
		"f:13:3: warning: global_mappings[0]: never acts: modes[0].mappings[2] always acts before it",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"velocity_min", "velocity_max", "Note", "cc", "a"}
	for word, want := range map[string]string{
		"velocity_mni": "velocity_min", "velocitymax": "velocity_max", "NOTE": "Note", "nte": "Note", "ntoe": "Note",
		"cd": "cc", "b": "", "": "", "banana": "", "CC": "cc", strings.Repeat("a", 41): "",
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"ca", "abc", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance of %q and %q is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

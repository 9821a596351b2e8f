package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
)

// added is what the tests write. It is not in any file of theirs.
func added(name string) []config.Pair {
	return []config.Pair{
		{Key: "name", Value: `"` + name + `"`},
		{Key: "trigger", Value: `{ type = "Note", note = 99, channel = 15 }`},
		{Key: "action", Value: `{ type = "Keystroke", keys = "f20" }`},
	}
}

const (
	asLines  = "name = \"new\"\ntrigger = { type = \"Note\", note = 99, channel = 15 }\naction = { type = \"Keystroke\", keys = \"f20\" }\n"
	asInline = `{ name = "new", trigger = { type = "Note", note = 99, channel = 15 }, action = { type = "Keystroke", keys = "f20" } }`
	oneTable = "trigger = { type = \"Note\", note = 1 } # a note\naction = { type = \"Panic\" }\n"
	oneBrace = `{ trigger = { type = "Note", note = 1 }, action = { type = "Panic" } }`
)

func TestAppend(t *testing.T) {
	for _, c := range []struct{ name, mode, src, want string }{
		{"nothing", "", "", "[[global_mappings]]\n" + asLines},
		{"only a comment", "", "# mine", "# mine\n\n[[global_mappings]]\n" + asLines},
		{
			"behind the last global one", "",
			"[[global_mappings]]\n" + oneTable + "\n# devices\n[logging]\nlevel = \"info\"\n",
			"[[global_mappings]]\n" + oneTable + "\n[[global_mappings]]\n" + asLines + "\n# devices\n[logging]\nlevel = \"info\"\n",
		},
		{
			"to a mode in the middle", "A",
			"[[modes]]\nname = \"A\"\n[[modes.mappings]]\n" + oneTable + "\n# B is another\n[[modes]]\nname = \"B\"\n",
			"[[modes]]\nname = \"A\"\n[[modes.mappings]]\n" + oneTable + "\n[[modes.mappings]]\n" + asLines + "\n# B is another\n[[modes]]\nname = \"B\"\n",
		},
		{
			"to a mode without any", "A",
			"[[modes]]\nname = \"A\" # the first\n# B is another\n[[modes]]\nname = \"B\"\n",
			"[[modes]]\nname = \"A\" # the first\n\n[[modes.mappings]]\n" + asLines + "# B is another\n[[modes]]\nname = \"B\"\n",
		},
		{"no newline at the end", "A", "[[modes]]\nname = \"A\"", "[[modes]]\nname = \"A\"\n\n[[modes.mappings]]\n" + asLines},
		{
			"a mapping with tables", "A",
			"[[modes]]\nname = \"A\"\n[[modes.mappings]]\n[modes.mappings.trigger]\ntype = \"Note\"\nnote = 1\n[modes.mappings.action]\ntype = \"Panic\"\n\n[device]\nname = \"x\"\n",
			"[[modes]]\nname = \"A\"\n[[modes.mappings]]\n[modes.mappings.trigger]\ntype = \"Note\"\nnote = 1\n[modes.mappings.action]\ntype = \"Panic\"\n\n[[modes.mappings]]\n" + asLines + "\n[device]\nname = \"x\"\n",
		},
		{
			"what a mode does", "A",
			"[[modes]]\nname = \"A\"\n[modes.enter]\ntype = \"Panic\"\n",
			"[[modes]]\nname = \"A\"\n[modes.enter]\ntype = \"Panic\"\n\n[[modes.mappings]]\n" + asLines,
		},
		{"an empty list", "", "global_mappings = [] # none", "global_mappings = [" + asInline + "] # none"},
		{"a list on a line", "", "global_mappings = [" + oneBrace + "] # one", "global_mappings = [" + oneBrace + ", " + asInline + "] # one"},
		{
			"a list on lines", "A",
			"[[modes]]\nname = \"A\"\nmappings = [\n  # ] the first\n  " + oneBrace + ", # one\n]\n[logging]\n",
			"[[modes]]\nname = \"A\"\nmappings = [\n  # ] the first\n  " + oneBrace + ",\n  " + asInline + ", # one\n]\n[logging]\n",
		},
		{
			"modes in braces", "A",
			"modes = [ { name = \"A\", mappings = [ " + oneBrace + " ] }, { name = \"B\" } ]",
			"modes = [ { name = \"A\", mappings = [ " + oneBrace + ", " + asInline + " ] }, { name = \"B\" } ]",
		},
		{
			"a mode in braces without any", "B",
			"modes = [ { name = \"A\" }, { name = \"B\" } ]",
			"modes = [ { name = \"A\" }, { name = \"B\", mappings = [" + asInline + "] } ]",
		},
		{
			"texts with brackets", "",
			"global_mappings = [ { description = ']\"}', trigger = { type = \"Note\", note = 1 }, action = { type = \"Text\", text = \"\"\"a\\\"\"\" ]\"\"\"\" } } ]",
			"global_mappings = [ { description = ']\"}', trigger = { type = \"Note\", note = 1 }, action = { type = \"Text\", text = \"\"\"a\\\"\"\" ]\"\"\"\" } }, " + asInline + " ]",
		},
		{"lines of Windows", "", "# mine\r\n", "# mine\r\n\r\n[[global_mappings]]\r\n" + strings.ReplaceAll(asLines, "\n", "\r\n")},
		{"a byte order mark", "", "\uFEFF# mine\n", "\uFEFF# mine\n\n[[global_mappings]]\n" + asLines},
	} {
		got, err := config.Append("config.toml", []byte(c.src), nil, c.mode, added("new"))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s\nwant:\n%s", c.name, err, got, c.want)
		}
	}
}

func TestReplace(t *testing.T) {
	for _, c := range []struct{ name, id, src, want string }{
		{
			"by name", "old",
			"# top\n[[global_mappings]] # mine\nname = \"old\"\n" + oneTable + "\n# next\n[[global_mappings]]\n" + oneTable,
			"# top\n[[global_mappings]] # mine\n" + asLines + "\n# next\n[[global_mappings]]\n" + oneTable,
		},
		{
			"by path", "modes[1].mappings[0]",
			"[[modes]]\nname = \"A\"\n[[modes.mappings]]\n" + oneTable + "[[modes]]\nname = \"B\"\n[[modes.mappings]]\n" + oneTable,
			"[[modes]]\nname = \"A\"\n[[modes.mappings]]\n" + oneTable + "[[modes]]\nname = \"B\"\n[[modes.mappings]]\n" + asLines,
		},
		{
			"with tables", "old",
			"[[global_mappings]]\nname = \"old\"\n[global_mappings.trigger]\ntype = \"Note\"\nnote = 1\n[global_mappings.action]\ntype = \"Panic\"\n# end\n",
			"[[global_mappings]]\n" + asLines + "# end\n",
		},
		{"in braces", "old", "global_mappings = [ { name = \"old\", " + oneBrace[2:] + " ] # end", "global_mappings = [ " + asInline + " ] # end"},
		{"no newline at the end", "global_mappings[0]", "[[global_mappings]]\n" + strings.TrimSuffix(oneTable, "\n"), "[[global_mappings]]\n" + asLines},
	} {
		got, err := config.Replace("config.toml", []byte(c.src), nil, c.id, added("new"))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s\nwant:\n%s", c.name, err, got, c.want)
		}
	}
}

func TestEditRefuses(t *testing.T) {
	good := "[[global_mappings]]\nname = \"old\"\n" + oneTable
	bad := []config.Pair{{Key: "trigger", Value: "{ type = \"Note\", note = 999 }"}, {Key: "action", Value: "{ type = \"Panic\" }"}}
	injected := append(added("new"), config.Pair{Key: "enabled", Value: "true\n[device]\nname = \"x\""})
	apart := "[[global_mappings]]\nname = \"old\"\naction = { type = \"Panic\" }\n[device]\nname = \"x\"\n[global_mappings.trigger]\ntype = \"Note\"\nnote = 1\n"
	for _, c := range []struct {
		name, src, id, mode string
		mapping             []config.Pair
		want                string
	}{
		{"a broken file", "modes = 1", "", "", added("new"), "midimonctl validate"},
		{"no such mode", good, "", "None", added("new"), `no mode "None"`},
		{"no such mapping", good, "none", "", added("new"), `no mapping "none"`},
		{"a broken mapping", good, "", "", bad, "out of range"},
		{"a broken mapping instead", good, "old", "", bad, "out of range"},
		{"a name that is taken", good, "", "", added("old"), "already the name"},
		{"more than a mapping", good, "", "", injected, "cannot be added to"},
		{"a mapping with something in between", apart, "old", "", added("new"), "cannot be added to"},
	} {
		var got []byte
		var err error
		if c.id != "" {
			got, err = config.Replace("config.toml", []byte(c.src), nil, c.id, c.mapping)
		} else {
			got, err = config.Append("config.toml", []byte(c.src), nil, c.mode, c.mapping)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\n%s", c.name, err, got)
		}
	}
}

// edits makes every change that a text allows, and checks that each is one and no other.
func edits(t *testing.T, src []byte, must bool) {
	t.Helper()
	before, _ := config.Load("f", src)
	if before == nil {
		return
	}
	for i := range before.Mappings {
		if before.Mappings[i].ID == "new" {
			return
		}
	}
	check := func(what string, got []byte, err error, at int, more int) {
		t.Helper()
		if err != nil {
			if must {
				t.Errorf("%s: %v", what, err)
			}
			return
		}
		after, _ := config.Load("f", got)
		if after == nil || len(after.Mappings) != len(before.Mappings)+more {
			t.Fatalf("%s: it is no configuration any more, or another:\n%s", what, got)
		}
		new := -1
		for i := range after.Mappings {
			if after.Mappings[i].ID == "new" {
				new = i
			}
		}
		if new < 0 || at >= 0 && new != at {
			t.Fatalf("%s: it is at %d, want %d:\n%s", what, new, at, got)
		}
		rest := append(after.Mappings[:new:new], after.Mappings[new+1:]...)
		old := before.Mappings
		if more == 0 {
			old = append(old[:at:at], old[at+1:]...)
		}
		if !reflect.DeepEqual(rest, old) && len(rest)+len(old) > 0 {
			t.Fatalf("%s: other mappings changed:\n%s", what, got)
		}
		if !reflect.DeepEqual(after.Devices, before.Devices) || after.Timing != before.Timing || !reflect.DeepEqual(after.Modes, before.Modes) {
			t.Fatalf("%s: the rest changed:\n%s", what, got)
		}
		// The text is the same before and behind one place.
		n := 0
		for n < len(src) && n < len(got) && src[n] == got[n] {
			n++
		}
		if more > 0 && !bytes.HasSuffix(got, src[n:]) {
			for n > 0 && !bytes.HasSuffix(got, src[n:]) {
				n--
			}
			if len(got)-len(src[n:]) < n {
				t.Fatalf("%s: the text around it changed:\n%s", what, got)
			}
		}
	}
	got, err := config.Append("f", src, nil, "", added("new"))
	check("append", got, err, len(before.Mappings), 1)
	for i := range before.Modes {
		name := before.Modes[i].Name
		end := 0
		for end < len(before.Mappings) && before.Mappings[end].Mode != engine.Global && before.Mappings[end].Mode <= i {
			end++
		}
		if got, err = config.Append("f", src, nil, name, added("new")); err != nil && strings.Contains(err.Error(), "no mode") {
			continue // the file does not say it
		}
		check("append to "+name, got, err, end, 1)
	}
	for i := range before.Mappings {
		got, err := config.Replace("f", src, nil, before.Mappings[i].ID, added("new"))
		check("replace "+before.Mappings[i].ID, got, err, i, 0)
	}
}

// TestEditFiles edits every mapping and mode of the files that there are.
func TestEditFiles(t *testing.T) {
	n := 0
	for _, pattern := range []string{"templates/*.toml", "testdata/compat/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(filepath.Base(f), func(t *testing.T) { edits(t, src, true) })
			n++
		}
	}
	if n < 5 {
		t.Errorf("only %d files", n)
	}
	edits(t, generated(3, 20), true)
}

func FuzzEdit(f *testing.F) {
	for _, seed := range []string{
		"", "[[global_mappings]]\n" + oneTable, "[[modes]]\nname = \"A\"\n[[modes.mappings]]\n" + oneTable + "[[modes]]\nname = 'B'\nmappings = [\n" + oneBrace + ",\n]\n",
		"modes = [ { name = \"A\", mappings = [ " + oneBrace + " ] } ]", "global_mappings = [ " + oneBrace + " ] # x",
		"[[modes]]\nname = \"A\"\n[modes.enter]\ntype = \"Text\"\ntext = '''\n]]'''\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) <= 3000 {
			edits(t, src, false)
		}
	})
}

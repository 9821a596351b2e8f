package script_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/script"
)

// TestEveryMappingOfTheAncestorActs: each mapping of its files acts in the script of that file,
// or its file is told by name what is not there.
func TestEveryMappingOfTheAncestorActs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(compatFiles, "*.toml"))
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		base := filepath.Base(file)
		p := read(t, "compat/"+strings.TrimSuffix(base, ".toml"))
		toml, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Add(base, toml, 0); err != nil {
			t.Fatal(err)
		}
		if !p.ByHand() {
			t.Errorf("%s: the expectation was not written by hand", base)
		}
		acted := map[string]bool{}
		for _, line := range p.Expect {
			if words := strings.Fields(line); len(words) > 2 {
				acted[words[1]] = true
			}
		}
		mappings := p.Configs[0].Program.Mappings
		for i := range mappings {
			if id := mappings[i].ID; !acted[id] {
				t.Errorf("%s: %s (%s) acts in no line", base, id, mappings[i].Trigger.Type)
			}
		}
		if n := strings.Count(string(toml), "trigger"); n < len(mappings) {
			t.Errorf("%s: %d triggers and %d mappings", base, n, len(mappings))
		}
		t.Logf("%s: %d mappings", base, len(mappings))
	}
}

// TestGamepadsAreNamed: what cannot be is a warning that names it, and the rest loads.
func TestGamepadsAreNamed(t *testing.T) {
	for _, typ := range []string{"GamepadButton", "GamepadButtonChord", "GamepadAnalogStick", "GamepadTrigger"} {
		p := &script.Performance{}
		err := p.Add("config.toml", []byte(`[[global_mappings]]
trigger = { type = "`+typ+`", button = 128 }
action = { type = "Text", text = "x" }
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Text", text = "x" }
`), 0)
		if err != nil {
			t.Errorf("%s: %v", typ, err)
			continue
		}
		c := p.Configs[0]
		if len(c.Program.Mappings) != 1 || len(c.Warnings) == 0 || c.Warnings[0].Code != "not-supported" || !strings.Contains(c.Warnings[0].Message, typ) {
			t.Errorf("%s: %d mappings, %v", typ, len(c.Program.Mappings), c.Warnings)
		}
	}
}

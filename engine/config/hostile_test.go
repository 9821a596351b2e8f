package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/amiable-dev/midimon/engine/config"
)

// hostileSize is an eighth of what a file may have, so that the race detector gets through too.
const hostileSize = config.MaxSize / 8

// Files made to cost much. Each is read in a fraction of a second; where the work grew with the
// square of the size, the test would take minutes.
func TestHostileFiles(t *testing.T) {
	fill := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < hostileSize-200; i++ {
			fmt.Fprintf(&b, strings.ReplaceAll(format, "@", "%[1]d"), i)
		}
		return b.String()
	}
	long := strings.Repeat("ü", hostileSize/4-20)
	for name, text := range map[string]string{
		"syntax errors":        fill("[a@]\n= =\n"),
		"redefinitions":        "x = { " + strings.Repeat("a = 1, ", hostileSize/7-2) + "}",
		"tables defined twice": strings.Repeat("[modes]\n", hostileSize/8),
		"unknown keys":         fill("k@ = 1\n"),
		"one long array":       "global_mappings = [" + strings.Repeat("1,", hostileSize/2-20) + "]",
		"deep brackets":        "x = " + strings.Repeat("[", hostileSize-20),
		"deep dots":            strings.Repeat("a.", hostileSize/2-20) + "a = 1",
		"modes not found": fill("[[modes]]\nname = \"m@\"\n[[modes.mappings]]\n" +
			"trigger = { type = \"Note\", note = 1 }\naction = { type = \"ModeChange\", mode = \"n@\" }\n"),
		"modes found": fill("[[modes]]\nname = \"m@\"\n[[modes.mappings]]\n" +
			"trigger = { type = \"Note\", note = 1 }\naction = { type = \"ModeChange\", mode = \"m@\" }\n"),
		"devices":       fill("[[devices]]\nname = \"m@\"\nmatch = \"path:1\"\n"),
		"same names":    strings.Repeat("[[modes]]\nname = \"a\"\n", hostileSize/21),
		"a long key":    `"` + long + `" = 1`,
		"a long type":   "[[global_mappings]]\ntrigger.type = \"" + long + `"`,
		"a long name":   "[[modes]]\nname = \"" + long + `"`,
		"a long number": "x = " + strings.Repeat("9", hostileSize-20),
		"a long match":  "[[devices]]\nname = \"a\"\nmatch = \"name:" + long + `"`,
		"a long chord":  "[[global_mappings]]\naction = { type = \"Keystroke\", keys = \"" + strings.Repeat("x+", hostileSize/2-60) + `" }`,
		"shadowed":      fill("[[global_mappings]]\nname = \"n@\"\ntrigger = { type = \"Note\", note = 1 }\naction = { type = \"Keystroke\", keys = \"a\" }\n"),
		"gestures": fill("[[global_mappings]]\ntrigger = { type = \"LongPress\", note = 1 }\naction.type = \"Panic\"\n" +
			"[[global_mappings]]\ntrigger = { type = \"NoteChord\", notes = [1, 2, 3, 4, 5, 6, 7, 8] }\naction.type = \"Panic\"\n"),
		"gestures of modes": "[[global_mappings]]\ntrigger = { type = \"LongPress\", note = 1 }\naction.type = \"Panic\"\n" +
			fill("[[modes]]\nname = \"m@\"\n[[modes.mappings]]\ntrigger = { type = \"Note\", note = 1 }\naction.type = \"Panic\"\n")[:hostileSize-300],
		"deep conditions":  "[[global_mappings]]\nwhen = " + strings.Repeat("{ Not.condition = ", hostileSize/18-10),
		"a wide condition": "[[global_mappings]]\nwhen = { And = { conditions = [" + strings.Repeat(`"Never",`, hostileSize/8-10) + "] } }",
		"repeats": "[[global_mappings]]\ntrigger = { type = \"Note\", note = 1 }\naction = " +
			strings.Repeat(`{ type = "Repeat", count = 9999, action = `, 8) + `{ type = "Panic" }` + strings.Repeat(" }", 8),
		"control bytes":  strings.Repeat("\x00", hostileSize),
		"broken headers": strings.Repeat("[\n", hostileSize/2),
	} {
		if len(text) > hostileSize {
			t.Errorf("%s: %d bytes", name, len(text))
		}
		start := time.Now()
		p, diagnostics := config.Load("config.toml", []byte(text))
		t.Logf("%s: %v", name, time.Since(start))
		if (p == nil) != hasErrors(diagnostics) || len(diagnostics) > 101 || name != "modes found" && len(diagnostics) == 0 {
			t.Errorf("%s: program %t, %d diagnostics", name, p != nil, len(diagnostics))
		}
		for _, d := range diagnostics {
			if len(d.Message)+len(d.Path)+len(d.Hint)+len(d.Excerpt) > 6000 || !utf8.ValidString(d.Message+d.Path) {
				t.Fatalf("%s: a diagnostic of %d bytes: %.100s", name, len(d.Message), d.Message)
			}
		}
	}
}

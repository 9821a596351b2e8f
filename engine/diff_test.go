package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
)

func compiled(t *testing.T, text string) *engine.Program {
	t.Helper()
	p, diagnostics := config.Load("config.toml", []byte(text))
	if p == nil {
		t.Fatal(diagnostics)
	}
	return p
}

func TestDiff(t *testing.T) {
	const (
		devices = "[[devices]]\nname = \"a\"\nmatch = \"name:A\"\n[[devices]]\nname = \"b\"\nmatch = \"name:B\"\n"
		swapped = "[[devices]]\nname = \"b\"\nmatch = \"name:B\"\n[[devices]]\nname = \"a\"\nmatch = \"name:A\"\n"
		modes   = "[[modes]]\nname = \"M\"\n[[modes]]\nname = \"N\"\n"
		turned  = "[[modes]]\nname = \"N\"\n[[modes]]\nname = \"M\"\n"
	)
	mapping := func(name, trigger, keys string) string {
		return fmt.Sprintf("[[global_mappings]]\n%s\ntrigger = { type = \"Note\", %s }\naction = { type = \"Keystroke\", keys = %q }\n", name, trigger, keys)
	}
	one := mapping(`name = "one"`, "note = 1", "a")
	for _, c := range []struct{ name, was, is, want string }{
		{"nothing", one, one, ""},
		{"comments", one, "# new\n" + one, ""},
		{"order", one + mapping(`name = "two"`, "note = 2", "b"), mapping(`name = "two"`, "note = 2", "b") + one, ""},
		{"added", "", one, "added one;"},
		{"removed", one, "", "removed one;"},
		{"renamed", one, mapping(`name = "uno"`, "note = 1", "a"), "removed one;added uno;"},
		{"trigger", one, mapping(`name = "one"`, "note = 2", "a"), "changed one;"},
		{"action", one, mapping(`name = "one"`, "note = 1", "b"), "changed one;"},
		{"described", one, mapping("name = \"one\"\ndescription = \"d\"", "note = 1", "a"), "changed one;"},
		{"by path", mapping("", "note = 1", "a"), mapping("", "note = 1", "b"), "changed global_mappings[0];"},
		{"devices in another order", devices + mapping("", `note = 1, device = "b"`, "a"), swapped + mapping("", `note = 1, device = "b"`, "a"), "devices"},
		{"another device", devices + mapping("", `note = 1, device = "b"`, "a"), devices + mapping("", `note = 1, device = "a"`, "a"), "changed global_mappings[0];"},
		{"modes in another order", modes + one, turned + one, "modes"},
		{"another timing", one, "[advanced_settings]\nchord_timeout_ms = 60\n" + one, "timing"},
		{"what a mode does", "[[modes]]\nname = \"M\"\nenter = { type = \"Keystroke\", keys = \"a\" }", "[[modes]]\nname = \"M\"\nenter = { type = \"Keystroke\", keys = \"b\" }", "modes"},
		{
			"into a mode", modes + one, "[[modes]]\nname = \"M\"\n" + strings.ReplaceAll(one, "[[global_mappings]]", "[[modes.mappings]]") + "[[modes]]\nname = \"N\"\n",
			"changed one (M);",
		},
	} {
		d := compiled(t, c.was).Diff(compiled(t, c.is))
		got := ""
		for _, x := range d.Changes {
			got += x.Kind + " " + x.ID
			if x.Mode != "" {
				got += " (" + x.Mode + ")"
			}
			got += ";"
		}
		if got += strings.Join(d.Other, ","); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDiffIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 250 {
		fmt.Fprintf(&b, "[[global_mappings]]\ntrigger = { type = \"Note\", note = %d, channel = %d }\naction = { type = \"Panic\" }\n", i%128, i/128)
	}
	if d := compiled(t, "").Diff(compiled(t, b.String())); len(d.Changes) != 100 || d.More != 150 {
		t.Errorf("%d listed, %d more", len(d.Changes), d.More)
	}
}

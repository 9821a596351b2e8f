package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

// file is a configuration written below a back quote, for counting its lines by hand.
func file(text string) []byte { return []byte(strings.TrimPrefix(text, "\n")) }

// brokenFile is a file and what is to be said of it, counted by hand.
type brokenFile struct {
	name string
	text string
	want string // line:column: code, one a line
}

// broken are all of them.
var broken = slices.Concat(brokenSyntax, brokenTables, brokenTriggers, brokenActions, brokenConditions, slow)

func TestBrokenFiles(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range broken {
		t.Run(c.name, func(t *testing.T) {
			p, diagnostics := config.Load("config.toml", file(c.text))
			var got strings.Builder
			for _, d := range diagnostics {
				seen[d.Code] = true
				fmt.Fprintf(&got, "%d:%d: %s\n", d.Line, d.Column, d.Code)
				checkDiagnostic(t, d)
			}
			if want := strings.TrimPrefix(c.want, "\n"); got.String() != want {
				t.Errorf("got\n%swant\n%s", got.String(), want)
				for _, d := range diagnostics {
					t.Log(config.Format(d, true))
				}
			}
			if (p == nil) != hasErrors(diagnostics) {
				t.Errorf("program %v with errors %v", p, hasErrors(diagnostics))
			}
		})
	}
	// These have tests of their own, and the last one is found where files are read.
	for _, c := range []config.Code{config.More, config.TooLarge, config.IncludeCycle, config.IncludeUnreadable, config.GroupWritable} {
		seen[string(c)] = true
	}
	for _, c := range config.Codes {
		if !seen[string(c.Code)] {
			t.Errorf("no broken file shows %s", c.Code)
		}
	}
}

func checkDiagnostic(t *testing.T, d report.Diagnostic) {
	t.Helper()
	i := slices.IndexFunc(config.Codes, func(c config.Explained) bool { return string(c.Code) == d.Code })
	if i >= 0 && config.Codes[i].Warning != (d.Severity == report.Warn) && config.Codes[i].Code != config.More {
		t.Errorf("severity %q of a %s", d.Severity, d.Code)
	}
	if i < 0 || d.File != "config.toml" || d.Message == "" {
		t.Errorf("incomplete: %+v", d)
	}
	if d.Path != "" && !strings.HasPrefix(d.Message, d.Path+": ") {
		t.Errorf("message %q does not begin with the path %q", d.Message, d.Path)
	}
}

func hasErrors(diagnostics []report.Diagnostic) bool {
	return slices.ContainsFunc(diagnostics, func(d report.Diagnostic) bool { return d.Severity == report.Error })
}

func TestWords(t *testing.T) {
	one := func(line string) string { return "[[global_mappings]]\n" + line }
	for _, c := range []struct{ text, want string }{
		{
			"[[modes]]\nname = \"A\"\n[[modes]]\nname = \"B\"\nmappings = [{},{},{},{trigger = {type=\"Note\", note = 128}, action = {type=\"Keystroke\", keys=\"a\"}}]",
			`config.toml:5:54: modes[1].mappings[3].trigger.note: 128 is out of range 0-127`,
		},
		{"[devise]", `config.toml:1:2: warning: devise: unknown key; it is ignored (did you mean "device"?)`},
		{"[device]\nname = 1", `config.toml:2:8: device.name: must be a string, not an integer`},
		{one("trigger.type = \"note\""), `config.toml:2:16: global_mappings[0].trigger.type: "note" is unknown (did you mean "Note"?)`},
		{one("trigger.type = \"DoubleTab\""), `config.toml:2:16: global_mappings[0].trigger.type: "DoubleTab" is unknown (did you mean "DoubleTap"?)`},
		{one("trigger.type = \"Banana\""), `config.toml:2:16: global_mappings[0].trigger.type: "Banana" is unknown (it is one of Note, NoteRelease, VelocityRange, LongPress, DoubleTap, MultiTap, NoteChord, EncoderTurn, CC, CC14, NRPN, RPN, Aftertouch, PitchBend, ProgramChange, Transport, SysEx)`},
		{one("trigger.type = \"GamepadButton\""), `config.toml:2:16: warning: global_mappings[0].trigger.type: "GamepadButton" is not supported yet; the mapping is left out`},
		{one("action = { type = \"Keystroke\", keys = \"?\" }"), `config.toml:2:39: global_mappings[0].action.keys: "?" is no key (on an English keyboard it is shift+/)`},
		{one("action = { type = \"Keystroke\", keys = \"volumup\" }"), `config.toml:2:39: global_mappings[0].action.keys: "volumup" is no key (did you mean "volumeup"?)`},
		{one("action = { type = \"ModeChange\", mode = \"Defalt\" }"), `config.toml:2:40: global_mappings[0].action.mode: no mode "Defalt" (did you mean "Default"?)`},
		{one("action = { type = \"ModeChange\", mode = \"X\" }"), `config.toml:2:40: global_mappings[0].action.mode: no mode "X" (the modes are "Default")`},
		{one("trigger = { type = \"Note\", device = \"LPD8\" }"), `config.toml:2:37: global_mappings[0].trigger.device: no device "LPD8" (the devices are "any")`},
		{one("trigger = { type = \"Note\" }"), `config.toml:2:11: global_mappings[0].trigger.note: is missing`},
		{"\"a b\".\"\\u001b[31m\" = 1\n[device]", `config.toml:1:1: warning: "a b": unknown key; it is ignored`},
		{"[[devices]]\nname = \"a\"\nmatch = \"naem:x\"", `config.toml:3:9: devices[0].match: "naem:x" says not what to compare (did you mean "name:"?)`},
		{"a = 1\na = 2", `config.toml:2:1: a: already defined on line 1`},
	} {
		_, diagnostics := config.Load("config.toml", []byte(c.text))
		var all []string
		for _, d := range diagnostics {
			all = append(all, config.Format(d, false))
		}
		if !slices.Contains(all, c.want) {
			t.Errorf("%q is not said of\n%s\nbut\n%s", c.want, c.text, strings.Join(all, "\n"))
		}
	}
}

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
var broken = slices.Concat(brokenText, brokenTriggers, brokenActions, brokenConditions, slow)

var brokenText = []brokenFile{
	{"not toml", `
[[modes]]
name =
color = "blue"
`, `
2:7: syntax
`},
	{"one syntax error a table, and the rest is still read", `
[[modes]]
name = "A"
color = = "blue"
this is never looked at

[[modes]]
name = "B"
colour = "red"

[[modes.mappings]]
trigger = { type = "Note" note = 1 }
action = 5
[[modes.mappings]]
trigger = { type = "Note", note = 200 }
action = { type = "Keystroke", keys = "a" }
`, `
3:9: syntax
8:1: unknown-key
11:27: syntax
14:35: out-of-range
`},
	{"a header that cannot be read", `
[[global_mappings]]
[global_mappings.trigger]
type = "Note"
note = 36
[global_mappings.action]
type = "Keystroke"
keys = "a"

[[global_mappings]
[global_mappings.trigger]
type = "Note"
note = 37
[global_mappings.action]
type = "Keystroke"
keys = "b"
`, `
9:18: syntax
`},
	{"an unclosed string", `
[[global_mappings]]
name = "abc
[[global_mappings]]
trigger = { type = "Note", note = 128 }
action = { type = "Shell", command = "" }
`, `
2:12: syntax
4:35: out-of-range
5:38: empty
`},
	{"a line of an array is no header", `
x = [ = ,
[1, 2],
[3, 4],
]
[loging]
`, `
1:7: syntax
5:2: unknown-key
`},
	{"redefinitions", `
[advanced_settings]
hold_threshold_ms = 1
hold_threshold_ms = 2
[advanced_settings]
chord_timeout_ms = 5
[logging]
level = "info"
[logging.level]
[[logging]]
[[modes]]
name = "A"
[modes]
`, `
3:1: duplicate-key
4:2: duplicate-key
8:10: duplicate-key
9:3: duplicate-key
12:2: duplicate-key
`},
	{"redefinitions by dots and braces", `
a.b.c = 1
a = 2
a.b = 3
a.b.c.d = 4
t = { x = { y = 1 }, x.z = 2 }
t.u = 1
l = [1]
[[l]]
[t.x]
[a.b.c.e]
`, `
1:1: unknown-key
2:1: duplicate-key
3:3: duplicate-key
4:5: duplicate-key
5:1: unknown-key
5:22: duplicate-key
6:1: duplicate-key
7:1: unknown-key
8:3: duplicate-key
9:2: duplicate-key
10:6: duplicate-key
`},
	{"both spellings", `
[[global_mappings]]
trigger = { type = "Note", note = 36, velocity_min = 1, min_velocity = 2 }
action = { type = "Keystroke", keys = "a" }
`, `
2:57: duplicate-key
`},
	{"numbers and times that do not exist", `
[advanced_settings]
chord_timeout_ms = 99999999999999999999
double_tap_timeout_ms = 2021-02-30
hold_threshold_ms = 25:00:00
max_hold_ms = 1e999
`, `
2:20: bad-value
3:25: bad-value
4:21: bad-value
5:15: bad-value
`},
	{"types", `
modes = "none"
global_mappings = [1, { trigger = [], action = 2.0 }]
[advanced_settings]
hold_threshold_ms = "long"
[device]
name = 3
auto_connect = "yes"
[logging]
level = 2021-01-01
`, `
1:9: wrong-type
2:20: wrong-type
2:35: wrong-type
2:48: wrong-type
4:21: wrong-type
6:8: wrong-type
7:16: wrong-type
9:9: wrong-type
`},
	{"columns are code points, tabs count one", `
[[modes]]
name = "Ünïcödé 🎹"
` + "\tmappings = [{ name = \"ü\", note = 1, trigger = {type=\"Note\",note=128}, action = {type=\"Keystroke\",keys=\"a\"}}]\n", `
3:28: unknown-key
3:66: out-of-range
`},
	{"missing keys", `
[device]
auto_connect = true
[[modes]]
color = "red"
[[modes.mappings]]
name = "a"
[[modes.mappings]]
trigger = {}
action = {}
[[modes.mappings]]
trigger.type = "LongPress"
action.type = "Shell"
[[modes.mappings]]
[modes.mappings.trigger]
type = "EncoderTurn"
[modes.mappings.action]
type = "Sequence"
`, `
1:2: missing-key
3:3: missing-key
5:9: missing-key
5:9: missing-key
8:11: missing-key
9:10: missing-key
11:1: missing-key
12:1: missing-key
14:17: missing-key
16:17: missing-key
`},
	{"triggers", `
[[global_mappings]]
trigger = { type = "Nite", note = 36 }
action = { type = "Keystrok", keys = "a" }
[[global_mappings]]
trigger = { type = "Note", note = "H4", channel = 16, velocity_min = 90, velocity_max = 80 }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
trigger = { type = "Note", note = "C10", device = "LPD9" }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
trigger = { type = "CC", cc = -1, value_min = 128, value_max = 3.5 }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
trigger = { type = "EncoderTurn", cc = 1, direction = "clockwise", encoding = "relative" }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
trigger = { type = "LongPress", note = 1, duration_ms = 0 }
action = { type = "Keystroke", keys = "a" }
[[devices]]
name = "LPD8"
match = "name:LPD8"
`, `
2:20: unknown-value
3:19: unknown-value
5:11: empty-range
5:35: unknown-value
5:51: out-of-range
8:35: out-of-range
8:51: unknown-device
11:31: out-of-range
11:47: out-of-range
11:64: wrong-type
14:55: unknown-value
14:79: unknown-value
17:57: out-of-range
`},
	{"keystrokes", `
[[global_mappings]]
trigger = { type = "Note", note = 36 }
action = { type = "Keystroke", keys = "ctrl+hyperspace+a" }
[[global_mappings]]
trigger = { type = "Note", note = 37 }
action = { type = "Keystroke", keys = "", modifiers = "ctrl" }
[[global_mappings]]
trigger = { type = "Note", note = 38 }
action = { type = "Keystroke", keys = "1+2+3+4+5+6+7+8", modifiers = ["Shift", "ctl", 1] }
[[global_mappings]]
trigger = { type = "Note", note = 39 }
action = { type = "Keystroke", keys = "?", modifiers = ["a"] }
`, `
3:39: unknown-value
6:39: empty
6:55: wrong-type
9:39: too-many
9:80: unknown-value
9:87: wrong-type
12:39: unknown-value
12:57: unknown-value
`},
	{"modes", `
[[modes]]
name = "Desk"
[[modes.mappings]]
trigger = { type = "Note", note = 36 }
action = { type = "ModeChange", mode = "Medai" }
[[modes.mappings]]
trigger = { type = "Note", note = 37 }
action = { type = "ModeChange", mode = 2 }
[[modes]]
name = "Media"
[[modes]]
name = ""
[[modes]]
name = "Desk"
[[modes.mappings]]
trigger = { type = "Note", note = 37 }
action = { type = "ModeChange", mode = 4 }
`, `
5:40: unknown-mode
12:8: empty
14:8: duplicate-name
17:40: unknown-mode
`},
	{"names", `
[[devices]]
name = "A"
match = "serial:1"
[[devices]]
name = "A"
match = "serial:2"
[[global_mappings]]
name = "one"
trigger = { type = "Note", note = 36 }
action = { type = "Plugin", why = "left out, but the name is taken" }
[[global_mappings]]
name = "one"
trigger = { type = "Note", note = 37 }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
name = "modes[0].mappings[0]"
trigger = { type = "Note", note = 38 }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
name = "bell\u0007"
description = "\u0000"
trigger = { type = "Note", note = 39 }
action = { type = "Keystroke", keys = "a" }
`, `
5:8: duplicate-name
10:19: not-supported
12:8: duplicate-name
16:8: bad-name
20:8: bad-name
21:15: bad-value
`},
	{"devices", `
[device]
name = "X"
port = 1
auto_reconnect = false
[[devices]]
name = "a"
match = "LPD8"
[[devices]]
name = "b"
match = ["usb:12:34", "naem:x", "name:[", "raw:midi0", "path:", 3]
[[devices]]
name = "c"
match = []
[[devices]]
name = "d"
[[devices]]
name = "e"
template = "lpd8"
[[devices]]
name = "f"
template = "lpd9"
[[devices]]
name = "g"
template = "generic-pads"
`, `
1:2: conflict
7:9: unknown-value
10:10: unknown-value
10:23: unknown-value
10:33: unknown-value
10:43: unknown-value
10:56: unknown-value
10:65: wrong-type
13:9: empty
14:3: missing-key
21:12: unknown-value
22:3: missing-key
`},
	{"sequences", `
[[global_mappings]]
trigger = { type = "Note", note = 36 }
action = { type = "Sequence", actions = [] }
[[global_mappings]]
trigger = { type = "Note", note = 37 }
action = { type = "Delay", ms = 5 }
[[global_mappings]]
trigger = { type = "Note", note = 38 }
action = { type = "Sequence", actions = [
    { type = "Delay" },
    { type = "Delay", ms = 0 },
    { type = "Dealy", ms = 1 },
    "pause",
] }
`, `
3:41: empty
6:10: no-effect
10:5: missing-key
11:28: out-of-range
12:14: unknown-value
13:5: wrong-type
`},
	{"what comes later", `
include = ["more.toml"]
[input]
backend = "uinput"
[logging]
file = "log"
[[modes]]
name = "A"
[[modes.mappings]]
trigger = { type = "GamepadButton", button = 128 }
action = { type = "Keystroke", keys = "a" }
[[modes.mappings]]
trigger = { type = "GamepadButtonChord", buttons = [128, 129] }
action = { type = "Keystroke", keys = "a" }
[[modes.mappings]]
trigger = { type = "GamepadAnalogStick", axis = 128 }
action = { type = "Keystroke", keys = "a" }
[[modes.mappings]]
trigger = { type = "GamepadTrigger", trigger = 132 }
action = { type = "Keystroke", keys = "a" }
[[modes.mappings]]
trigger = { type = "CC", cc = 1 }
action = { type = "Plugin", name = "obs" }
`, `
1:12: include-not-followed
9:20: not-supported
12:20: not-supported
15:20: not-supported
18:20: not-supported
22:19: not-supported
`},
	{"triggers that contradict themselves", `
[[global_mappings]]
trigger = { type = "LongPress", note = 1, cc = 2 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "DoubleTap" }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "NoteChord", notes = [1] }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "NoteChord", notes = [1, 1] }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "EncoderTurn", cc = 40, bits = 14 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "EncoderTurn", cc = 4, bits = 8 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "SysEx", data = "7E" }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "SysEx", data = "xx" }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "VelocityRange", note = 1, soft_max = 90 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "MultiTap", note = 1, taps = 9 }
action = { type = "Panic" }
[[global_mappings]]
eager = true
trigger = { type = "ProgramChange", program = 1 }
action = { type = "Panic" }
`, `
2:43: conflict
5:11: missing-key
8:41: out-of-range
11:45: repeated
14:11: out-of-range
17:50: unknown-value
20:36: unknown-value
23:36: unknown-value
26:11: empty-range
29:49: out-of-range
32:1: no-effect
`},
	{"actions that contradict themselves", `
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "ModeChange" }
[[global_mappings]]
trigger = { type = "Note", note = 2 }
action = { type = "ModeChange", mode = 0, step = 1 }
[[global_mappings]]
trigger = { type = "Note", note = 3 }
action = { type = "Repeat", action = { type = "Panic" } }
[[global_mappings]]
trigger = { type = "Note", note = 4 }
action = { type = "Toggle" }
[[global_mappings]]
trigger = { type = "Note", note = 5 }
action = { type = "Repeat", count = 200, action = { type = "Repeat", count = 200, action = { type = "Panic" } } }
`, `
3:10: missing-key
6:43: conflict
9:10: missing-key
12:10: missing-key
15:10: too-many
`},
	{"unknown keys", `
mode = 1
"" = 2
[[global_mappings]]
triger = 1
trigger = { type = "Note", note = 36, velocity = 3 }
action = { type = "Keystroke", keys = "a", repeat.count = 2 }
`, `
1:1: unknown-key
2:1: unknown-key
4:1: unknown-key
5:39: unknown-key
6:44: unknown-key
`},
	{"shadowed by what always comes before", `
[[global_mappings]]
trigger = { type = "Note", note = 36 }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
trigger = { type = "Note", note = "C2", velocity_min = 100 }
action = { type = "Keystroke", keys = "b" }
`, `
4:3: shadowed
`},
	{"notes that are none", `
[[global_mappings]]
trigger = { type = "Note", note = "" }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
trigger = { type = "Note", note = "\u000e4" }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
trigger = { type = "Note", note = ".4" }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
trigger = { type = "Note", note = "C+4" }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
trigger = { type = "Note", note = "Cb-1" }
action = { type = "Keystroke", keys = "a" }
`, `
2:35: unknown-value
5:35: unknown-value
8:35: unknown-value
11:35: unknown-value
14:35: out-of-range
`},
	{"too deep", `
x = ` + strings.Repeat("[", 130) + strings.Repeat("]", 130) + `
[` + strings.Repeat("a.", 130) + `b]
` + strings.Repeat("c.", 130) + `d = 1
`, `
1:1: unknown-key
1:134: too-deep
2:2: unknown-key
2:260: too-deep
3:259: too-deep
`},
	{"a byte order mark takes no column", "\uFEFFx = 1\n", `
1:1: unknown-key
`},
}

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

func TestManyDiagnosticsAreCounted(t *testing.T) {
	warnings := "[[modes]]\nname = \"A\"\n"
	for i := range 151 {
		warnings += fmt.Sprintf("x%d = 1\n", i)
	}
	p, diagnostics := config.Load("config.toml", []byte(warnings))
	last := diagnostics[len(diagnostics)-1]
	if p == nil || len(diagnostics) != 101 || last.Message != "51 more not shown" || last.Severity != report.Warn {
		t.Errorf("%v, %d diagnostics, the last %+v", p, len(diagnostics), last)
	}

	// An error is shown however many warnings come first.
	p, diagnostics = config.Load("config.toml", []byte(warnings+"name = 5\n"))
	last = diagnostics[len(diagnostics)-1]
	if p != nil || len(diagnostics) != 101 || !hasErrors(diagnostics) || last.Message != "52 more not shown" || last.Severity != report.Warn {
		t.Errorf("%v, %d diagnostics, the last %+v", p, len(diagnostics), last)
	}

	p, diagnostics = config.Load("config.toml", []byte(strings.Repeat("[modes]\n", 2000)))
	last = diagnostics[len(diagnostics)-1]
	if p != nil || len(diagnostics) != 101 || last.Message != "1900 more not shown" || last.Severity != report.Error {
		t.Errorf("%v, %d diagnostics, the last %+v", p, len(diagnostics), last)
	}
}

func TestTooLarge(t *testing.T) {
	p, diagnostics := config.Load("config.toml", []byte(strings.Repeat("#", config.MaxSize)))
	if p == nil || len(diagnostics) != 0 {
		t.Errorf("of the largest file: %v, %v", p, diagnostics)
	}
	p, diagnostics = config.Load("config.toml", []byte(strings.Repeat("#", config.MaxSize+1)))
	if p != nil || len(diagnostics) != 1 || diagnostics[0].Code != string(config.TooLarge) {
		t.Errorf("of a larger one: %v, %v", p, diagnostics)
	}
}

func TestNestedActionsAreBounded(t *testing.T) {
	nest := func(n int) []byte {
		a := `{ type = "Delay", ms = 1 }`
		for range n {
			a = `{ type = "Sequence", actions = [ ` + a + ` ] }`
		}
		return []byte("[[global_mappings]]\ntrigger = { type = \"Note\", note = 1 }\naction = " + a)
	}
	if p, d := config.Load("config.toml", nest(8)); p == nil {
		t.Errorf("8 deep: %v", d)
	}
	if _, d := config.Load("config.toml", nest(9)); len(d) != 1 || d[0].Code != string(config.TooDeep) {
		t.Errorf("9 deep: %v", d)
	}
	steps := func(n int) []byte {
		return []byte("[[global_mappings]]\ntrigger = { type = \"Note\", note = 1 }\naction = { type = \"Sequence\", actions = [" +
			strings.Repeat(`{ type = "Delay", ms = 1 },`, n) + "] }")
	}
	if p, d := config.Load("config.toml", steps(10_000)); p == nil {
		t.Errorf("10000 steps: %v", d)
	}
	if _, d := config.Load("config.toml", steps(10_001)); len(d) != 1 || d[0].Code != string(config.TooMany) {
		t.Errorf("10001 steps: %v", d)
	}
}

func TestDevicesAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 257 {
		fmt.Fprintf(&b, "[[devices]]\nname = \"%d\"\nmatch = \"name:%d\"\n", i, i)
	}
	if _, d := config.Load("config.toml", []byte(b.String())); len(d) != 1 || d[0].Code != string(config.TooMany) || d[0].Line != 1+3*256 {
		t.Errorf("257 devices: %v", d)
	}
}

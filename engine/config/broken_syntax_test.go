package config_test

import "strings"

// brokenSyntax is what TOML itself does not allow.
var brokenSyntax = []brokenFile{
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
	{"columns are code points, tabs count one", `
[[modes]]
name = "Ünïcödé 🎹"
` + "\tmappings = [{ name = \"ü\", note = 1, trigger = {type=\"Note\",note=128}, action = {type=\"Keystroke\",keys=\"a\"}}]\n", `
3:28: unknown-key
3:66: out-of-range
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

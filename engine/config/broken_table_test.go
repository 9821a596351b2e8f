package config_test

// brokenTables is what the tables around triggers and actions do not allow.
var brokenTables = []brokenFile{
	{"both spellings", `
[[global_mappings]]
trigger = { type = "Note", note = 36, velocity_min = 1, min_velocity = 2 }
action = { type = "Keystroke", keys = "a" }
`, `
2:57: duplicate-key
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
}

package config_test

// brokenActions is what cannot be done.
var brokenActions = []brokenFile{
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
	{"actions of the desktop", `
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Text", text = "" }
[[global_mappings]]
trigger = { type = "Note", note = 2 }
action = { type = "Launch", app = "", args = [1] }
[[global_mappings]]
trigger = { type = "Note", note = 3 }
action = { type = "Open", url = "a", target = "b" }
[[global_mappings]]
trigger = { type = "Note", note = 4 }
action = { type = "MouseClick", button = "Left", x = 1, hold = 1 }
[[global_mappings]]
trigger = { type = "Note", note = 5 }
action = { type = "MouseMove", absolute = true, x = -1 }
[[global_mappings]]
trigger = { type = "Note", note = 6 }
action = { type = "MouseMove", x = 40000 }
[[global_mappings]]
trigger = { type = "Note", note = 7 }
action = { type = "Scroll" }
[[global_mappings]]
trigger = { type = "Note", note = 8 }
action = { type = "Notify", body = 1, message = "", timeout_ms = 0 }
[[global_mappings]]
trigger = { type = "Note", note = 9 }
action = { type = "Media", operation = "Rewind", action = "Play" }
[[global_mappings]]
trigger = { type = "Note", note = 10 }
action = { type = "Media" }
[[global_mappings]]
trigger = { type = "Note", note = 11 }
action = { type = "Panic", now = true }
[[global_mappings]]
trigger = { type = "Note", note = 12 }
action = { type = "MouseClick", y = 1 }
[[global_mappings]]
trigger = { type = "Note", note = 13 }
action = { type = "MouseMove" }
`, `
3:34: empty
6:35: empty
6:47: wrong-type
9:38: duplicate-key
12:42: unknown-value
12:50: no-effect
12:64: wrong-type
15:10: missing-key
15:53: out-of-range
18:36: out-of-range
21:10: missing-key
24:10: missing-key
24:36: wrong-type
24:39: duplicate-key
24:66: out-of-range
27:40: unknown-value
27:50: duplicate-key
30:10: missing-key
33:28: unknown-key
36:33: no-effect
39:10: missing-key
`},
	{"volume", `
[[global_mappings]]
trigger = { type = "CC", cc = 1 }
action = { type = "VolumeControl" }
[[global_mappings]]
trigger = { type = "CC", cc = 2 }
action = { type = "VolumeControl", action = "Louder", target = "both", device = "a", app = "b" }
[[global_mappings]]
trigger = { type = "CC", cc = 3 }
action = { type = "VolumeControl", operation = "Set", value = 151, limit = 0.5, step = 5 }
[[global_mappings]]
trigger = { type = "CC", cc = 4 }
action = { type = "VolumeControl", operation = "Up", value = 5, step = 0 }
[[global_mappings]]
trigger = { type = "CC", cc = 5 }
action = { type = "VolumeControl", operation = "Mute", value = 5 }
[[global_mappings]]
trigger = { type = "CC", cc = 6 }
action = { type = "VolumeControl", operation = "Set", value = { min = 60, max = 50, scale = 0, curve = "s-curve", bend = 2 } }
[[global_mappings]]
trigger = { type = "CC", cc = 7 }
action = { type = "VolumeControl", operation = "Set", value = { min = -1, max = "1", bend = 0.5, curve = "S-Curve", invert = 1, mix = 2 } }
[[global_mappings]]
trigger = { type = "CC", cc = 8 }
action = { type = "VolumeControl", operation = "Set", value = "loud" }
[[global_mappings]]
trigger = { type = "CC", cc = 9 }
action = { type = "VolumeControl", operation = "Set", value = { bend = 0.5 } }
[[global_mappings]]
trigger = { type = "VelocityRange", note = 9 }
action = { type = "VolumeControl", operation = "Set", value = { soft = 1, hard = 151 } }
`, `
3:10: missing-key
6:45: unknown-value
6:64: unknown-value
6:86: conflict
9:63: out-of-range
9:76: out-of-range
9:81: no-effect
12:54: no-effect
12:72: out-of-range
15:56: no-effect
18:63: empty-range
18:93: out-of-range
18:122: out-of-range
21:71: out-of-range
21:81: wrong-type
21:86: no-effect
21:106: unknown-value
21:126: wrong-type
21:129: unknown-key
24:63: wrong-type
27:65: no-effect
30:63: missing-key
30:82: out-of-range
`},
	{"MIDI", `
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "SendMidi" }
[[global_mappings]]
trigger = { type = "Note", note = 2 }
action = { type = "SendMIDI", port = "p", message_type = "NoteOm", note = 999 }
[[global_mappings]]
trigger = { type = "Note", note = 3 }
action = { type = "SendMidi", port = "p", message_type = "note_on", channel = 16, note = 128, velocity = 128, hold = 1, value = 3 }
[[global_mappings]]
trigger = { type = "Note", note = 4 }
action = { type = "SendMidi", port = "p", message = "cc", value = -1 }
[[global_mappings]]
trigger = { type = "Note", note = 5 }
action = { type = "SendMidi", port = "p", message = "PC", cc = 1 }
[[global_mappings]]
trigger = { type = "Note", note = 6 }
action = { type = "SendMidi", port = "p", message = "pb", pitch = -8193 }
[[global_mappings]]
trigger = { type = "Note", note = 7 }
action = { type = "SendMidi", port = "p", message = "at", pressure = "hard", hold = true }
[[global_mappings]]
trigger = { type = "Note", note = 8 }
action = { type = "SendMidi", port = "p", message = "sysex" }
[[global_mappings]]
trigger = { type = "Note", note = 9 }
action = { type = "SendMidi", port = "p", message = "sysex", data = "F0 01" }
[[global_mappings]]
trigger = { type = "Note", note = 10 }
action = { type = "SendMidi", port = "p", message = "start", data = "F0 01", controller = 1, cc = 2 }
[[global_mappings]]
trigger = { type = "Note", note = 11 }
action = { type = "SendMidi", port = "", message = 5, message_type = "cc" }
`, `
3:10: missing-key
3:10: missing-key
6:58: unknown-value
9:79: out-of-range
9:90: out-of-range
9:106: out-of-range
9:118: wrong-type
9:121: no-effect
12:10: missing-key
12:67: out-of-range
15:10: missing-key
15:59: no-effect
18:67: out-of-range
21:70: wrong-type
21:78: no-effect
24:10: missing-key
27:69: unknown-value
30:62: no-effect
30:78: no-effect
30:94: duplicate-key
33:38: empty
33:52: wrong-type
33:55: duplicate-key
`},
	{"the bus", `
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "DBusCall" }
[[global_mappings]]
trigger = { type = "Note", note = 2 }
action = { type = "DBusCall", bus = "user", destination = "org", path = "a/b", interface = "a", method = "a.b", member = "x" }
[[global_mappings]]
trigger = { type = "Note", note = 3 }
action = { type = "DBusCall", destination = ":1.5", path = "/a/", interface = "a.1", member = "1", args = 5 }
[[global_mappings]]
trigger = { type = "Note", note = 4 }
action = { type = "DBusCall", destination = "a.b-c", path = "/", interface = "a.b", member = "M", args = [2020-01-01, { value = {} }, { value = { min = 5 } }] }
[[global_mappings]]
trigger = { type = "Note", note = 5 }
action = { type = "Emit" }
[[global_mappings]]
trigger = { type = "Note", note = 6 }
action = { type = "Emit", name = "a", value = "" }
[[global_mappings]]
trigger = { type = "Note", note = 7 }
action = { type = "Emit", name = "a", value = inf }
[[global_mappings]]
trigger = { type = "Note", note = 8 }
action = { type = "Emit", name = "a", value = true }
`, `
3:10: missing-key
3:10: missing-key
3:10: missing-key
3:10: missing-key
6:37: unknown-value
6:59: unknown-value
6:73: unknown-value
6:92: unknown-value
6:106: unknown-value
6:113: duplicate-key
9:45: unknown-value
9:60: unknown-value
9:79: unknown-value
9:95: unknown-value
9:107: wrong-type
12:107: wrong-type
12:135: too-many
12:145: empty-range
15:10: missing-key
18:47: empty
21:47: out-of-range
24:47: wrong-type
`},
	{"flow", `
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Repeat", action = { type = "Delay", ms = 5 }, count = 0 }
[[global_mappings]]
trigger = { type = "Note", note = 2 }
action = { type = "Repeat", action = { type = "Panic" }, cancel = "release" }
[[global_mappings]]
trigger = { type = "Note", note = 3 }
action = { type = "Repeat", action = { type = "Panic" }, cancel = "mode", delay_ms = 9 }
[[global_mappings]]
trigger = { type = "Note", note = 4 }
action = { type = "Repeat", action = 5, cancel = "later", count = 10001, delay_ms = -1 }
[[global_mappings]]
trigger = { type = "Note", note = 5 }
action = { type = "Sequence", actions = [{ type = "Repeat", cancel = "release", delay_ms = 10, action = { type = "Panic" } }] }
[[global_mappings]]
trigger = { type = "Note", note = 6 }
action = { type = "Conditional" }
[[global_mappings]]
trigger = { type = "Note", note = 7 }
action = { type = "Conditional", condition = "Always", then = { type = "Delay", ms = 1 }, then_action = {}, else = [] }
[[global_mappings]]
trigger = { type = "Note", note = 8 }
action = { type = "Toggle", on = { type = "Nothing" }, state = "" }
[[global_mappings]]
trigger = { type = "Note", note = 9 }
action = { type = "Repeat" }
[[global_mappings]]
trigger = { type = "Note", note = 10 }
action = { type = "Repeat", count = 5000, action = { type = "Toggle", on = { type = "Panic" }, off = { type = "Sequence", actions = [{ type = "Panic" }, { type = "Panic" }] } } }
`, `
3:74: out-of-range
6:10: missing-key
9:86: out-of-range
12:38: wrong-type
12:50: unknown-value
12:67: out-of-range
12:85: out-of-range
15:42: missing-key
15:61: no-effect
18:10: missing-key
18:10: missing-key
21:63: no-effect
21:91: duplicate-key
21:116: wrong-type
24:43: unknown-value
24:64: empty
27:10: missing-key
27:10: missing-key
30:10: too-many
`},
}

package config_test

// brokenTriggers is what no trigger can be.
var brokenTriggers = []brokenFile{
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
	{"triggers out of bounds", `
[[global_mappings]]
trigger = { type = "NoteRelease", note = 1, cc = 1, velocity_min = 9, velocity_max = 8 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "VelocityRange", note = 1, soft_max = 128, medium_max = -1, button = "push" }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "MultiTap", cc = 128, timeout_ms = 0 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "NoteChord", notes = [1, 2, 3, 4, 5, 6, 7, 8, 9], max_interval_ms = 10001 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "NoteChord", notes = 5 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "NoteChord", notes = [1, "H"] }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "EncoderTurn", cc = 1, steps = "half", detents = 0, acceleration = 17, bits = 15 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "CC14", cc = 32, value_min = 2, value_max = 1 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "NRPN", value_max = 16384 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "RPN", number = 16384, hysteresis = 16384 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "Aftertouch", note = 128, pressure_min = 128, value_min = 1 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "PitchBend", value_min = -1 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "ProgramChange", program = 128 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "Transport" }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "Transport", message = "pause" }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "SysEx" }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "SysEx", data = [0xF0, 0x80] }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "SysEx", data = [0xF0, 256] }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "SysEx", data = [] }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "SysEx", data = 5, prefix = "F0" }
action = { type = "Panic" }
`, `
2:11: empty-range
2:45: conflict
5:58: out-of-range
5:76: out-of-range
5:89: unknown-value
8:11: missing-key
8:37: out-of-range
8:55: out-of-range
11:41: out-of-range
11:88: out-of-range
14:41: wrong-type
17:45: unknown-value
20:51: unknown-value
20:69: out-of-range
20:87: out-of-range
20:98: out-of-range
23:11: empty-range
23:33: out-of-range
26:11: missing-key
26:40: out-of-range
29:36: out-of-range
29:43: no-effect
29:56: out-of-range
32:41: out-of-range
32:61: out-of-range
32:66: duplicate-key
35:45: out-of-range
38:47: out-of-range
41:11: missing-key
44:43: unknown-value
47:11: missing-key
50:36: unknown-value
53:43: out-of-range
56:36: empty
59:36: wrong-type
59:39: duplicate-key
`},
	{"what a trigger has for nothing", `
[[global_mappings]]
eager = true
trigger = { type = "LongPress", note = 1 }
action = { type = "Panic" }
[[global_mappings]]
eager = false
trigger = { type = "CC", cc = 1, hysteresis = 3 }
action = { type = "Panic" }
[[global_mappings]]
eager = 1
trigger = { type = "CC", cc = 2, value_min = 3, button = "latch", velocity_min = 1 }
action = { type = "Panic" }
`, `
2:1: no-effect
7:34: no-effect
10:9: wrong-type
11:49: no-effect
11:67: unknown-key
`},
	{"rates and modes", `
[[modes]]
name = "A"
apps = ["firefox", "[", 5, ""]
enter = "Panic"
[[modes]]
name = "B"
apps = "firefox"
enter = { type = "Sequence", actions = [{ type = "ModeChange", mode = "A" }, { type = "Plugin" }] }
exit = { type = "Conditional", condition = "Always", then = { type = "ModeChange", step = 1 } }
[[modes.mappings]]
max_rate = 0
trigger = { type = "Note", note = 1 }
action = { type = "Panic" }
[[modes.mappings]]
max_rate = 1000.5
when = 5
trigger = { type = "Note", note = 2 }
action = { type = "Panic" }
[[modes.mappings]]
max_rate = nan
trigger = { type = "Note", note = 3 }
action = { type = "ModeChange", step = 101 }
[[modes.mappings]]
max_rate = "5"
trigger = { type = "Note", note = 4 }
action = { type = "ModeChange", step = 0 }
`, `
3:20: unknown-value
3:25: wrong-type
3:28: empty
4:9: wrong-type
7:8: wrong-type
8:41: not-here
8:87: not-supported
9:61: not-here
11:12: out-of-range
15:12: out-of-range
16:8: wrong-type
20:12: out-of-range
22:40: out-of-range
24:12: wrong-type
26:33: no-effect
`},
}

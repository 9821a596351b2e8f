package config_test

// brokenConditions is what cannot be asked.
var brokenConditions = []brokenFile{
	{"conditions", `
[[global_mappings]]
when = "Allways"
trigger = { type = "Note", note = 1 }
action = { type = "Panic" }
[[global_mappings]]
when = "TimeRange"
trigger = { type = "Note", note = 2 }
action = { type = "Panic" }
[[global_mappings]]
when = { type = "TimeRange", start = "9", end = "24:00" }
trigger = { type = "Note", note = 3 }
action = { type = "Panic" }
[[global_mappings]]
when = { TimeRange = { start = "09:5", end = 5, begin = 1 } }
trigger = { type = "Note", note = 4 }
action = { type = "Panic" }
[[global_mappings]]
when = { DayOfWeek = { days = [0, 8, "Mo", "tues", "Sundays"] } }
trigger = { type = "Note", note = 5 }
action = { type = "Panic" }
[[global_mappings]]
when = { And = { conditions = [] } }
trigger = { type = "Note", note = 6 }
action = { type = "Panic" }
[[global_mappings]]
when = { type = "Or", conditions = [{ type = "ModeIs", mode = "B" }, 5, { Locked = 1 }, {}] }
trigger = { type = "Note", note = 7 }
action = { type = "Panic" }
[[global_mappings]]
when = { type = "Not" }
trigger = { type = "Note", note = 8 }
action = { type = "Panic" }
[[global_mappings]]
when = { Lokced = {} }
trigger = { type = "Note", note = 9 }
action = { type = "Panic" }
[[global_mappings]]
when = { AppRunning = { app_name = "[" } }
trigger = { type = "Note", note = 10 }
action = { type = "Panic" }
[[global_mappings]]
when = { type = "AppFocused", app = "a", app_name = "b", unknown = 1 }
trigger = { type = "Note", note = 11 }
action = { type = "Panic" }
[[global_mappings]]
when = { type = "DevicePresent", device = "LPD8" }
condition = "Never"
trigger = { type = "Note", note = 12 }
action = { type = "Panic" }
[[global_mappings]]
when = { DayOfWeek = { days = 5 }, Locked = {} }
trigger = { type = "Note", note = 13 }
action = { type = "Panic" }
[[global_mappings]]
when = { type = "DayOfWeek", days = [] }
trigger = { type = "Note", note = 14 }
action = { type = "Panic" }
[[global_mappings]]
when = { not = { not = { not = { not = { not = { not = { not = {} } } } } } } }
trigger = { type = "Note", note = 15 }
action = { type = "Panic" }
[[global_mappings]]
when = { Not.condition.Not.condition.Not.condition.Not.condition.Not.condition.Not.condition.Not.condition.Not.condition = "Always" }
trigger = { type = "Note", note = 16 }
action = { type = "Panic" }
`, `
2:8: unknown-value
6:8: missing-key
10:38: unknown-value
10:49: unknown-value
14:32: unknown-value
14:46: wrong-type
14:49: unknown-key
18:32: out-of-range
18:35: out-of-range
18:38: unknown-value
18:52: unknown-value
22:31: empty
26:63: unknown-mode
26:70: wrong-type
26:84: wrong-type
26:89: missing-key
30:8: missing-key
34:10: unknown-value
38:36: unknown-value
42:42: duplicate-key
42:68: wrong-type
46:43: unknown-device
47:1: duplicate-key
51:8: missing-key
55:37: empty
59:10: unknown-value
63:124: too-deep
`},
}

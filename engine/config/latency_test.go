package config_test

import (
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
)

const panicked = "\naction = { type = \"Panic\" }\n"

// slow are files whose controls mean several things.
var slow = []brokenFile{
	{"a hold that a chord outlasts", `
[[modes]]
name = "A"
[[modes.mappings]]
trigger = { type = "LongPress", note = 1, duration_ms = 50 }
action = { type = "Panic" }
[[modes.mappings]]
trigger = { type = "LongPress", note = 2, min_duration_ms = 51 }
action = { type = "Panic" }
[[modes.mappings]]
trigger = { type = "LongPress", note = 3, duration_ms = 50 }
action = { type = "Panic" }
[[global_mappings]]
enabled = false
trigger = { type = "NoteChord", notes = [1, 2] }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "NoteChord", notes = [3, 4], channel = 5 }
action = { type = "Panic" }
`, `
4:57: hold-too-short
10:57: hold-too-short
`},
	{"holds by default, and global ones", `
[advanced_settings]
hold_threshold_ms = 40
[[modes]]
name = "A"
[[modes.mappings]]
trigger = { type = "NoteChord", notes = [1, 2], velocity_min = 100 }
action = { type = "Panic" }
[[modes.mappings]]
trigger = { type = "NoteChord", notes = [2, 3], velocity_min = 100 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "LongPress", note = 2 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "LongPress", note = 3, velocity_max = 99 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "LongPress", cc = 1 }
action = { type = "Panic" }
`, `
12:11: hold-too-short
`},
	{"a tap that waits", `
[[global_mappings]]
trigger = { type = "DoubleTap", note = 1 }
action = { type = "Panic" }
[[global_mappings]]
trigger = { type = "VelocityRange", note = 1 }
action = { type = "Panic" }
`, `
4:3: added-latency
`},
	{"modes to which nothing leads", `
[[modes]]
name = "first"
[[modes]]
name = "by name"
[[modes]]
name = "by index"
[[modes]]
name = "by application"
apps = ["firefox"]
[[modes]]
name = "by nothing"
[[global_mappings]]
enabled = false
trigger = { type = "Note", note = 1 }
action = { type = "Toggle", on = { type = "ModeChange", mode = "by name" }, off = { type = "ModeChange", mode = 2 } }
`, `
10:3: unreached-mode
`},
	{"a step leads to every mode", `
[[modes]]
name = "first"
[[modes]]
name = "second"
[[modes.mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "ModeChange", step = -1 }
`, `
`},
}

// TestLatency: who waits for whom, how long, in the words that users see.
func TestLatency(t *testing.T) {
	for _, c := range []struct {
		name     string
		triggers string // one mapping of a mode each; after a line of dashes global ones
		want     string
	}{
		{"tap", "note", ""},
		{"tap and hold", "note\nhold 2000", "m0 acts at the release, up to 2000 ms after the press, because of m1"},
		{"tap and two holds", "note\nhold 500\nhold 900", `
m0 acts at the release, up to 500 ms after the press, because of m1
m1 acts at the release, up to 900 ms after the press, because of m2`},
		{"tap and double", "note\ndouble 300", "m0 acts 300 ms after the press, because of m1"},
		{"tap, hold, double", "note\nhold 2000\ndouble 300", "m0 acts 300 ms after the press, or at a later release within 2000 ms, because of m2 and m1"},
		{"hold and double", "hold 2000\ndouble 300", ""},
		{"double and triple", "double 300\ntriple 200", "m0 acts 200 ms after its last press, because of m1"},
		{"tap and chord", "note\nchord [1, 2] 50", "m0 acts 50 ms after the press, or at an earlier release, because of m1"},
		{"tap, hold, chord", "note\nhold 2000\nchord [1, 2] 50", "m0 acts at the release, up to 2000 ms after the press, because of m1"},
		{"tap, double, chord", "note\ndouble 300\nchord [1, 2] 50", "m0 acts 300 ms after the press, because of m1"},
		{"hold and chord", "hold 2000\nchord [1, 2] 50", ""},
		{"two chords of which one is part of the other", "chord [2, 1] 50\nchord [1, 3, 2] 60", "m0 acts up to 60 ms after its first press, or at an earlier release, because of m1"},
		{"two chords that share a note", "chord [1, 2] 50\nchord [1, 3] 60", ""},
		{"eager", "note eager\nhold 2000", ""},
		{"a button that latches by itself", "note latching\nhold 2000", ""},
		{"a latch", "note latch\nhold 2000", "m0 acts at the release, up to 2000 ms after the press, because of m1"},
		{"an action at the release", "release\nhold 2000", ""},
		{"disabled", "note\nhold 2000 off", ""},
		{"disabled too", "note off\nhold 2000", ""},
		{"other velocities", "note soft\nhold 2000 hard", ""},
		{"other channels", "note channel 1\nhold 2000 channel 2", ""},
		{"every channel", "note channel 1\nhold 2000", "m0 acts at the release, up to 2000 ms after the press, because of m1"},
		{"other devices", "note device A\nhold 2000 device B", ""},
		{"every device", "note\nhold 2000 device B", "m0 acts at the release, up to 2000 ms after the press, because of m1"},
		{"a controller as a button", "cc\ncchold 2000", "m0 acts at the release, up to 2000 ms after the press, because of m1"},
		{"a controller with a range", "ccrange\ncchold 2000", ""},
		{"a note and a controller", "note\ncchold 2000", ""},
		{"across the scopes", "note\n--\nhold 2000", "m0 acts at the release, up to 2000 ms after the press, because of m1, which combines with it"},
		{"across the scopes, the other way", "double 300\nhold 900\n--\nnote", "m2 acts 300 ms after the press, or at a later release within 900 ms, because of m0, which combines with it, and m1, which combines with it"},
		{"where another acts instead", "note\ndouble 300\n--\nnote", "m0 acts 300 ms after the press, because of m1"},
		{"where another acts for some velocities", "note hard\ndouble 300\n--\nnote", `
m0 acts 300 ms after the press, because of m1
m2 acts 300 ms after the press, because of m1, which combines with it`},
		{"among the global ones", "--\nnote\nhold 2000", "m0 acts at the release, up to 2000 ms after the press, because of m1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, diagnostics := config.Load("config.toml", []byte(latent(c.triggers)))
			var got []string
			for _, d := range diagnostics {
				if d.Code != string(config.AddedLatency) {
					t.Error(config.Format(d, true))
				}
				_, text, _ := strings.Cut(d.Message, ": ")
				got = append(got, nameAt(latent(c.triggers), d.Line)+" "+text)
			}
			if got, want := strings.Join(got, "\n"), strings.TrimPrefix(c.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// latent writes the mappings of a file of TestLatency, called m0, m1 and so on.
func latent(triggers string) string {
	var b strings.Builder
	b.WriteString("devices = [{ name = \"A\", match = \"path:1\" }, { name = \"B\", match = \"path:2\" }]\n[[modes]]\nname = \"Mode\"\n")
	table, n := "[[modes.mappings]]", 0
	for line := range strings.SplitSeq(triggers, "\n") {
		if line == "--" {
			table = "[[global_mappings]]"
			continue
		}
		words := strings.Fields(line)
		chord, rest, isChord := strings.Cut(strings.TrimPrefix(line, "chord "), "]")
		if isChord {
			words = strings.Fields("chord " + rest)
		}
		trigger := map[string]string{
			"note": `type = "Note", note = 1`, "release": `type = "NoteRelease", note = 1`,
			"hold": `type = "LongPress", note = 1`, "double": `type = "DoubleTap", note = 1`,
			"triple": `type = "MultiTap", taps = 3, note = 1`, "chord": `type = "NoteChord", notes = ` + chord + `]`,
			"cc": `type = "CC", cc = 1`, "ccrange": `type = "CC", cc = 1, value_min = 9`, "cchold": `type = "LongPress", cc = 1`,
		}[words[0]]
		more := ""
		for i := 1; i < len(words); i++ {
			switch w := words[i]; w {
			case "eager":
				more += "eager = true\n"
			case "off":
				more += "enabled = false\n"
			case "latch", "latching":
				trigger += `, button = "` + w + `"`
			case "soft":
				trigger += ", velocity_max = 60"
			case "hard":
				trigger += ", velocity_min = 61"
			case "channel":
				i++
				trigger += ", channel = " + words[i]
			case "device":
				i++
				trigger += `, device = "` + words[i] + `"`
			default:
				key := "timeout_ms"
				if strings.HasSuffix(words[0], "hold") {
					key = "duration_ms"
				}
				trigger += ", " + key + " = " + w
			}
		}
		b.WriteString(table + "\nname = \"m" + string(rune('0'+n)) + "\"\n" + more + "trigger = { " + trigger + " }" + panicked)
		n++
	}
	return b.String()
}

// nameAt is the name of the mapping whose table begins on a line, counted from 1.
func nameAt(text string, line int) string {
	name := strings.Split(text, "\n")[line]
	return strings.Trim(strings.TrimPrefix(name, "name = "), `"`)
}

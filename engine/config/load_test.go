package config_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
)

// load reads a configuration that must be without a diagnostic.
func load(t *testing.T, text string) *engine.Program {
	t.Helper()
	p, diagnostics := config.Load("config.toml", file(text))
	for _, d := range diagnostics {
		t.Error(config.Format(d, true))
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

func TestEmptyFile(t *testing.T) {
	p := load(t, "")
	if want := []engine.Mode{{Name: "Default"}}; !reflect.DeepEqual(p.Modes, want) {
		t.Errorf("modes %v", p.Modes)
	}
	if want := []engine.Device{{Name: "any", Match: []engine.Match{{{Kind: engine.MatchAny}}}, Enabled: true}}; !reflect.DeepEqual(p.Devices, want) {
		t.Errorf("devices %v", p.Devices)
	}
	if p.Timing != engine.DefaultTiming || len(p.Mappings) != 0 {
		t.Errorf("timing %v, mappings %v", p.Timing, p.Mappings)
	}
}

func TestTriggers(t *testing.T) {
	note := func(number int16) engine.Trigger {
		return engine.Trigger{Type: engine.Note, Device: engine.Any, Channel: engine.Any, Number: number, Min: 1, Max: 127}
	}
	with := func(t engine.Trigger, change func(*engine.Trigger)) engine.Trigger { change(&t); return t }
	long := with(note(1), func(t *engine.Trigger) { t.Type, t.Duration = engine.LongPress, 700*time.Millisecond })
	cc := engine.Trigger{Type: engine.CC, Device: engine.Any, Channel: engine.Any, Number: 7, Max: 127, Margin: engine.Margin7}
	knob := with(cc, func(t *engine.Trigger) { t.Type, t.Margin = engine.EncoderTurn, 0 })
	for text, want := range map[string]engine.Trigger{
		`type = "Note", note = 0`:       note(0),
		`note = 127, type = "Note"`:     note(127),
		`type = "Note", note = "C4"`:    note(60),
		`type = "Note", note = "C-1"`:   note(0),
		`type = "Note", note = "g9"`:    note(127),
		`type = "Note", note = "F#2"`:   note(42),
		`type = "Note", note = "Bb3"`:   note(58),
		`type = "Note", note = "b3"`:    note(59),
		`type = "Note", note = "E♭2"`:   note(39),
		`type = "Note", note = "C♯4"`:   note(61),
		`type = "Note", note = "Cb4"`:   note(59),
		`type = "Note", note = "A0"`:    note(21),
		`type = "Note", note = "D1"`:    note(26),
		`type = "Note", note = 0x24`:    note(36),
		`type = "Note", note = 1_2_0`:   note(120),
		`type = "Note", note = 1_2`:     note(12),
		`type = "Note", "note" = 0b101`: note(5),
		`type = "Note", note = 1, channel = 0, device = "B", velocity_min = 5, max_velocity = 9`: with(note(1), func(t *engine.Trigger) {
			t.Channel, t.Device, t.Min, t.Max = 0, 1, 5, 9
		}),
		`type = "Note", note = 1, min_velocity = 0, velocity_max = 99`: with(note(1), func(t *engine.Trigger) { t.Max = 99 }),
		`type = "LongPress", note = 1`:                                 long,
		`type = "LongPress", note = 1, duration_ms = 5`:                with(long, func(t *engine.Trigger) { t.Duration = 5 * time.Millisecond }),
		`type = "LongPress", note = 1, min_duration_ms = 60000`:        with(long, func(t *engine.Trigger) { t.Duration = time.Minute }),
		`type = "CC", cc = 7`:                                          cc,
		`type = "CC", cc = 7, value_min = 0`:                           with(cc, func(t *engine.Trigger) { t.Ranged = true }),
		`type = "CC", cc = 7, value_max = 9, channel = 15`:             with(cc, func(t *engine.Trigger) { t.Ranged, t.Max, t.Channel = true, 9, 15 }),
		`type = "CC", cc = 7, value_min = 3, value_max = 3`:            with(cc, func(t *engine.Trigger) { t.Ranged, t.Min, t.Max = true, 3, 3 }),
		`type = "NoteRelease", cc = 7`:                                 with(note(7), func(t *engine.Trigger) { t.Type, t.OnCC = engine.NoteRelease, true }),
		`type = "VelocityRange", note = 1, medium_max = 100`:           with(note(1), func(t *engine.Trigger) { t.Type, t.Soft, t.Medium = engine.VelocityRange, 40, 100 }),
		`type = "Note", note = 1, button = "latch"`:                    with(note(1), func(t *engine.Trigger) { t.Button = engine.Latch }),
		`type = "DoubleTap", note = 1`: with(note(1), func(t *engine.Trigger) {
			t.Type, t.Taps, t.Duration = engine.DoubleTap, 2, 300*time.Millisecond
		}),
		`type = "MultiTap", note = 1, taps = 4, max_interval_ms = 9`: with(note(1), func(t *engine.Trigger) {
			t.Type, t.Taps, t.Duration = engine.MultiTap, 4, 9*time.Millisecond
		}),
		`type = "NoteChord", notes = ["C4", 5]`: with(note(0), func(t *engine.Trigger) {
			t.Type, t.Notes, t.Duration = engine.NoteChord, []uint8{5, 60}, 50*time.Millisecond
		}),
		`type = "CC14", cc = 7, value_min = 8192`: with(cc, func(t *engine.Trigger) {
			t.Type, t.Ranged, t.Min, t.Max, t.Margin = engine.CC14, true, 8192, 16383, 64
		}),
		`type = "NRPN", number = 300, value_min = 0, hysteresis = 5`: with(cc, func(t *engine.Trigger) {
			t.Type, t.Ranged, t.Number, t.Max, t.Margin = engine.NRPN, true, 300, 16383, 5
		}),
		`type = "RPN", number = 0`:                        with(cc, func(t *engine.Trigger) { t.Type, t.Number, t.Max, t.Margin = engine.RPN, 0, 16383, 64 }),
		`type = "Aftertouch"`:                             with(cc, func(t *engine.Trigger) { t.Type, t.Number = engine.Aftertouch, engine.Any }),
		`type = "Aftertouch", note = 7, pressure_min = 4`: with(cc, func(t *engine.Trigger) { t.Type, t.Ranged, t.Min = engine.Aftertouch, true, 4 }),
		`type = "PitchBend", value_max = 4000`:            with(cc, func(t *engine.Trigger) { t.Type, t.Number, t.Ranged, t.Max, t.Margin = engine.Bend, 0, true, 4000, 64 }),
		`type = "ProgramChange"`:                          with(knob, func(t *engine.Trigger) { t.Type, t.Number = engine.ProgramChanged, engine.Any }),
		`type = "ProgramChange", program = 7`:             with(knob, func(t *engine.Trigger) { t.Type = engine.ProgramChanged }),
		`type = "Transport", message = "stop"`:            with(knob, func(t *engine.Trigger) { t.Type, t.Number, t.Max, t.Message = engine.Transport, 0, 0, engine.Stop }),
		`type = "SysEx", data = "f07E 7f"`: with(knob, func(t *engine.Trigger) {
			t.Type, t.Number, t.Max, t.Data = engine.SysExclusive, 0, 0, []byte{0xf0, 0x7e, 0x7f}
		}),
		`type = "SysEx", prefix = [0xF0, 1]`: with(knob, func(t *engine.Trigger) { t.Type, t.Number, t.Max, t.Data = engine.SysExclusive, 0, 0, []byte{0xf0, 1} }),
		`type = "EncoderTurn", cc = 7, steps = "delta", bits = 14, detents = 4, acceleration = 8`: with(knob, func(t *engine.Trigger) {
			t.Delta, t.Fine, t.Max, t.Detents, t.Speed = true, true, 16383, 4, 8
		}),
		`type = "EncoderTurn", cc = 7`: knob,
		`type = "EncoderTurn", cc = 7, direction = "Clockwise", encoding = "absolute"`:     with(knob, func(t *engine.Trigger) { t.Direction = engine.Clockwise }),
		`type = "EncoderTurn", cc = 7, direction = "CounterClockwise"`:                     with(knob, func(t *engine.Trigger) { t.Direction = engine.CounterClockwise }),
		`type = "EncoderTurn", cc = 7, encoding = "twos-complement"`:                       with(knob, func(t *engine.Trigger) { t.Encoding = engine.TwosComplement }),
		`type = "EncoderTurn", cc = 7, encoding = "binary-offset"`:                         with(knob, func(t *engine.Trigger) { t.Encoding = engine.BinaryOffset }),
		`type = "EncoderTurn", cc = 7, encoding = "signed-bit", device = "A"`:              with(knob, func(t *engine.Trigger) { t.Encoding, t.Device = engine.SignedBit, 0 }),
		"type = \"CC\", # a comment\n  cc = 7, # TOML 1.1: lines and a comma at the end\n": cc,
	} {
		p := load(t, `
global_mappings = [{ trigger = { `+text+` }, action = { type = "Keystroke", keys = "a" } }]
[advanced_settings]
hold_threshold_ms = 700
[[devices]]
name = "A"
match = "name:A"
[[devices]]
name = "B"
match = "name:B"
`)
		if got := p.Mappings[0].Trigger; !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v\nwant %+v", text, got, want)
		}
	}
}

func TestKeystrokes(t *testing.T) {
	const ctrl, shift, alt, meta, fn, a, plus = 29, 42, 56, 125, 464, 30, 78
	for text, want := range map[string][]effect.Key{
		`keys = "a"`:            {a},
		`keys = "A"`:            {a},
		`keys = "ctrl+shift+a"`: {ctrl, shift, a},
		`keys = " Ctrl + A "`:   {ctrl, a},
		`keys = "a", modifiers = ["shift", "ctrl"]`:        {shift, ctrl, a},
		`modifiers = [], keys = "f13"`:                     {183},
		`modifiers = ["CMD"], keys = "a"`:                  {meta, a},
		`modifiers = ["super", "meta", "win"], keys = "a"`: {meta, a},
		`modifiers = ["option", "opt", "alt"], keys = "a"`: {alt, a},
		`modifiers = ["control"], keys = "ctrl+a"`:         {ctrl, a},
		`modifiers = ["fn"], keys = "fn"`:                  {fn},
		`keys = "+"`:                                       {plus},
		`keys = "ctrl++"`:                                  {ctrl, plus},
		`keys = "++a"`:                                     {plus, a},
		`keys = "a++"`:                                     {a, plus},
		`keys = "ctrl+plus"`:                               {ctrl, plus},
		`keys = "super"`:                                   {meta},
		`keys = ";+'+[+]+\\+/+.+,"`:                        {39, 40, 26, 27, 43, 53, 52, 51},
	} {
		p := load(t, `
global_mappings = [{ trigger = { type = "Note", note = 1 }, action = { type = "Keystroke", `+text+` } }]`)
		k := p.Mappings[0].Action.(*effect.Keystroke)
		if !slices.Equal(k.Chord.Keys(), want) || k.Hold || k.Modifiers == nil {
			t.Errorf("%s: %v %+v", text, k.Chord.Keys(), k)
		}
	}
	p := load(t, `
[[global_mappings]]
trigger = { type = "Note", note = 1 }
[global_mappings.action]
hold = true
modifiers = [ 'Ctrl', """shift""" ]
type = "Keystroke"
keys = "\u0074"
`)
	want := &effect.Keystroke{Keys: "t", Modifiers: []string{"Ctrl", "shift"}, Hold: true, Chord: effect.NewChord(29, 42, 20)}
	if got := p.Mappings[0].Action; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestActions(t *testing.T) {
	p := load(t, `
modes = [{ name = "A" }, { name = "B" }]
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Shell", command = "echo 'a b' | cat", timeout_ms = 500 }
[[global_mappings]]
trigger = { type = "Note", note = 2 }
action = { type = "ModeChange", mode = "B" }
[[global_mappings]]
trigger = { type = "Note", note = 3 }
action = { type = "ModeChange", mode = 0 }
[[global_mappings]]
trigger = { type = "Note", note = 4 }
[global_mappings.action]
type = "Sequence"
[[global_mappings.action.actions]]
type = "Shell"
command = "true"
[[global_mappings.action.actions]]
type = "Delay"
duration_ms = 3
[[global_mappings.action.actions]]
type = "Sequence"
actions = [{ type = "Delay", ms = 4 }]
`)
	want := []effect.Action{
		&effect.Shell{Command: "echo 'a b' | cat", Timeout: 500 * time.Millisecond},
		&effect.ModeChange{Mode: "B", Index: 1},
		&effect.ModeChange{Mode: "A", Index: 0},
		&effect.Sequence{Actions: []effect.Action{
			&effect.Shell{Command: "true"},
			&effect.Delay{For: 3 * time.Millisecond},
			&effect.Sequence{Actions: []effect.Action{&effect.Delay{For: 4 * time.Millisecond}}},
		}},
	}
	for i, w := range want {
		if got := p.Mappings[i].Action; !reflect.DeepEqual(got, w) {
			t.Errorf("%d: got %+v, want %+v", i, got, w)
		}
	}
}

func TestMappings(t *testing.T) {
	p := load(t, `
[[global_mappings]]
description = "a global one, written first"
trigger = { type = "Note", note = 9 }
action = { type = "ModeChange", mode = "Two" }
[[modes]]
name = "One"
color = "blue"
[[modes.mappings]]
name = "named"
eager = true
trigger = { type = "Note", note = 1 }
action = { type = "Keystroke", keys = "a" }
[[modes]]
name = "Two"
[[modes.mappings]]
enabled = false
trigger = { type = "Note", note = 1 }
action = { type = "Keystroke", keys = "a" }
[[modes.mappings]]
when_locked = true
trigger = { type = "Note", note = 2 }
action = { type = "Keystroke", keys = "a" }
[[modes.mappings]]
when_locked = false
trigger = { type = "Note", note = 3 }
action = { type = "ModeChange", mode = 0 }
`)
	type seen struct {
		id, label                  string
		mode                       int
		enabled, eager, whenLocked bool
	}
	var got []seen
	for _, m := range p.Mappings {
		got = append(got, seen{m.ID, m.Label, m.Mode, m.Enabled, m.Eager, m.WhenLocked})
	}
	want := []seen{
		{"named", "", 0, true, true, false},
		{"modes[1].mappings[0]", "", 1, false, false, false},
		{"modes[1].mappings[1]", "", 1, true, false, true},
		{"modes[1].mappings[2]", "", 1, true, false, false},
		{"global_mappings[0]", "a global one, written first", engine.Global, true, false, true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if want := []engine.Mode{{Name: "One", Color: "blue"}, {Name: "Two"}}; !reflect.DeepEqual(p.Modes, want) {
		t.Errorf("modes %v", p.Modes)
	}
}

func TestLeftOutMappingsKeepTheNumbersOfTheOthers(t *testing.T) {
	p, diagnostics := config.Load("config.toml", file(`
[[global_mappings]]
trigger = { type = "GamepadButton", button = 1 }
action = { type = "Plugin", name = "once is enough" }
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Sequence", actions = [{ type = "Delay", ms = 1 }, { type = "Plugin" }] }
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Keystroke", keys = "a" }
`))
	if p == nil || len(p.Mappings) != 1 || p.Mappings[0].ID != "global_mappings[2]" || len(diagnostics) != 2 {
		t.Errorf("%+v, %v", p, diagnostics)
	}
}

func TestTimingAndSettings(t *testing.T) {
	p, s, diagnostics := config.LoadAll("config.toml", file(`
advanced_settings = { chord_timeout_ms = 1, double_tap_timeout_ms = 2, hold_threshold_ms = 3, max_hold_ms = 400 }
logging.level = "debug"
`), nil)
	want := engine.Timing{Chord: time.Millisecond, DoubleTap: 2 * time.Millisecond, Hold: 3 * time.Millisecond, MaxHold: 400 * time.Millisecond}
	if len(diagnostics) != 0 || p.Timing != want || s.LogLevel != "debug" {
		t.Errorf("%v %v %v", diagnostics, p, s)
	}
}

func TestDevices(t *testing.T) {
	for text, want := range map[string]engine.Device{
		"[device]\nname = \"Mikro\"\nauto_connect = true\nauto_reconnect = true": {
			Name: "Mikro", Match: []engine.Match{{{Kind: engine.MatchContains, Value: "Mikro"}}}, Enabled: true,
		},
		"[device]\nname = \"Mikro\"\nauto_reconnect = false": {
			Name: "Mikro", Match: []engine.Match{{{Kind: engine.MatchContains, Value: "Mikro"}}}, Enabled: true, Once: true,
		},
		"[device]\nname = \"Mikro\"\nauto_connect = false": {
			Name: "Mikro", Match: []engine.Match{{{Kind: engine.MatchContains, Value: "Mikro"}}},
		},
		"[[devices]]\nname = \"a\"\nmatch = \"usb:17CC:1700 path:1-1\"\noptional = true\nsysex = true": {
			Name: "a", Enabled: true, Optional: true, Sysex: true,
			Match: []engine.Match{{{Kind: engine.MatchUSB, Value: "17cc:1700"}, {Kind: engine.MatchPath, Value: "1-1"}}},
		},
		"[[devices]]\nname = \"a\"\nenabled = false\nmatch = [\"serial:A1\", \"name:LPD8 mk2: *  usb:09e8:0075\", \"raw:/dev/my midi\"]": {
			Name: "a",
			Match: []engine.Match{
				{{Kind: engine.MatchSerial, Value: "A1"}},
				{{Kind: engine.MatchName, Value: "LPD8 mk2: *"}, {Kind: engine.MatchUSB, Value: "09e8:0075"}},
				{{Kind: engine.MatchRaw, Value: "/dev/my midi"}},
			},
		},
	} {
		if p := load(t, text); len(p.Devices) != 1 || !reflect.DeepEqual(p.Devices[0], want) {
			t.Errorf("%s\ngot  %+v\nwant %+v", text, p.Devices, want)
		}
	}
}

// TestNamesDoNotKeepTheText changes the text that a program was made of.
func TestNamesDoNotKeepTheText(t *testing.T) {
	text := file(`
		[logging]
		file = "own.log"
		[[devices]]
		name = "Pads"
		match = ["name:LPD8"]
		[[modes]]
		name = "Play"
	`)
	p, settings, diagnostics := config.LoadAll("config.toml", text, nil)
	if p == nil {
		t.Fatal(diagnostics)
	}
	clear(text)
	got := []string{settings.LogFile, p.Devices[0].Name, p.Devices[0].Match[0][0].Value, p.Modes[0].Name}
	if want := []string{"own.log", "Pads", "LPD8", "Play"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

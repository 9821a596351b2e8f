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

func fixed(n float64) effect.Value { return effect.Value{Given: true, Fixed: n} }

// midi is the value of a SendMidi with 7 bits.
func midi(v effect.Value) effect.Value { v.Max = 127; return v }

func volume(op effect.VolumeOperation, change func(*effect.VolumeControl)) *effect.VolumeControl {
	v := &effect.VolumeControl{Operation: op, Step: 10, Limit: 100, Level: effect.Value{Max: 100}}
	if change != nil {
		change(v)
	}
	return v
}

// actions are every type of action with every field, in both spellings.
var actions = []struct {
	text string
	want effect.Action
}{
	{`type = "Text", text = " a\n"`, &effect.Text{Text: " a\n"}},
	{`type = "Launch", app = "firefox"`, &effect.Launch{App: "firefox"}},
	{`type = "Launch", app = "firefox", args = ["--new-window", ""]`, &effect.Launch{App: "firefox", Args: []string{"--new-window", ""}}},
	{`type = "Open", target = "~/notes"`, &effect.Open{Target: "~/notes"}},
	{`type = "Open", url = "https://example.org"`, &effect.Open{Target: "https://example.org"}},
	{`type = "Shell", command = "true", timeout_ms = 5`, &effect.Shell{Command: "true", Timeout: 5 * time.Millisecond}},
	{`type = "MouseClick"`, &effect.MouseClick{Button: "left", Chord: effect.NewChord(0x110)}},
	{`type = "MouseClick", button = "forward", hold = true, x = 3, y = 0`, &effect.MouseClick{
		Button: "forward", Chord: effect.NewChord(0x114), Hold: true, Place: &effect.Place{X: 3},
	}},
	{`type = "MouseClick", button = "right"`, &effect.MouseClick{Button: "right", Chord: effect.NewChord(0x111)}},
	{`type = "MouseClick", button = "middle"`, &effect.MouseClick{Button: "middle", Chord: effect.NewChord(0x112)}},
	{`type = "MouseClick", button = "back"`, &effect.MouseClick{Button: "back", Chord: effect.NewChord(0x113)}},
	{`type = "MouseMove", x = -5`, &effect.MouseMove{X: -5}},
	{`type = "MouseMove", y = 7, absolute = false`, &effect.MouseMove{Y: 7}},
	{`type = "MouseMove", x = 5, y = 6, absolute = true`, &effect.MouseMove{X: 5, Y: 6, Absolute: true}},
	{`type = "Scroll", y = -1`, &effect.Scroll{Y: -1}},
	{`type = "Scroll", x = 2`, &effect.Scroll{X: 2}},

	{`type = "VolumeControl", operation = "Up"`, volume(effect.VolumeUp, nil)},
	{`type = "VolumeControl", action = "Down", step = 2.5, target = "input", device = "mic"`, volume(effect.VolumeDown, func(v *effect.VolumeControl) {
		v.Step, v.Input, v.Device = 2.5, true, "mic"
	})},
	{`type = "VolumeControl", operation = "Mute", target = "output"`, volume(effect.VolumeMute, nil)},
	{`type = "VolumeControl", operation = "Unmute"`, volume(effect.VolumeUnmute, nil)},
	{`type = "VolumeControl", operation = "Toggle", app = "focused"`, volume(effect.VolumeToggle, func(v *effect.VolumeControl) { v.App = "focused" })},
	{`type = "VolumeControl", operation = "Set"`, volume(effect.VolumeSet, nil)},
	{`type = "VolumeControl", operation = "Set", value = 30, limit = 150`, volume(effect.VolumeSet, func(v *effect.VolumeControl) {
		v.Level.Given, v.Level.Fixed, v.Limit = true, 30, 150
	})},
	{
		`type = "VolumeControl", operation = "Set", max = 80.5, value = { min = 10, max = 90, scale = 2, invert = true, curve = "s-curve", bend = 0.25 }`,
		volume(effect.VolumeSet, func(v *effect.VolumeControl) {
			v.Limit = 80.5
			v.Level = effect.Value{Min: 10, Max: 90, Scale: 2, Invert: true, Curve: effect.SCurve, Bend: 0.25}
		}),
	},
	{`type = "VolumeControl", operation = "Set", value = { curve = "exponential" }`, volume(effect.VolumeSet, func(v *effect.VolumeControl) {
		v.Level.Curve, v.Level.Bend = effect.Exponential, 0.5
	})},
	{`type = "VolumeControl", operation = "Set", value = { curve = "linear" }`, volume(effect.VolumeSet, nil)},
	{`type = "VolumeControl", operation = "Set", value = { soft = 10, medium = 50, hard = 90.5, max = 95 }`, volume(effect.VolumeSet, func(v *effect.VolumeControl) {
		v.Level.Max, v.Level.Graded, v.Level.Hits = 95, true, [4]float64{0, 10, 50, 90.5}
	})},
	{`type = "Media", operation = "PlayPause"`, &effect.Media{Operation: "PlayPause"}},
	{`type = "Media", action = "Next", player = "mpv"`, &effect.Media{Operation: "Next", Player: "mpv"}},
	{`type = "Notify", summary = "a"`, &effect.Notify{Summary: "a"}},
	{`type = "Notify", title = "a", message = "b", icon = "c", slot = "d", timeout_ms = 9`, &effect.Notify{
		Summary: "a", Body: "b", Icon: "c", Slot: "d", Timeout: 9 * time.Millisecond,
	}},
	{`type = "Notify", summary = "a", body = ""`, &effect.Notify{Summary: "a"}},

	{`type = "Emit", name = "n"`, &effect.Emit{Name: "n", Value: effect.Value{Max: 1}}},
	{`type = "Emit", name = "n", value = "text"`, &effect.Emit{Name: "n", Text: "text", Value: effect.Value{Max: 1}}},
	{`type = "Emit", name = "n", value = -2.5`, &effect.Emit{Name: "n", Value: effect.Value{Given: true, Fixed: -2.5, Max: 1}}},
	{`type = "Emit", name = "n", value = { min = -1e6, max = 5 }`, &effect.Emit{Name: "n", Value: effect.Value{Min: -1e6, Max: 5}}},
	{`type = "DBusCall", destination = "org.a-b._c", path = "/", interface = "a.b", method = "M"`, &effect.DBusCall{
		Destination: "org.a-b._c", Path: "/", Interface: "a.b", Member: "M",
	}},
	{`type = "DBusCall", bus = "system", destination = "a.b", path = "/a_1/2", interface = "a.b", member = "M_1",
	args = ["s", 1, 2.5, true, [1, [2]], { a = 1, value = 2 }, { value = 3 }, { value = { invert = true } }]`, &effect.DBusCall{
		System: true, Destination: "a.b", Path: "/a_1/2", Interface: "a.b", Member: "M_1",
		Args: []any{
			"s", int64(1), 2.5, true,
			[]any{int64(1), []any{int64(2)}},
			map[string]any{"a": int64(1), "value": int64(2)},
			map[string]any{"value": int64(3)},
			&effect.Value{Max: 1, Invert: true},
		},
	}},
	{`type = "DBusCall", bus = "session", destination = "a.b", path = "/a", interface = "a.b", member = "M", args = []`, &effect.DBusCall{
		Destination: "a.b", Path: "/a", Interface: "a.b", Member: "M",
	}},

	{`type = "SendMidi", port = "p", message_type = "NoteOn"`, &effect.SendMidi{Port: "p", Number: 60, Value: midi(effect.Value{})}},
	{`type = "SendMIDI", port = "p", message = "note_on", channel = 9, note = "C2", velocity = 100, hold = true`, &effect.SendMidi{
		Port: "p", Channel: 9, Number: 36, Value: midi(fixed(100)), Hold: true,
	}},
	{`type = "SendMidi", port = "p", message = "noteoff", note = 1`, &effect.SendMidi{Port: "p", Message: effect.SendNoteOff, Number: 1, Value: midi(fixed(64))}},
	{`type = "SendMidi", port = "p", message = "NOTE_OFF", velocity = { invert = true }`, &effect.SendMidi{
		Port: "p", Message: effect.SendNoteOff, Number: 60, Value: effect.Value{Fixed: 64, Max: 127, Invert: true},
	}},
	{`type = "SendMidi", port = "p", message = "CC", controller = 7`, &effect.SendMidi{Port: "p", Message: effect.SendCC, Number: 7, Value: midi(effect.Value{})}},
	{`type = "SendMidi", port = "p", message = "control_change", cc = 7, value = 1.5`, &effect.SendMidi{
		Port: "p", Message: effect.SendCC, Number: 7, Value: midi(fixed(1.5)),
	}},
	{`type = "SendMidi", port = "p", message = "ProgramChange", program = 5`, &effect.SendMidi{
		Port: "p", Message: effect.SendProgramChange, Number: 5, Value: midi(effect.Value{}),
	}},
	{`program = 0, type = "SendMidi", port = "p", message = "pc"`, &effect.SendMidi{Port: "p", Message: effect.SendProgramChange, Value: midi(effect.Value{})}},
	{`type = "SendMidi", port = "p", message = "pitch_bend"`, &effect.SendMidi{Port: "p", Message: effect.SendPitchBend, Value: effect.Value{Min: -8192, Max: 8191}}},
	{`type = "SendMidi", port = "p", message = "pb", pitch = -8192`, &effect.SendMidi{
		Port: "p", Message: effect.SendPitchBend, Value: effect.Value{Given: true, Fixed: -8192, Min: -8192, Max: 8191},
	}},
	{`type = "SendMidi", port = "p", message = "PitchBend", pitch = { min = 0 }`, &effect.SendMidi{Port: "p", Message: effect.SendPitchBend, Value: effect.Value{Max: 8191}}},
	{`type = "SendMidi", port = "p", message = "Aftertouch", pressure = 3`, &effect.SendMidi{Port: "p", Message: effect.SendAftertouch, Value: midi(fixed(3))}},
	{`type = "SendMidi", port = "p", message = "at"`, &effect.SendMidi{Port: "p", Message: effect.SendAftertouch, Value: midi(effect.Value{})}},
	{`type = "SendMidi", port = "p", message = "poly_aftertouch", note = 3, pressure = 4`, &effect.SendMidi{
		Port: "p", Message: effect.SendPolyAftertouch, Number: 3, Value: midi(fixed(4)),
	}},
	{`type = "SendMidi", port = "p", message = "sysex", data = "F0 7E 7F F7"`, &effect.SendMidi{
		Port: "p", Message: effect.SendSysEx, Value: midi(effect.Value{}), Data: []byte{0xf0, 0x7e, 0x7f, 0xf7},
	}},
	{`type = "SendMidi", port = "p", message = "SysEx", data = [0xF0, 0xF7]`, &effect.SendMidi{
		Port: "p", Message: effect.SendSysEx, Value: midi(effect.Value{}), Data: []byte{0xf0, 0xf7},
	}},
	{`type = "SendMidi", port = "p", message = "Start"`, &effect.SendMidi{Port: "p", Message: effect.SendStart, Value: midi(effect.Value{})}},
	{`type = "SendMidi", port = "p", message = "continue"`, &effect.SendMidi{Port: "p", Message: effect.SendContinue, Value: midi(effect.Value{})}},
	{`type = "SendMidi", port = "p", message = "stop"`, &effect.SendMidi{Port: "p", Message: effect.SendStop, Value: midi(effect.Value{})}},

	{`type = "Panic"`, &effect.Panic{}},
	{`type = "Sequence", cancel = "mode", actions = [{ type = "Delay", ms = 1 }]`, &effect.Sequence{
		Cancel: effect.CancelMode, Actions: []effect.Action{&effect.Delay{For: time.Millisecond}},
	}},
	{`type = "Repeat", count = 3, action = { type = "Delay", duration_ms = 2 }`, &effect.Repeat{Count: 3, Action: &effect.Delay{For: 2 * time.Millisecond}}},
	{`type = "Repeat", delay_ms = 10, cancel = "release", action = { type = "Panic" }`, &effect.Repeat{
		Delay: 10 * time.Millisecond, Cancel: effect.CancelRelease, Action: &effect.Panic{},
	}},
	{`type = "Repeat", count = 0, delay_ms = 10, cancel = "mode", action = { type = "Panic" }`, &effect.Repeat{
		Delay: 10 * time.Millisecond, Cancel: effect.CancelMode, Action: &effect.Panic{},
	}},
	// A key that repeats as those of a keyboard do.
	{`type = "Sequence", actions = [{ type = "Panic" }, { type = "Repeat", delay_ms = 33, action = { type = "Panic" } }], cancel = "release"`, &effect.Sequence{
		Cancel: effect.CancelRelease, Actions: []effect.Action{&effect.Panic{}, &effect.Repeat{Delay: 33 * time.Millisecond, Action: &effect.Panic{}}},
	}},
	{`type = "Toggle", on = { type = "Panic" }`, &effect.Toggle{State: "global_mappings[0]", On: &effect.Panic{}}},
	{`type = "Toggle", state = "s", on = { type = "Panic" }, off = { type = "Toggle", off = { type = "Toggle", off = { type = "Panic" } } }`, &effect.Toggle{
		State: "s", On: &effect.Panic{}, Off: &effect.Toggle{
			State: "global_mappings[0]", Off: &effect.Toggle{State: "global_mappings[0]#2", Off: &effect.Panic{}},
		},
	}},
	{`type = "Conditional", condition = "Never", then = { type = "Panic" }`, &effect.Conditional{If: effect.Condition{Kind: effect.Never}, Then: &effect.Panic{}}},
	{`type = "Conditional", condition = { type = "Locked" }, then_action = { type = "Panic" }, else_action = { type = "Panic" }`, &effect.Conditional{
		If: effect.Condition{Kind: effect.ScreenLocked}, Then: &effect.Panic{}, Else: &effect.Panic{},
	}},
	{`type = "Conditional", condition = "Always", then = { type = "Panic" }, else = { type = "Panic" }`, &effect.Conditional{Then: &effect.Panic{}, Else: &effect.Panic{}}},
	{`type = "ModeChange", mode = "B", hold = true`, &effect.ModeChange{Mode: "B", Index: 1, Hold: true}},
	{`type = "ModeChange", mode = 0`, &effect.ModeChange{Mode: "A"}},
	{`type = "ModeChange", step = -1`, &effect.ModeChange{Step: -1}},
}

func TestEveryAction(t *testing.T) {
	seen := map[string]bool{"Keystroke": true, "Delay": true} // they have tests of their own
	for _, c := range actions {
		seen[c.want.Type()] = true
		p := load(t, actionFile(c.text))
		if got := p.Mappings[0].Action; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s\ngot  %+v\nwant %+v", c.text, got, c.want)
		}
	}
	for _, c := range []string{
		"Keystroke", "Text", "Launch", "Open", "Shell", "Sequence", "Delay", "MouseClick", "MouseMove", "Scroll", "VolumeControl",
		"ModeChange", "Toggle", "Repeat", "Conditional", "SendMidi", "Media", "Notify", "DBusCall", "Emit", "Panic",
	} {
		if !seen[c] {
			t.Errorf("no test of %s", c)
		}
	}
}

func actionFile(text string) string {
	return `
modes = [{ name = "A" }, { name = "B", apps = ["b"] }]
devices = [{ name = "LPD8", match = "name:LPD8" }]
global_mappings = [{ trigger = { type = "CC", cc = 1 }, action = { ` + text + ` } }]
`
}

// conditions are every kind of condition, in both spellings.
var conditions = []struct {
	text string
	want effect.Condition
}{
	{`"Always"`, effect.Condition{}},
	{`"Never"`, effect.Condition{Kind: effect.Never}},
	{`"Locked"`, effect.Condition{Kind: effect.ScreenLocked}},
	{`{ type = "Never" }`, effect.Condition{Kind: effect.Never}},
	{`{ Locked = {} }`, effect.Condition{Kind: effect.ScreenLocked}},
	{`{ type = "TimeRange", start = "09:00", end = "17:30" }`, effect.Condition{Kind: effect.TimeRange, From: 540, To: 1050}},
	{`{ TimeRange = { start = "23:59", end = "0:00" } }`, effect.Condition{Kind: effect.TimeRange, From: 1439}},
	{`{ DayOfWeek = { days = [1, 7, "tue", "FRIDAY", "Thurs"] } }`, effect.Condition{Kind: effect.DayOfWeek, Days: 0b1011011}},
	{`{ type = "DayOfWeek", days = [3] }`, effect.Condition{Kind: effect.DayOfWeek, Days: 4}},
	{`{ ModeIs = { mode = "B" } }`, effect.Condition{Kind: effect.ModeIs, Name: "B"}},
	{`{ type = "ModeIs", mode = 0 }`, effect.Condition{Kind: effect.ModeIs, Name: "A"}},
	{`{ AppRunning = { app_name = "OBS*" } }`, effect.Condition{Kind: effect.AppRunning, Name: "obs*"}},
	{`{ type = "AppRunning", app = "obs" }`, effect.Condition{Kind: effect.AppRunning, Name: "obs"}},
	{`{ AppFrontmost = { app_name = "Firefox" } }`, effect.Condition{Kind: effect.AppFocused, Name: "firefox"}},
	{`{ type = "AppFocused", app = "*gimp*", unknown = true }`, effect.Condition{Kind: effect.AppFocused, Name: "*gimp*", Unknown: true}},
	{`{ type = "DevicePresent", device = "LPD8" }`, effect.Condition{Kind: effect.DevicePresent, Name: "LPD8"}},
	{`{ And = { conditions = ["Always", { type = "Locked" }] } }`, effect.Condition{Kind: effect.And, Of: []effect.Condition{{}, {Kind: effect.ScreenLocked}}}},
	{`{ type = "Or", conditions = ["Never"] }`, effect.Condition{Kind: effect.Or, Of: []effect.Condition{{Kind: effect.Never}}}},
	{`{ Not = { condition = "Never" } }`, effect.Condition{Kind: effect.Not, Of: []effect.Condition{{Kind: effect.Never}}}},
	{`{ type = "Not", condition = { Not.condition = "Always" } }`, effect.Condition{
		Kind: effect.Not, Of: []effect.Condition{{Kind: effect.Not, Of: []effect.Condition{{}}}},
	}},
}

func TestConditions(t *testing.T) {
	kinds := map[effect.ConditionKind]bool{}
	for _, c := range conditions {
		kinds[c.want.Kind] = true
		p := load(t, conditionFile(c.text))
		got := p.Mappings[0].Action.(*effect.Conditional).If
		if when := p.Mappings[0].When; when == nil || !reflect.DeepEqual(*when, c.want) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s\ngot  %+v and %+v\nwant %+v", c.text, when, got, c.want)
		}
	}
	for k := effect.Always; k <= effect.Not; k++ {
		if !kinds[k] {
			t.Errorf("no test of kind %d", k)
		}
	}
}

func conditionFile(text string) string {
	return `
modes = [{ name = "A" }, { name = "B", apps = ["b"] }]
devices = [{ name = "LPD8", match = "name:LPD8" }]
[[global_mappings]]
when = ` + text + `
trigger = { type = "Note", note = 1 }
action = { type = "Conditional", condition = ` + text + `, then = { type = "Panic" } }
`
}

func TestModesBeginAndEnd(t *testing.T) {
	p := load(t, `
[[modes]]
name = "One"
apps = ["Firefox", "org.gimp.*"]
enter = { type = "Media", operation = "Play" }
[[modes]]
name = "Two"
apps = []
exit = { type = "Toggle", on = { type = "Shell", command = "true" } }
[[global_mappings]]
condition = "Never"
max_rate = 0.5
trigger = { type = "Note", note = 1 }
action = { type = "ModeChange", mode = 1 }
`)
	want := []engine.Mode{
		{Name: "One", Apps: []string{"firefox", "org.gimp.*"}, Enter: &engine.Mapping{
			Origin: effect.Origin{ID: "modes[0].enter"}, Enabled: true, WhenLocked: true, Action: &effect.Media{Operation: "Play"},
		}},
		{Name: "Two", Exit: &engine.Mapping{
			Origin: effect.Origin{ID: "modes[1].exit"}, Mode: 1, Enabled: true,
			Action: &effect.Toggle{State: "modes[1].exit", On: &effect.Shell{Command: "true"}},
		}},
	}
	if !reflect.DeepEqual(p.Modes, want) {
		t.Errorf("got  %+v\nwant %+v", p.Modes, want)
	}
	if m := p.Mappings[0]; m.MaxRate != 0.5 || m.When == nil || m.When.Kind != effect.Never {
		t.Errorf("%+v", m)
	}
}

// TestWhatActsWhileLocked: unless the mapping says it.
func TestWhatActsWhileLocked(t *testing.T) {
	want := []string{"VolumeControl", "Media", "SendMidi", "ModeChange"}
	for _, c := range actions {
		p := load(t, actionFile(c.text))
		if m := p.Mappings[0]; m.WhenLocked != slices.Contains(want, c.want.Type()) {
			t.Errorf("%s: %v", c.text, m.WhenLocked)
		}
	}
}

// TestGamepads: what cannot act yet is named.
func TestGamepads(t *testing.T) {
	for _, name := range []string{"GamepadButton", "GamepadButtonChord", "GamepadAnalogStick", "GamepadTrigger"} {
		_, diagnostics := config.Load("f", []byte("[[global_mappings]]\ntrigger.type = \""+name+"\"\naction.type = \"Panic\"\n"))
		want := `f:2:16: warning: global_mappings[0].trigger.type: "` + name + `" is not supported yet; the mapping is left out`
		if len(diagnostics) != 1 || config.Format(diagnostics[0], false) != want {
			t.Errorf("got %v, want %s", diagnostics, want)
		}
	}
}

package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/amiable-dev/midimon/engine"
)

// triggerKind is one type of trigger: what it is before its keys are read, and its keys.
type triggerKind struct {
	engine.Trigger
	fields []field[engine.Trigger]
}

var triggerKinds = map[string]*triggerKind{
	"Note": {
		engine.Trigger{Type: engine.Note, Min: 1, Max: 127},
		triggerFields(noteField, velocityMin, velocityMax),
	},
	"LongPress": {
		engine.Trigger{Type: engine.LongPress, Min: 1, Max: 127},
		triggerFields(noteField, velocityMin, velocityMax,
			whole("duration_ms", 1, 60_000, func(t *engine.Trigger, n int64) { t.Duration = ms(n) }).or("min_duration_ms")),
	},
	"CC": {
		engine.Trigger{Type: engine.CC, Max: 127, Margin: engine.Margin7},
		triggerFields(ccField,
			whole("value_min", 0, 127, func(t *engine.Trigger, n int64) { t.Min, t.Ranged = uint16(n), true }),
			whole("value_max", 0, 127, func(t *engine.Trigger, n int64) { t.Max, t.Ranged = uint16(n), true }),
			whole("hysteresis", 0, 127, func(t *engine.Trigger, n int64) { t.Margin = uint16(n) })),
	},
	"EncoderTurn": {
		engine.Trigger{Type: engine.EncoderTurn, Max: 127},
		triggerFields(ccField,
			choice("direction", []string{"Clockwise", "CounterClockwise"}, func(t *engine.Trigger, i int) { t.Direction = engine.Clockwise + engine.Direction(i) }),
			choice("encoding", []string{"absolute", "twos-complement", "binary-offset", "signed-bit"}, func(t *engine.Trigger, i int) { t.Encoding = engine.Encoding(i) }),
			essential[engine.Trigger]("steps")),
	},
}

// laterTriggers are the types whose mappings are left out.
var laterTriggers = strings.Fields(`NoteRelease VelocityRange DoubleTap MultiTap NoteChord CC14 NRPN RPN
	Aftertouch PitchBend ProgramChange Transport SysEx GamepadButton GamepadButtonChord GamepadAnalogStick GamepadTrigger`)

var triggerNames = []string{"Note", "LongPress", "CC", "EncoderTurn"}

var (
	noteField = field[engine.Trigger]{name: "note", must: true, read: func(r *reader, id int32, t *engine.Trigger) {
		if n, ok := r.note(id); ok {
			t.Number = int16(n)
		}
	}}
	ccField = whole("cc", 0, 127, func(t *engine.Trigger, n int64) { t.Number = int16(n) }).required()
	// A press has no velocity 0 (MIDI 1.0: that is a release), so 0 means from the softest.
	velocityMin = whole("velocity_min", 0, 127, func(t *engine.Trigger, n int64) { t.Min = uint16(max(1, n)) }).or("min_velocity")
	velocityMax = whole("velocity_max", 0, 127, func(t *engine.Trigger, n int64) { t.Max = uint16(n) }).or("max_velocity")
)

// triggerFields puts the fields of one type after those of all. Most files use the former
// more, and the order in which fields are searched is that of the list.
func triggerFields(own ...field[engine.Trigger]) []field[engine.Trigger] {
	return append(append([]field[engine.Trigger]{quiet[engine.Trigger]("type")}, own...),
		whole("channel", 0, 15, func(t *engine.Trigger, n int64) { t.Channel = int8(n) }),
		field[engine.Trigger]{name: "device", read: func(r *reader, id int32, t *engine.Trigger) { r.triggerDevice(id, t) }})
}

func (r *reader) trigger(id int32, t *engine.Trigger) {
	name, ok := r.typeOf(id, triggerNames, laterTriggers)
	if !ok {
		return
	}
	kind := triggerKinds[name]
	*t = kind.Trigger
	t.Device, t.Channel = engine.Any, engine.Any
	readTable(r, id, kind.fields, t)
	if t.Min > t.Max {
		r.report(fault{code: EmptyRange, off: r.nodes[id].off, node: id}, "nothing is from %d to %d", t.Min, t.Max)
	}
}

// typeOf reads the type of a trigger or action. It returns false if that is not one of those
// known. For one of those that come later the mapping is left out.
func (r *reader) typeOf(id int32, known, later []string) (string, bool) {
	c := r.find(id, "type")
	if c == 0 {
		r.missing(id, "type")
		return "", false
	}
	name, ok := r.text(c)
	if !ok {
		return "", false
	}
	switch {
	case slices.Contains(known, name):
		return name, true
	case slices.Contains(later, name):
		r.leaveOut(c, r.nodes[c].off, strconv.Quote(name))
	default:
		r.report(fault{code: UnknownValue, off: r.nodes[c].off, node: c, word: name, among: slices.Concat(known, later), hint: "it is one of " + strings.Join(known, ", ")}, "%q is unknown", name)
	}
	return "", false
}

func (r *reader) triggerDevice(id int32, t *engine.Trigger) {
	name, ok := r.label(id)
	if !ok {
		return
	}
	i, ok := r.devices.index[name]
	if !ok {
		r.report(fault{
			code: UnknownDevice, off: r.nodes[id].off, node: id,
			word: name, among: r.devices.list, all: "the devices are",
		}, "no device %q", name)
		return
	}
	t.Device = int16(i)
}

// note is a note's number, or its name with C4 = 60.
func (r *reader) note(id int32) (int64, bool) {
	if r.nodes[id].kind != textNode {
		return r.whole(id, 0, 127)
	}
	s := r.nodes[id].str
	n, ok := noteNumber(s)
	if !ok {
		r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id, hint: `write a number, or a name as "C4" (60) or "F#2" (42)`}, "%q is no note", s)
		return 0, false
	}
	if n < 0 || n > 127 {
		r.report(fault{code: OutOfRange, off: r.nodes[id].off, node: id}, "%s is note %d, out of range 0-127 (C-1 to G9)", s, n)
		return 0, false
	}
	return int64(n), true
}

// noteNumber reads a letter, sharps or flats, and an octave.
func noteNumber(s string) (int, bool) {
	if s == "" {
		return 0, false
	}
	letter, rest := s[0]|0x20, s[1:]
	n := strings.IndexByte("c.d.ef.g.a.b", letter) // semitones above C
	if n < 0 || letter == '.' {
		return 0, false
	}
	for _, sign := range []struct {
		text string
		by   int
	}{{"#", 1}, {"♯", 1}, {"b", -1}, {"♭", -1}} {
		if after, ok := strings.CutPrefix(rest, sign.text); ok {
			n, rest = n+sign.by, after
			break
		}
	}
	octave, err := strconv.Atoi(rest)
	if err != nil || octave < -9 || octave > 99 || rest[0] == '+' {
		return 0, false
	}
	return n + 12*(octave+1), true
}

package config

import (
	"encoding/hex"
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
		triggerFields(noteField, velocityMin, velocityMax, buttonField),
	},
	"NoteRelease": {
		engine.Trigger{Type: engine.NoteRelease, Number: unset, Min: 1, Max: 127},
		triggerFields(padNote, padCC, velocityMin, velocityMax),
	},
	"VelocityRange": {
		engine.Trigger{Type: engine.VelocityRange, Min: 1, Max: 127, Soft: 40, Medium: 80},
		triggerFields(noteField, velocityMin, velocityMax, buttonField,
			whole("soft_max", 0, 127, func(t *engine.Trigger, n int64) { t.Soft = uint8(n) }),
			whole("medium_max", 0, 127, func(t *engine.Trigger, n int64) { t.Medium = uint8(n) })),
	},
	"LongPress": {
		engine.Trigger{Type: engine.LongPress, Number: unset, Min: 1, Max: 127},
		triggerFields(padNote, padCC, velocityMin, velocityMax,
			whole("duration_ms", 1, 60_000, func(t *engine.Trigger, n int64) { t.Duration = ms(n) }).or("min_duration_ms")),
	},
	"DoubleTap": {
		engine.Trigger{Type: engine.DoubleTap, Number: unset, Min: 1, Max: 127, Taps: 2},
		triggerFields(padNote, padCC, velocityMin, velocityMax, tapTimeout),
	},
	"MultiTap": {
		engine.Trigger{Type: engine.MultiTap, Number: unset, Min: 1, Max: 127},
		triggerFields(padNote, padCC, velocityMin, velocityMax, tapTimeout,
			whole("taps", 2, engine.MaxTaps, func(t *engine.Trigger, n int64) { t.Taps = uint8(n) }).required()),
	},
	"NoteChord": {
		engine.Trigger{Type: engine.NoteChord, Min: 1, Max: 127},
		triggerFields(notesField, velocityMin, velocityMax, tapTimeout),
	},
	"CC": {
		engine.Trigger{Type: engine.CC, Max: 127, Margin: engine.Margin7},
		valueFields(ccField, 127),
	},
	"CC14": {
		engine.Trigger{Type: engine.CC14, Max: fine, Margin: engine.Margin14},
		valueFields(whole("cc", 0, 31, func(t *engine.Trigger, n int64) { t.Number = int16(n) }).required(), fine),
	},
	"NRPN": {
		engine.Trigger{Type: engine.NRPN, Max: fine, Margin: engine.Margin14},
		valueFields(parameterField, fine),
	},
	"RPN": {
		engine.Trigger{Type: engine.RPN, Max: fine, Margin: engine.Margin14},
		valueFields(parameterField, fine),
	},
	"Aftertouch": {
		engine.Trigger{Type: engine.Aftertouch, Number: engine.Any, Max: 127, Margin: engine.Margin7},
		triggerFields(optional(noteField), hysteresisField(127), buttonField,
			whole("pressure_min", 0, 127, func(t *engine.Trigger, n int64) { t.Min, t.Ranged = uint16(n), true }).or("value_min"),
			whole("pressure_max", 0, 127, func(t *engine.Trigger, n int64) { t.Max, t.Ranged = uint16(n), true }).or("value_max")),
	},
	"PitchBend": {
		engine.Trigger{Type: engine.Bend, Max: fine, Margin: engine.Margin14},
		valueFields(quiet[engine.Trigger]("type"), fine)[1:],
	},
	"ProgramChange": {
		engine.Trigger{Type: engine.ProgramChanged, Number: engine.Any, Max: 127},
		triggerFields(whole("program", 0, 127, func(t *engine.Trigger, n int64) { t.Number = int16(n) })),
	},
	"Transport": {
		engine.Trigger{Type: engine.Transport},
		triggerFields(choice("message", []string{"start", "continue", "stop"}, func(t *engine.Trigger, i int) { t.Message = engine.Start + engine.Kind(i) }).required()),
	},
	"SysEx": {
		engine.Trigger{Type: engine.SysExclusive},
		triggerFields(field[engine.Trigger]{name: "data", read: func(r *reader, id int32, t *engine.Trigger) { t.Data = r.bytes(id) }}.or("prefix").required()),
	},
	"EncoderTurn": {
		engine.Trigger{Type: engine.EncoderTurn, Max: 127},
		triggerFields(ccField,
			choice("direction", []string{"Clockwise", "CounterClockwise"}, func(t *engine.Trigger, i int) { t.Direction = engine.Clockwise + engine.Direction(i) }),
			choice("encoding", []string{"absolute", "twos-complement", "binary-offset", "signed-bit"}, func(t *engine.Trigger, i int) { t.Encoding = engine.Encoding(i) }),
			choice("steps", []string{"message", "delta"}, func(t *engine.Trigger, i int) { t.Delta = i == 1 }),
			whole("detents", 1, 127, func(t *engine.Trigger, n int64) { t.Detents = uint8(n) }),
			whole("acceleration", 1, 16, func(t *engine.Trigger, n int64) { t.Speed = uint8(n) }),
			field[engine.Trigger]{name: "bits", read: func(r *reader, id int32, t *engine.Trigger) { r.bits(id, t) }}),
	},
}

// fine is the highest value of 14 bits.
const fine = 1<<14 - 1

// unset is the number of a trigger before its note or controller is read.
const unset = -2

// laterTriggers are the types whose mappings are left out.
var laterTriggers = strings.Fields(`GamepadButton GamepadButtonChord GamepadAnalogStick GamepadTrigger`)

var triggerNames = engine.TriggerTypes

var (
	noteField = field[engine.Trigger]{name: "note", must: true, read: func(r *reader, id int32, t *engine.Trigger) {
		if n, ok := r.note(id); ok {
			t.Number = int16(n)
		}
	}}
	padNote = field[engine.Trigger]{name: "note", read: func(r *reader, id int32, t *engine.Trigger) {
		noteField.read(r, id, t)
		if t.OnCC {
			r.report(fault{code: Conflict, off: r.nodes[id].off, node: id}, "note and cc exclude each other")
		}
	}}
	padCC = field[engine.Trigger]{name: "cc", read: func(r *reader, id int32, t *engine.Trigger) {
		if t.Number != unset {
			r.report(fault{code: Conflict, off: r.nodes[id].off, node: id}, "note and cc exclude each other")
		}
		ccField.read(r, id, t)
		t.OnCC = true
	}}
	notesField     = field[engine.Trigger]{name: "notes", must: true, read: func(r *reader, id int32, t *engine.Trigger) { r.chord(id, t) }}
	buttonField    = choice("button", engine.Buttons, func(t *engine.Trigger, i int) { t.Button = engine.Button(i) })
	tapTimeout     = whole("timeout_ms", 1, 10_000, func(t *engine.Trigger, n int64) { t.Duration = ms(n) }).or("max_interval_ms")
	parameterField = whole("number", 0, fine, func(t *engine.Trigger, n int64) { t.Number = int16(n) }).required()
	ccField        = whole("cc", 0, 127, func(t *engine.Trigger, n int64) { t.Number = int16(n) }).required()
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

// valueFields are the fields of what has values up to most.
func valueFields(number field[engine.Trigger], most int64) []field[engine.Trigger] {
	return triggerFields(number, hysteresisField(most), buttonField,
		whole("value_min", 0, most, func(t *engine.Trigger, n int64) { t.Min, t.Ranged = uint16(n), true }),
		whole("value_max", 0, most, func(t *engine.Trigger, n int64) { t.Max, t.Ranged = uint16(n), true }))
}

func hysteresisField(most int64) field[engine.Trigger] {
	return whole("hysteresis", 0, most, func(t *engine.Trigger, n int64) { t.Margin = uint16(n) })
}

func optional[T any](f field[T]) field[T] { f.must = false; return f }

// chord reads two to eight notes, no two the same.
func (r *reader) chord(id int32, t *engine.Trigger) {
	if !r.is(id, arrayNode) {
		return
	}
	for c := r.nodes[id].first; c != 0; c = r.nodes[c].next {
		n, ok := r.note(c)
		if !ok {
			return
		}
		if slices.Contains(t.Notes, uint8(n)) {
			r.report(fault{code: DuplicateName, off: r.nodes[c].off, node: id}, "note %d stands there already", n)
			return
		}
		t.Notes = append(t.Notes, uint8(n))
	}
	if n := len(t.Notes); n < 2 || n > 8 {
		r.report(fault{code: OutOfRange, off: r.nodes[id].off, node: id}, "%d notes are out of range 2-8", n)
	}
	slices.Sort(t.Notes)
}

// bits says whether an encoder has 7 bits or 14.
func (r *reader) bits(id int32, t *engine.Trigger) {
	n, ok := r.whole(id, 7, 14)
	if ok && n != 7 && n != 14 {
		r.report(fault{code: OutOfRange, off: r.nodes[id].off, node: id}, "%d is neither 7 nor 14", n)
	}
	if t.Fine = ok && n == 14; t.Fine {
		t.Max = fine
	}
}

// bytes reads what a system exclusive message begins with: "F0 7E" or [0xF0, 0x7E].
func (r *reader) bytes(id int32) []byte {
	var out []byte
	if r.nodes[id].kind == arrayNode {
		for c := r.nodes[id].first; c != 0; c = r.nodes[c].next {
			n, ok := r.whole(c, 0, 255)
			if !ok {
				return nil
			}
			out = append(out, byte(n))
		}
	} else {
		s, ok := r.word(id)
		if !ok {
			return nil
		}
		var err error
		if out, err = hex.DecodeString(strings.ReplaceAll(s, " ", "")); err != nil {
			r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id, hint: `write it like "F0 7E 7F"`}, "%q are no bytes", s)
			return nil
		}
	}
	if len(out) == 0 || out[0] != 0xf0 {
		r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id}, "a system exclusive message begins with F0")
	}
	return out
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
	if t.Number == unset {
		r.missing(id, "note")
	}
	if t.Fine && t.Number > 31 {
		r.report(fault{code: OutOfRange, off: r.nodes[id].off, node: id}, "controller %d has no lower half: with 14 bits it is one of 0-31", t.Number)
	}
	if t.Soft > t.Medium {
		r.report(fault{code: EmptyRange, off: r.nodes[id].off, node: id}, "soft_max %d is above medium_max %d", t.Soft, t.Medium)
	}
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

package config

import (
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine"
)

// triggerKind is one type of trigger: what it is before its keys are read, and its keys.
type triggerKind struct {
	engine.Trigger
	fields []field[engine.Trigger]
}

// triggerKinds are the types of trigger by name.
var triggerKinds = map[string]*triggerKind{}

// laterTriggers are the types whose mappings are left out.
var laterTriggers = strings.Fields("GamepadButton GamepadButtonChord GamepadAnalogStick GamepadTrigger")

func init() {
	velocity := engine.Trigger{Min: 1, Max: 127}
	with := func(t engine.Trigger, change func(*engine.Trigger)) engine.Trigger { change(&t); return t }
	add := func(typ engine.TriggerType, t engine.Trigger, own ...field[engine.Trigger]) {
		t.Type, t.Device, t.Channel = typ, engine.Any, engine.Any
		triggerKinds[typ.String()] = &triggerKind{t, triggerFields(own...)}
	}
	// Of the values Min and Max follow from the type.
	value := func(typ engine.TriggerType, t engine.Trigger, own ...field[engine.Trigger]) {
		t.Max, t.Margin = typ.MaxValue(), engine.Margin7
		if t.Max > 127 {
			t.Margin = engine.Margin14
		}
		add(typ, t, append(own, hysteresis(typ), button)...)
	}

	add(engine.Note, velocity, noteField.required(), velocityMin, velocityMax, button)
	add(engine.NoteRelease, velocity, noteField, onCC, velocityMin, velocityMax)
	add(engine.VelocityRange, with(velocity, func(t *engine.Trigger) { t.Soft, t.Medium = 40, 80 }),
		noteField.required(), velocityMin, velocityMax, button,
		whole("soft_max", 0, 127, func(t *engine.Trigger, n int64) { t.Soft = uint8(n) }),
		whole("medium_max", 0, 127, func(t *engine.Trigger, n int64) { t.Medium = uint8(n) }))
	add(engine.LongPress, velocity, noteField, onCC, velocityMin, velocityMax,
		whole("duration_ms", 1, maxHold, func(t *engine.Trigger, n int64) { t.Duration = ms(n) }).or("min_duration_ms"))
	taps := with(velocity, func(t *engine.Trigger) { t.Taps = 2 })
	add(engine.DoubleTap, taps, noteField, onCC, velocityMin, velocityMax, window)
	add(engine.MultiTap, taps, noteField, onCC, velocityMin, velocityMax, window,
		whole("taps", 2, engine.MaxTaps, func(t *engine.Trigger, n int64) { t.Taps = uint8(n) }).required())
	add(engine.NoteChord, velocity, notesField, velocityMin, velocityMax, window)
	add(engine.EncoderTurn, engine.Trigger{Max: 127}, ccField,
		choice("direction", []string{"Clockwise", "CounterClockwise"}, func(t *engine.Trigger, i int) { t.Direction = engine.Clockwise + engine.Direction(i) }),
		choice("encoding", []string{"absolute", "twos-complement", "binary-offset", "signed-bit"}, func(t *engine.Trigger, i int) { t.Encoding = engine.Encoding(i) }),
		choice("steps", []string{"message", "delta"}, func(t *engine.Trigger, i int) { t.Delta = i == 1 }),
		field[engine.Trigger]{name: "bits", read: (*reader).bits},
		whole("detents", 1, 127, func(t *engine.Trigger, n int64) { t.Detents = uint8(n) }),
		whole("acceleration", 1, 16, func(t *engine.Trigger, n int64) { t.Speed = uint8(n) }))
	value(engine.CC, engine.Trigger{}, ccField, low("value_min", 127), high("value_max", 127))
	value(engine.CC14, engine.Trigger{}, number("cc", 31).required(), low("value_min", 16383), high("value_max", 16383))
	value(engine.NRPN, engine.Trigger{}, number("number", 16383).required(), low("value_min", 16383), high("value_max", 16383))
	value(engine.RPN, engine.Trigger{}, number("number", 16383).required(), low("value_min", 16383), high("value_max", 16383))
	value(engine.Aftertouch, engine.Trigger{Number: engine.Any}, noteField,
		low("pressure_min", 127).or("value_min"), high("pressure_max", 127).or("value_max"))
	value(engine.Bend, engine.Trigger{}, low("value_min", 16383), high("value_max", 16383))
	add(engine.ProgramChanged, engine.Trigger{Number: engine.Any, Max: 127}, number("program", 127))
	messages := []engine.Kind{engine.Start, engine.Stop, engine.Continue}
	add(engine.Transport, engine.Trigger{}, choice("message", []string{"start", "stop", "continue"},
		func(t *engine.Trigger, i int) { t.Message = messages[i] }).required())
	add(engine.SysExclusive, engine.Trigger{}, field[engine.Trigger]{name: "data", also: "prefix", must: true, read: func(r *reader, id int32, t *engine.Trigger) {
		t.Data = r.sysex(id)
	}})
}

// maxHold and maxWindow bound how long a gesture may take, in milliseconds.
const (
	maxHold   = 60_000
	maxWindow = 10_000
)

var (
	noteField = field[engine.Trigger]{name: "note", read: func(r *reader, id int32, t *engine.Trigger) {
		if n, ok := r.note(id); ok {
			t.Number = int16(n)
		}
	}}
	ccField = number("cc", 127).required()
	// A controller as a button: with 64 or so, a pedal.
	onCC = whole("cc", 0, 127, func(t *engine.Trigger, n int64) { t.Number, t.OnCC = int16(n), true })
	// A press has no velocity 0 (MIDI 1.0: that is a release), so 0 means from the softest.
	velocityMin = whole("velocity_min", 0, 127, func(t *engine.Trigger, n int64) { t.Min = uint16(max(1, n)) }).or("min_velocity")
	velocityMax = whole("velocity_max", 0, 127, func(t *engine.Trigger, n int64) { t.Max = uint16(n) }).or("max_velocity")
	window      = whole("timeout_ms", 1, maxWindow, func(t *engine.Trigger, n int64) { t.Duration = ms(n) }).or("max_interval_ms")
	button      = choice("button", engine.Buttons, func(t *engine.Trigger, i int) { t.Button = engine.Button(i) })
	notesField  = field[engine.Trigger]{name: "notes", must: true, read: (*reader).notes}
)

func number(name string, most int64) field[engine.Trigger] {
	return whole(name, 0, most, func(t *engine.Trigger, n int64) { t.Number = int16(n) })
}

func low(name string, most int64) field[engine.Trigger] {
	return whole(name, 0, most, func(t *engine.Trigger, n int64) { t.Min, t.Ranged = uint16(n), true })
}

func high(name string, most int64) field[engine.Trigger] {
	return whole(name, 0, most, func(t *engine.Trigger, n int64) { t.Max, t.Ranged = uint16(n), true })
}

func hysteresis(typ engine.TriggerType) field[engine.Trigger] {
	return whole("hysteresis", 0, int64(typ.MaxValue()), func(t *engine.Trigger, n int64) { t.Margin = uint16(n) })
}

// triggerFields puts the fields of one type after those of all. Most files use the former
// more, and the order in which fields are searched is from the end of the list.
func triggerFields(own ...field[engine.Trigger]) []field[engine.Trigger] {
	fields := []field[engine.Trigger]{
		whole("channel", 0, 15, func(t *engine.Trigger, n int64) { t.Channel = int8(n) }),
		{name: "device", read: func(r *reader, id int32, t *engine.Trigger) { r.triggerDevice(id, t) }},
	}
	slices.Reverse(own)
	return append(append(fields, own...), quiet[engine.Trigger]("type"))
}

func (r *reader) trigger(id int32, t *engine.Trigger) {
	at, name, ok := r.typeOf(id)
	if !ok {
		return
	}
	kind := triggerKinds[name]
	if kind == nil {
		r.unknownType(at, engine.TriggerTypes, laterTriggers)
		return
	}
	*t = kind.Trigger
	readTable(r, id, kind.fields, t)
	if t.Min > t.Max {
		r.report(fault{code: EmptyRange, off: r.nodes[id].off, node: id}, "nothing is from %d to %d", t.Min, t.Max)
	}
	switch t.Type {
	case engine.NoteRelease, engine.LongPress, engine.DoubleTap, engine.MultiTap:
		r.oneOf(id, "note", "cc")
	case engine.VelocityRange:
		if t.Soft > t.Medium {
			r.report(fault{code: EmptyRange, off: r.nodes[id].off, node: id}, "soft_max %d is above medium_max %d", t.Soft, t.Medium)
		}
	case engine.EncoderTurn:
		if t.Fine && t.Number > 31 {
			r.report(fault{code: OutOfRange, off: r.nodes[id].off, node: id}, "controllers of 14 bits are 0-31, not %d", t.Number)
		}
	case engine.CC, engine.CC14, engine.NRPN, engine.RPN, engine.Aftertouch, engine.Bend:
		r.valueTrigger(id, t)
	default:
	}
}

// valueTrigger warns of what a value's trigger has for nothing.
func (r *reader) valueTrigger(id int32, t *engine.Trigger) {
	if c := r.find(id, "hysteresis"); c != 0 && !t.Ranged {
		r.noEffect(c, "without a range nothing is left")
	}
	if c := r.find(id, "button"); c != 0 && t.Ranged {
		r.noEffect(c, "what has a range is no button")
	}
}

// oneOf says so if a table has not exactly one of two keys.
func (r *reader) oneOf(id int32, one, other string) {
	a, b := r.find(id, one), r.find(id, other)
	switch {
	case a == 0 && b == 0:
		r.missing(id, one)
	case a != 0 && b != 0:
		r.report(fault{code: Conflict, off: r.nodes[b].keyAt, node: b}, "there is %s too", one)
	}
}

// typeOf reads the type of a table: the node of its name, and the name.
func (r *reader) typeOf(id int32) (int32, string, bool) {
	c := r.find(id, "type")
	if c == 0 {
		r.missing(id, "type")
		return 0, "", false
	}
	name, ok := r.text(c)
	return c, name, ok
}

// unknownType says that a type is none of those known. For one of those that come later the
// mapping is left out.
func (r *reader) unknownType(id int32, known, later []string) {
	name := r.nodes[id].str
	if slices.Contains(later, name) {
		r.leaveOut(id)
		return
	}
	r.report(fault{
		code: UnknownValue, off: r.nodes[id].off, node: id, word: name, among: slices.Concat(known, later),
		hint: "it is one of " + strings.Join(known, ", "),
	}, "%q is unknown", name)
}

func (r *reader) triggerDevice(id int32, t *engine.Trigger) {
	if i, ok := r.deviceRef(id); ok {
		t.Device = int16(i)
	}
}

// deviceRef reads the name of a configured device.
func (r *reader) deviceRef(id int32) (int, bool) {
	name, ok := r.label(id)
	if !ok {
		return 0, false
	}
	i, ok := r.devices.index[name]
	if !ok {
		r.report(fault{
			code: UnknownDevice, off: r.nodes[id].off, node: id,
			word: name, among: r.devices.list, all: "the devices are",
		}, "no device %q", name)
	}
	return i, ok
}

// bits reads how fine an encoder is.
func (r *reader) bits(id int32, t *engine.Trigger) {
	n, ok := r.whole(id, 7, 14)
	if ok && n != 7 && n != 14 {
		r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id}, "%d is neither 7 nor 14", n)
	}
	if n == 14 {
		t.Fine, t.Max = true, 1<<14-1
	}
}

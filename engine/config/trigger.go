package config

import (
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine"
)

// triggerKind is one type of trigger: what it is before its keys are read, and its keys.
type triggerKind struct {
	engine.Trigger
	doc   string
	table *table[engine.Trigger]
	own   *table[engine.Trigger] // and the type
}

// triggerKinds are the types of trigger, in the order of engine.TriggerType.
var triggerKinds [engine.SysExclusive + 1]triggerKind

// laterTriggers are the types whose mappings are left out.
var laterTriggers = strings.Fields("GamepadButton GamepadButtonChord GamepadAnalogStick GamepadTrigger")

func init() {
	velocity := engine.Trigger{Min: 1, Max: 127}
	with := func(t engine.Trigger, change func(*engine.Trigger)) engine.Trigger { change(&t); return t }
	add := func(typ engine.TriggerType, doc string, t engine.Trigger, own ...field[engine.Trigger]) {
		t.Type, t.Device, t.Channel = typ, engine.Any, engine.Any
		table := tableOf(triggerFields(own...)...)
		triggerKinds[typ] = triggerKind{t, doc, table, typed(table)}
	}
	// Of the values Min and Max follow from the type.
	value := func(typ engine.TriggerType, doc string, t engine.Trigger, own ...field[engine.Trigger]) {
		t.Max, t.Margin = typ.MaxValue(), engine.Margin7
		if t.Max > 127 {
			t.Margin = engine.Margin14
		}
		add(typ, doc, t, append(own, hysteresis(typ), button)...)
	}

	add(engine.Note, "A pad or key is hit.", velocity, noteField.required(), velocityMin, velocityMax, button)
	add(engine.NoteRelease, "A pad or key, or a controller used as one, is let go of.", velocity, noteField, onCC, velocityMin, velocityMax)
	add(engine.VelocityRange, "A pad or key is hit, and how hard is passed on to the action.", with(velocity, func(t *engine.Trigger) { t.Soft, t.Medium = 40, 80 }),
		noteField.required(), velocityMin, velocityMax, button,
		whole("soft_max", 0, 127, func(t *engine.Trigger, n int64) { t.Soft = uint8(n) }).says("The hardest soft hit. 40."),
		whole("medium_max", 0, 127, func(t *engine.Trigger, n int64) { t.Medium = uint8(n) }).says("The hardest medium hit. 80."),
		ignored[engine.Trigger]("velocity_ranges", &shape{kind: "array"}, "write one mapping for each range, with velocity_min and velocity_max"))
	add(engine.LongPress, "A pad, key or controller is held.", velocity, noteField, onCC, velocityMin, velocityMax,
		whole("duration_ms", 1, maxHold, func(t *engine.Trigger, n int64) { t.Duration = ms(n) }).or("min_duration_ms").
			says("How long. hold_threshold_ms of [advanced_settings]."))
	taps := with(velocity, func(t *engine.Trigger) { t.Taps = 2 })
	add(engine.DoubleTap, "A pad, key or controller is hit twice.", taps, noteField, onCC, velocityMin, velocityMax, tapWindow)
	add(engine.MultiTap, "A pad, key or controller is hit several times.", taps, noteField, onCC, velocityMin, velocityMax, tapWindow,
		whole("taps", 2, engine.MaxTaps, func(t *engine.Trigger, n int64) { t.Taps = uint8(n) }).required().says("How many times."))
	add(engine.NoteChord, "Several pads or keys are hit together.", velocity, notesField, velocityMin, velocityMax,
		window.says("How far apart they may come. chord_timeout_ms of [advanced_settings]."))
	add(engine.EncoderTurn, "A knob is turned, one step at a time.", engine.Trigger{Max: 127}, ccField,
		choice("direction", []string{"Clockwise", "CounterClockwise"}, func(t *engine.Trigger, i int) { t.Direction = engine.Clockwise + engine.Direction(i) }).
			says("Which way. Either."),
		choice("encoding", []string{"absolute", "twos-complement", "binary-offset", "signed-bit"}, func(t *engine.Trigger, i int) { t.Encoding = engine.Encoding(i) }).
			says("absolute: its position, 0-127. Endless knobs say how far they turned: twos-complement (1 and 127), binary-offset (65 and 63), signed-bit (1 and 65)."),
		choice("steps", []string{"message", "delta"}, func(t *engine.Trigger, i int) { t.Delta = i == 1 }).says("message: one step a message. delta: as many as it turned."),
		field[engine.Trigger]{name: "bits", doc: "14: of the controllers cc and cc+32. 7.", shape: either(integerOf(7, 7), integerOf(14, 14)), read: (*reader).bits},
		whole("detents", 1, 127, func(t *engine.Trigger, n int64) { t.Detents = uint8(n) }).says("How many steps make one. 1."),
		whole("acceleration", 1, 16, func(t *engine.Trigger, n int64) { t.Speed = uint8(n) }).says("How many steps one may become when it is turned fast. 1."))
	value(engine.CC, "A controller moves.", engine.Trigger{}, ccField, low("value_min", 127), high("value_max", 127))
	value(engine.CC14, "A controller of 14 bits moves: cc and cc+32.", engine.Trigger{}, number("cc", 31).required().says("The controller of its upper bits."), low("value_min", 16383), high("value_max", 16383))
	value(engine.NRPN, "A parameter without a registered number moves.", engine.Trigger{}, number("number", 16383).required().says("Which."), low("value_min", 16383), high("value_max", 16383))
	value(engine.RPN, "A parameter with a registered number moves.", engine.Trigger{}, number("number", 16383).required().says("Which."), low("value_min", 16383), high("value_max", 16383))
	value(engine.Aftertouch, "A pad or key is pressed harder after it was hit.", engine.Trigger{Number: engine.Any}, noteField.says("Which; without it every one and the whole channel's."),
		low("pressure_min", 127).or("value_min"), high("pressure_max", 127).or("value_max"))
	value(engine.Bend, "The bend wheel or strip moves. 8192 is its middle.", engine.Trigger{}, low("value_min", 16383), high("value_max", 16383))
	add(engine.ProgramChanged, "A program is chosen.", engine.Trigger{Number: engine.Any, Max: 127}, number("program", 127).says("Which, from 0; without it every one."))
	messages := []engine.Kind{engine.Start, engine.Stop, engine.Continue}
	add(engine.Transport, "A sequencer starts, stops or continues.", engine.Trigger{}, choice("message", []string{"start", "stop", "continue"},
		func(t *engine.Trigger, i int) { t.Message = messages[i] }).required().says("Which of them."))
	add(engine.SysExclusive, "A system exclusive message. Its device needs sysex = true.", engine.Trigger{}, field[engine.Trigger]{
		name: "data", also: "prefix", must: true, doc: `What it begins with: "F0 7E 7F", or an array of bytes.`, shape: bytesShape,
		read: func(r *reader, id int32, t *engine.Trigger) { t.Data = r.sysex(id) },
	})
}

// maxHold and maxWindow bound how long a gesture may take, in milliseconds.
const (
	maxHold   = 60_000
	maxWindow = 10_000
)

var (
	noteField = field[engine.Trigger]{name: "note", doc: `Its number, or its name: C4 is 60.`, shape: noteShape, read: func(r *reader, id int32, t *engine.Trigger) {
		if n, ok := r.note(id); ok {
			t.Number = int16(n)
		}
	}}
	ccField = number("cc", 127).required().says("Which controller.")
	// A controller as a button: with 64 or so, a pedal.
	onCC = whole("cc", 0, 127, func(t *engine.Trigger, n int64) { t.Number, t.OnCC = int16(n), true }).says("A controller used as a button, instead of a note.")
	// A press has no velocity 0 (MIDI 1.0: that is a release), so 0 means from the softest.
	velocityMin = whole("velocity_min", 0, 127, func(t *engine.Trigger, n int64) { t.Min = uint16(max(1, n)) }).or("min_velocity").says("The softest hit that counts. 1.")
	velocityMax = whole("velocity_max", 0, 127, func(t *engine.Trigger, n int64) { t.Max = uint16(n) }).or("max_velocity").says("The hardest. 127.")
	window      = whole("timeout_ms", 1, maxWindow, func(t *engine.Trigger, n int64) { t.Duration = ms(n) }).or("max_interval_ms")
	tapWindow   = window.says("From one tap to the next. double_tap_timeout_ms of [advanced_settings].")
	button      = choice("button", engine.Buttons, func(t *engine.Trigger, i int) { t.Button = engine.Button(i) }).
			says("momentary: down until it is let go of. latch: until it is hit again. latching: the control itself latches.")
	notesField = field[engine.Trigger]{name: "notes", must: true, doc: "Which, two to eight.", shape: manyOf(noteShape, minChord, maxChord), read: (*reader).notes}
	bytesShape = either(wordShape, manyOf(integerOf(0, 255), 1, maxSysex))
)

func number(name string, most int64) field[engine.Trigger] {
	return whole(name, 0, most, func(t *engine.Trigger, n int64) { t.Number = int16(n) })
}

func low(name string, most int64) field[engine.Trigger] {
	return whole(name, 0, most, func(t *engine.Trigger, n int64) { t.Min, t.Ranged = uint16(n), true }).says("The lowest value that counts.")
}

func high(name string, most int64) field[engine.Trigger] {
	return whole(name, 0, most, func(t *engine.Trigger, n int64) { t.Max, t.Ranged = uint16(n), true }).says("The highest.")
}

func hysteresis(typ engine.TriggerType) field[engine.Trigger] {
	return whole("hysteresis", 0, int64(typ.MaxValue()), func(t *engine.Trigger, n int64) { t.Margin = uint16(n) }).
		says("How far a value must leave the range before entering it counts again. 2; of 14 bits 64.")
}

// triggerFields puts the fields of one type after those of all. Most files use the former
// more, and the order in which fields are searched is from the end of the list.
func triggerFields(own ...field[engine.Trigger]) []field[engine.Trigger] {
	fields := []field[engine.Trigger]{
		whole("channel", 0, 15, func(t *engine.Trigger, n int64) { t.Channel = int8(n) }).says("0-15; without it every one."),
		{
			name: "device", doc: "The name of one of the devices; without it every one.", shape: wordShape,
			read: func(r *reader, id int32, t *engine.Trigger) { r.triggerDevice(id, t) },
		},
	}
	slices.Reverse(own)
	return append(fields, own...)
}

func (r *reader) trigger(id int32, t *engine.Trigger) {
	at, name, ok := r.typeOf(id)
	if !ok {
		return
	}
	typ := slices.Index(engine.TriggerTypes, name)
	if typ < 0 {
		r.unknownType(at, engine.TriggerTypes, laterTriggers)
		return
	}
	kind := &triggerKinds[typ]
	*t = kind.Trigger
	readTable(r, id, kind.own, t)
	if t.Min > t.Max {
		r.report(fault{code: EmptyRange, off: r.nodes[id].off, node: id}, "nothing is from %d to %d", t.Min, t.Max)
	}
	switch t.Type {
	case engine.NoteRelease, engine.LongPress, engine.DoubleTap, engine.MultiTap:
		r.eitherOf(id, "note", "cc")
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

// eitherOf says so if a table has not exactly one of two keys.
func (r *reader) eitherOf(id int32, one, other string) {
	a, b := r.find(id, one), r.find(id, other)
	switch {
	case a == 0 && b == 0:
		r.missing(id, one)
	case a != 0 && b != 0:
		r.report(fault{code: Conflict, off: r.keyAt(b), node: b}, "there is %s too", one)
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
	name := r.str(id)
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

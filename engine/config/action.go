package config

import (
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// The bounds of what one mapping does.
const (
	maxNesting = 8   // Sequences in Sequences
	maxSteps   = 256 // actions, those that hold others not counted
)

// actionKinds reads each type of action. It is filled by init because a Sequence reads
// actions again.
var actionKinds map[string]func(*reader, int32) effect.Action

func init() {
	actionKinds = map[string]func(*reader, int32) effect.Action{
		"Keystroke":  actionKind(keystrokeFields, (*reader).keystroke),
		"Shell":      actionKind(shellFields, func(_ *reader, _ int32, s *effect.Shell) effect.Action { return s }),
		"Sequence":   actionKind(sequenceFields, (*reader).sequence),
		"Delay":      actionKind(delayFields, (*reader).delay),
		"ModeChange": actionKind(modeChangeFields, func(_ *reader, _ int32, m *effect.ModeChange) effect.Action { return m }),
	}
}

// actionKind joins the fields of an action to what makes it of them.
func actionKind[A any](fields []field[A], done func(*reader, int32, *A) effect.Action) func(*reader, int32) effect.Action {
	fields = append([]field[A]{quiet[A]("type")}, fields...)
	return func(r *reader, id int32) effect.Action {
		a := new(A)
		readTable(r, id, fields, a)
		return done(r, id, a)
	}
}

var actionNames = []string{"Keystroke", "Shell", "Sequence", "Delay", "ModeChange"}

// laterActions are the types whose mappings are left out.
var laterActions = strings.Fields(`Text Launch Open MouseClick MouseMove Scroll VolumeControl Toggle Repeat
	Conditional SendMidi SendMIDI Media Notify DBusCall Emit Panic`)

// action reads an action, or returns nil: then it was said why.
func (r *reader) action(id int32) effect.Action {
	name, ok := r.typeOf(id, actionNames, laterActions)
	if !ok {
		return nil
	}
	if name != "Sequence" {
		if r.steps++; r.steps == maxSteps+1 {
			r.report(fault{code: TooMany, off: r.nodes[id].off, node: id}, "a mapping has at most %d steps", maxSteps)
		}
	}
	return actionKinds[name](r, id)
}

var shellFields = []field[effect.Shell]{
	{name: "command", must: true, read: func(r *reader, id int32, s *effect.Shell) { s.Command, _ = r.word(id) }},
	whole("timeout_ms", 1, 3_600_000, func(s *effect.Shell, n int64) { s.Timeout = ms(n) }),
}

var sequenceFields = []field[effect.Sequence]{
	{name: "actions", must: true, read: func(r *reader, id int32, s *effect.Sequence) {
		if r.nesting == maxNesting {
			r.report(fault{code: TooDeep, off: r.nodes[id].off, node: id}, "actions are nested more than %d deep", maxNesting)
			return
		}
		r.nesting++
		steps.read(r, id, s)
		r.nesting--
		if r.nodes[id].size == 0 && r.nodes[id].kind != brokenNode {
			r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
		}
	}},
}

var steps = each("actions", func(r *reader, id int32, _ int, s *effect.Sequence) {
	if a := r.action(id); a != nil {
		s.Actions = append(s.Actions, a)
	}
})

func (r *reader) sequence(_ int32, s *effect.Sequence) effect.Action { return s }

var delayFields = []field[effect.Delay]{
	whole("ms", 1, 600_000, func(d *effect.Delay, n int64) { d.For = ms(n) }).or("duration_ms").required(),
}

func (r *reader) delay(id int32, d *effect.Delay) effect.Action {
	if r.nesting == 0 {
		r.report(fault{code: NoEffect, off: r.nodes[id].off, node: id, warn: true}, "a Delay outside a Sequence does nothing")
	}
	return d
}

var modeChangeFields = []field[effect.ModeChange]{
	{name: "mode", must: true, read: func(r *reader, id int32, m *effect.ModeChange) { r.modeRef(id, m) }},
	essential[effect.ModeChange]("hold"),
}

// modeRef reads which mode is meant: its name, or its index from 0.
func (r *reader) modeRef(id int32, m *effect.ModeChange) {
	if r.nodes[id].kind == integerNode {
		n := r.nodes[id].num
		if n < 0 || n >= int64(len(r.modes.list)) {
			r.report(fault{code: UnknownMode, off: r.nodes[id].off, node: id, hint: "modes are counted from 0"}, "there is no mode %d, only %d modes", n, len(r.modes.list))
			return
		}
		m.Mode, m.Index = r.modes.list[n], int(n)
		return
	}
	name, ok := r.label(id)
	if !ok {
		return
	}
	if m.Index, ok = r.modes.index[name]; !ok {
		r.report(fault{
			code: UnknownMode, off: r.nodes[id].off, node: id,
			word: name, among: r.modes.list, all: "the modes are",
		}, "no mode %q", name)
	}
	m.Mode = name
}

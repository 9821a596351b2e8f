package config

import (
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// The bounds of what one mapping does.
const (
	maxNesting = 8      // Sequences in Sequences
	maxSteps   = 256    // actions, those that hold others not counted
	maxTotal   = 10_000 // the same, each as often as it is repeated
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
		"ModeChange": actionKind(modeChangeFields, (*reader).modeChange),
		"Repeat":     actionKind(repeatFields, (*reader).repeat),
		"Toggle":     actionKind(toggleFields, (*reader).toggle),
		"Panic":      actionKind(nil, func(_ *reader, _ int32, p *effect.Panic) effect.Action { return p }),
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

var actionNames = []string{"Keystroke", "Shell", "Sequence", "Delay", "ModeChange", "Repeat", "Toggle", "Panic"}

// laterActions are the types whose mappings are left out.
var laterActions = strings.Fields(`Text Launch Open MouseClick MouseMove Scroll VolumeControl Conditional
	SendMidi SendMIDI Media Notify DBusCall Emit`)

// action reads an action, or returns nil: then it was said why.
func (r *reader) action(id int32) effect.Action {
	name, ok := r.typeOf(id, actionNames, laterActions)
	if !ok {
		return nil
	}
	if name != "Sequence" && name != "Repeat" && name != "Toggle" {
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
		r.nest(id, func() { steps.read(r, id, s) })
		if r.nodes[id].size == 0 && r.nodes[id].kind != brokenNode {
			r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
		}
	}},
	choice("cancel", effect.Cancels, func(s *effect.Sequence, i int) { s.Cancel = effect.Cancel(i) }),
}

// nest reads actions inside another.
func (r *reader) nest(id int32, read func()) {
	if r.nesting == maxNesting {
		r.report(fault{code: TooDeep, off: r.nodes[id].off, node: id}, "actions are nested more than %d deep", maxNesting)
		return
	}
	r.nesting++
	read()
	r.nesting--
}

// inner is a field that holds one action.
func inner[T any](name string, set func(*T, effect.Action)) field[T] {
	return field[T]{name: name, read: func(r *reader, id int32, v *T) {
		if r.is(id, tableNode) {
			r.nest(id, func() {
				if a := r.action(id); a != nil {
					set(v, a)
				}
			})
		}
	}}
}

var repeatFields = []field[effect.Repeat]{
	inner("action", func(p *effect.Repeat, a effect.Action) { p.Action = a }).required(),
	whole("count", 0, maxSteps, func(p *effect.Repeat, n int64) { p.Count = int(n) }),
	whole("delay_ms", 0, 600_000, func(p *effect.Repeat, n int64) { p.Delay = ms(n) }),
	choice("cancel", effect.Cancels, func(p *effect.Repeat, i int) { p.Cancel = effect.Cancel(i) }),
}

// minPause is the least delay of a Repeat without a count, in milliseconds.
const minPause = 10

func (r *reader) repeat(id int32, p *effect.Repeat) effect.Action {
	if p.Count == 0 && (p.Cancel == effect.CancelNever || p.Delay < ms(minPause)) {
		r.report(fault{code: MissingKey, off: r.nodes[id].off, node: id, key: "count", hint: `without it, write cancel = "release" or "mode", and a delay_ms of at least 10`}, "is missing")
	}
	if p.Action == nil {
		return nil
	}
	return p
}

// total is how many steps an action takes at most; without an end it is one time that counts.
func total(a effect.Action) int {
	switch a := a.(type) {
	case *effect.Sequence:
		n := 0
		for _, step := range a.Actions {
			n = min(n+total(step), maxTotal+1)
		}
		return n
	case *effect.Repeat:
		return min(total(a.Action)*max(a.Count, 1), maxTotal+1)
	case *effect.Toggle:
		return max(total(a.On), total(a.Off))
	}
	return 1
}

var toggleFields = []field[effect.Toggle]{
	inner("on", func(t *effect.Toggle, a effect.Action) { t.On = a }),
	inner("off", func(t *effect.Toggle, a effect.Action) { t.Off = a }),
	label("state", func(t *effect.Toggle, s string) { t.State = s }),
}

func (r *reader) toggle(id int32, t *effect.Toggle) effect.Action {
	if t.On == nil && t.Off == nil && r.find(id, "on") == 0 && r.find(id, "off") == 0 {
		r.missing(id, "on")
	}
	return t
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
	{name: "mode", read: func(r *reader, id int32, m *effect.ModeChange) { r.modeRef(id, m) }},
	whole("step", -maxDevices, maxDevices, func(m *effect.ModeChange, n int64) { m.Step = int(n) }),
	flag("hold", func(m *effect.ModeChange, b bool) { m.Hold = b }),
}

// modeChange goes to a mode, or so many on.
func (r *reader) modeChange(id int32, m *effect.ModeChange) effect.Action {
	step := r.find(id, "step")
	switch named := r.find(id, "mode") != 0; {
	case !named && step == 0:
		r.missing(id, "mode")
	case named && step != 0:
		r.report(fault{code: Conflict, off: r.nodes[step].keyAt, node: step}, "mode and step exclude each other")
	}
	return m
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

package config

import (
	"strconv"

	"github.com/amiable-dev/midimon/engine/effect"
)

// The bounds of what takes time, in milliseconds, and how often a Repeat without an end may
// go round.
const (
	maxDelay = 600_000
	minPause = 10
)

// Steps of a Sequence and passes of a Repeat are performed by one run, that of the outermost
// of them: what ends it is for that one to say.

var sequenceTable = tableOf(
	cancelField[effect.Sequence](func(s *effect.Sequence, c effect.Cancel) { s.Cancel = c }),
	field[effect.Sequence]{
		name: "actions", must: true, doc: "What is done, in order.", shape: manyOf(named("action"), 1, 0),
		read: func(r *reader, id int32, s *effect.Sequence) {
			r.enter(id)
			steps.read(r, id, s)
			r.leave()
			if r.nodes[id].size == 0 && r.nodes[id].kind != brokenNode {
				r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
			}
		},
	},
)

var steps = each("actions", "action", func(r *reader, id int32, _ int, s *effect.Sequence) {
	if a := r.within(id); a != nil {
		s.Actions = append(s.Actions, a)
	}
})

var repeatTable = tableOf(
	cancelField[effect.Repeat](func(a *effect.Repeat, c effect.Cancel) { a.Cancel = c }),
	whole("delay_ms", 0, maxDelay, func(a *effect.Repeat, n int64) { a.Delay = ms(n) }).says("How long it waits in between."),
	whole("count", 0, maxSteps, func(a *effect.Repeat, n int64) { a.Count = int(n) }).says("How many times; 0: until it is cancelled."),
	field[effect.Repeat]{
		name: "action", must: true, doc: "What is repeated.", shape: named("action"),
		read: func(r *reader, id int32, a *effect.Repeat) {
			r.enter(id)
			a.Action = r.within(id)
			r.leave()
		},
	},
)

// enter says that what is read next belongs to a run, which the first to say so begins.
func (r *reader) enter(id int32) {
	if r.runs++; r.runs == 1 {
		r.run = r.nodes[id].parent
	}
}

func (r *reader) leave() { r.runs-- }

func cancelField[A any](set func(*A, effect.Cancel)) field[A] {
	words := choice("cancel", effect.Cancels, func(a *A, i int) { set(a, effect.Cancel(i)) })
	return field[A]{name: "cancel", doc: "What ends it before its end.", shape: words.shape, read: func(r *reader, id int32, a *A) {
		if words.read(r, id, a); r.runs > 0 {
			var never effect.Cancel
			set(a, never)
			r.noEffect(id, "the outermost Sequence or Repeat says what ends it")
		}
	}}
}

func (r *reader) sequence(_ int32, s *effect.Sequence) effect.Action { return s }

func (r *reader) repeat(id int32, a *effect.Repeat) effect.Action {
	count := r.find(id, "count")
	if a.Count == 0 && (count == 0 || r.nodes[count].kind == integerNode && r.nodes[count].num == 0) {
		r.endless(id, count)
	}
	if a.Action == nil {
		return nil
	}
	return a
}

// endless checks a Repeat that has no count: something must end it, and it must leave time
// for all else.
func (r *reader) endless(id, count int32) {
	run := id
	if r.runs > 0 {
		run = r.run
	}
	cancel := r.str(r.find(run, "cancel"))
	if cancel != effect.Cancels[effect.CancelRelease] && cancel != effect.Cancels[effect.CancelMode] {
		if count == 0 {
			r.missing(id, "count")
		} else {
			r.report(fault{
				code: OutOfRange, off: r.nodes[count].off, node: count, hint: `for ever is count = 0 with cancel = "release" or "mode"`,
			}, "0 is less than once, and nothing would end it")
		}
		return
	}
	delay := r.find(id, "delay_ms")
	switch {
	case delay == 0:
		r.missing(id, "delay_ms")
	case r.nodes[delay].kind == integerNode && r.nodes[delay].num < minPause:
		r.report(fault{code: OutOfRange, off: r.nodes[delay].off, node: delay}, "%d is less than %d, the least of what repeats without a count", r.nodes[delay].num, minPause)
	}
}

var delayTable = tableOf(
	whole("ms", 1, maxDelay, func(d *effect.Delay, n int64) { d.For = ms(n) }).or("duration_ms").required().says("How long, in milliseconds."),
)

func (r *reader) delay(id int32, d *effect.Delay) effect.Action {
	if r.runs == 0 {
		r.report(fault{code: NoEffect, off: r.nodes[id].off, node: id, warn: true}, "a Delay outside a Sequence or Repeat does nothing")
	}
	return d
}

var toggleTable = tableOf(
	label("state", func(t *effect.Toggle, s string) { t.State = s }).says("What is switched. Toggles of one state are switched together; without a name it is the mapping's own."),
	within("off", "What is done when it is switched off.", func(t *effect.Toggle) *effect.Action { return &t.Off }),
	within("on", "What is done when it is switched on.", func(t *effect.Toggle) *effect.Action { return &t.On }),
)

// within is an action in an action.
func within[A any](name, doc string, of func(*A) *effect.Action) field[A] {
	return field[A]{name: name, doc: doc, shape: named("action"), read: func(r *reader, id int32, a *A) { *of(a) = r.within(id) }}
}

func (r *reader) toggle(id int32, t *effect.Toggle) effect.Action {
	r.toggles = true
	if r.find(id, "on") == 0 && r.find(id, "off") == 0 {
		r.missing(id, "on")
	}
	return t
}

// nameToggles gives the Toggles in an action that have no state of their own one by the id
// of its mapping.
func nameToggles(a effect.Action, id string) {
	n := 0
	effect.Within(a, func(a effect.Action) bool {
		if t, ok := a.(*effect.Toggle); ok && t.State == "" {
			t.State = id
			if n++; n > 1 {
				t.State += "#" + strconv.Itoa(n)
			}
		}
		return true
	})
}

var conditionalTable = tableOf(
	within("else_action", "What is done otherwise.", func(c *effect.Conditional) *effect.Action { return &c.Else }).or("else"),
	within("then_action", "What is done if it holds.", func(c *effect.Conditional) *effect.Action { return &c.Then }).or("then").required(),
	field[effect.Conditional]{
		name: "condition", must: true, doc: "The condition.", shape: named("condition"),
		read: func(r *reader, id int32, c *effect.Conditional) { c.If = r.condition(id, 1) },
	},
)

// modeShape is how a mode is named: by its name, or by its index from 0.
var modeShape = either(wordShape, integerOf(0, 1<<16))

var modeChangeTable = tableOf(
	flag("hold", func(m *effect.ModeChange, b bool) { m.Hold = b }).says("true: as long as the control is held. false."),
	field[effect.ModeChange]{
		name: "step", doc: "How many modes on, or back.", shape: integerOf(-maxStep, maxStep),
		read: func(r *reader, id int32, m *effect.ModeChange) {
			n, ok := r.whole(id, -maxStep, maxStep)
			if m.Step = int(n); ok && n == 0 {
				r.noEffect(id, "no step is no change")
			}
			r.stepped = true
		},
	},
	field[effect.ModeChange]{
		name: "mode", doc: "Which mode: its name, or its index from 0.", shape: modeShape,
		read: func(r *reader, id int32, m *effect.ModeChange) {
			if i, ok := r.modeRef(id); ok {
				m.Mode, m.Index = r.modes.list[i], i
				r.reached[i] = true
			}
		},
	},
)

// maxStep is how many modes one step may go.
const maxStep = 100

func (r *reader) modeChange(id int32, m *effect.ModeChange) effect.Action {
	r.eitherOf(id, "mode", "step")
	if r.passage {
		r.report(fault{code: NotHere, off: r.nodes[id].off, node: id}, "a mode cannot change the mode when it begins or ends")
	}
	return m
}

// modeRef reads which mode is meant: its name, or its index from 0.
func (r *reader) modeRef(id int32) (int, bool) {
	if r.nodes[id].kind == integerNode {
		n := r.nodes[id].num
		if n < 0 || n >= int64(len(r.modes.list)) {
			r.report(fault{code: UnknownMode, off: r.nodes[id].off, node: id, hint: "modes are counted from 0"}, "there is no mode %d, only %d modes", n, len(r.modes.list))
			return 0, false
		}
		return int(n), true
	}
	name, ok := r.label(id)
	if !ok {
		return 0, false
	}
	i, ok := r.modes.index[name]
	if !ok {
		r.report(fault{
			code: UnknownMode, off: r.nodes[id].off, node: id,
			word: name, among: r.modes.list, all: "the modes are",
		}, "no mode %q", name)
	}
	return i, ok
}

// unreached warns of modes that no mapping and no application makes act. The first one does
// by itself.
func (r *reader) unreached() {
	if r.stepped {
		return
	}
	for _, t := range r.files {
		for c, _ := t.list(0, "modes"); c != 0; c = t.nodes[c].next {
			i := r.modes.index[t.str(t.find(c, "name"))]
			if i == 0 || r.reached[i] || len(r.prog.Modes[i].Apps) > 0 {
				continue
			}
			r.reached[i] = true // once said is enough
			t.report(fault{code: UnreachedMode, off: t.nodes[c].off, node: c, warn: true}, "no ModeChange and no apps lead to it")
		}
	}
}

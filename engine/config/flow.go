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

var sequenceFields = []field[effect.Sequence]{
	cancelField[effect.Sequence](func(s *effect.Sequence, c effect.Cancel) { s.Cancel = c }),
	{name: "actions", must: true, read: func(r *reader, id int32, s *effect.Sequence) {
		r.enter(id)
		steps.read(r, id, s)
		r.leave()
		if r.nodes[id].size == 0 && r.nodes[id].kind != brokenNode {
			r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
		}
	}},
}

var steps = each("actions", func(r *reader, id int32, _ int, s *effect.Sequence) {
	if a := r.within(id); a != nil {
		s.Actions = append(s.Actions, a)
	}
})

var repeatFields = []field[effect.Repeat]{
	cancelField[effect.Repeat](func(a *effect.Repeat, c effect.Cancel) { a.Cancel = c }),
	whole("delay_ms", 0, maxDelay, func(a *effect.Repeat, n int64) { a.Delay = ms(n) }),
	whole("count", 0, maxSteps, func(a *effect.Repeat, n int64) { a.Count = int(n) }),
	{name: "action", must: true, read: func(r *reader, id int32, a *effect.Repeat) {
		r.enter(id)
		a.Action = r.within(id)
		r.leave()
	}},
}

// enter says that what is read next belongs to a run, which the first to say so begins.
func (r *reader) enter(id int32) {
	if r.runs++; r.runs == 1 {
		r.run = r.nodes[id].parent
	}
}

func (r *reader) leave() { r.runs-- }

func cancelField[A any](set func(*A, effect.Cancel)) field[A] {
	words := choice("cancel", effect.Cancels, func(a *A, i int) { set(a, effect.Cancel(i)) })
	return field[A]{name: "cancel", read: func(r *reader, id int32, a *A) {
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
	cancel := r.nodes[r.find(run, "cancel")].str
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

var delayFields = []field[effect.Delay]{
	whole("ms", 1, maxDelay, func(d *effect.Delay, n int64) { d.For = ms(n) }).or("duration_ms").required(),
}

func (r *reader) delay(id int32, d *effect.Delay) effect.Action {
	if r.runs == 0 {
		r.report(fault{code: NoEffect, off: r.nodes[id].off, node: id, warn: true}, "a Delay outside a Sequence or Repeat does nothing")
	}
	return d
}

var toggleFields = []field[effect.Toggle]{
	label("state", func(t *effect.Toggle, s string) { t.State = s }),
	{name: "off", read: func(r *reader, id int32, t *effect.Toggle) { t.Off = r.within(id) }},
	{name: "on", read: func(r *reader, id int32, t *effect.Toggle) { t.On = r.within(id) }},
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

var conditionalFields = []field[effect.Conditional]{
	{name: "else_action", also: "else", read: func(r *reader, id int32, c *effect.Conditional) { c.Else = r.within(id) }},
	{name: "then_action", also: "then", must: true, read: func(r *reader, id int32, c *effect.Conditional) { c.Then = r.within(id) }},
	{name: "condition", must: true, read: func(r *reader, id int32, c *effect.Conditional) { c.If = r.condition(id, 1) }},
}

var modeChangeFields = []field[effect.ModeChange]{
	flag("hold", func(m *effect.ModeChange, b bool) { m.Hold = b }),
	{name: "step", read: func(r *reader, id int32, m *effect.ModeChange) {
		n, ok := r.whole(id, -100, 100)
		if m.Step = int(n); ok && n == 0 {
			r.noEffect(id, "no step is no change")
		}
		r.stepped = true
	}},
	{name: "mode", read: func(r *reader, id int32, m *effect.ModeChange) {
		if i, ok := r.modeRef(id); ok {
			m.Mode, m.Index = r.modes.list[i], i
			r.reached[i] = true
		}
	}},
}

func (r *reader) modeChange(id int32, m *effect.ModeChange) effect.Action {
	r.oneOf(id, "mode", "step")
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
	id := r.nodes[r.find(0, "modes")].first
	for i := range r.prog.Modes {
		m := &r.prog.Modes[i]
		if i > 0 && !r.reached[i] && len(m.Apps) == 0 {
			r.report(fault{code: UnreachedMode, off: r.nodes[id].off, node: id, warn: true}, "no ModeChange and no apps lead to it")
		}
		id = r.nodes[id].next
	}
}

package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/gesture"
)

// press is a control that went down. It keeps the program, mode and mappings that it began
// with until its own release.
type press struct {
	prog     *Program
	mode     string
	button   gesture.Button
	tap      int32 // bands of prog, 0: none
	hold     int32
	at       time.Duration
	arrived  time.Duration
	timer    int32
	gen      uint32
	value    uint16
	port     Port
	channel  uint8
	number   uint8
	note     bool // else a controller
	used     bool
	released bool // its release is being handled
}

func (e *Engine) pressAt(r ref) *press {
	if r.index < 0 {
		return nil
	}
	if p := &e.presses.all[r.index]; p.used && p.gen == r.gen {
		return p
	}
	return nil
}

// pressOf is the press of a note.
func (e *Engine) pressOf(in *Input) ref {
	for i := range e.presses.all {
		p := &e.presses.all[i]
		if p.used && p.note && p.number == in.Number && p.channel == in.Channel && p.port == in.Port {
			return ref{int32(i), p.gen}
		}
	}
	return none
}

// candidates are the first band of each kind that fits, the mode's before the global ones.
type candidates struct {
	tap, hold, eager int32 // 0: none
	plain            bool  // nothing that the tap does lasts
}

// fireFree starts a mapping's action for an event that has no release.
func (e *Engine) fireFree(in *Input, b *band, out []effect.Effect) []effect.Effect {
	var a act // filled field by field, as in fire: a literal is built elsewhere and copied
	m := &e.prog.Mappings[b.mapping]
	a.origin, a.mapping, a.press = &m.Origin, m, none
	a.mode, a.value, a.at, a.arrived = e.modeName(), in.Value, e.now, in.At
	return e.perform(&a, b.action, none, out)
}

// press begins a press of a note or of a controller used as a button.
func (e *Engine) press(in *Input, c *candidates, out []effect.Effect) (ref, []effect.Effect) {
	id := e.presses.take()
	p := &e.presses.all[id]
	*p = press{
		prog: e.prog, mode: e.modeName(), tap: c.tap, hold: c.hold, at: e.now, arrived: in.At,
		gen: p.gen + 1, value: in.Value, port: in.Port, channel: in.Channel, number: in.Number,
		note: in.Kind == NoteOn, used: true,
		button: gesture.Button{Tap: c.tap != 0, Hold: c.hold != 0},
	}
	r := ref{id, p.gen}
	if p.button.Hold {
		p.button.After = e.prog.Mappings[e.prog.table.bands[c.hold].mapping].Trigger.Duration
		p.timer = e.timers.set(e.now+p.button.After, gestureDue, id)
	}
	kind := p.button.Press()
	if c.eager != 0 {
		out = e.fire(r, c.eager, e.now, in.At, out)
	}
	if kind == gesture.Tap {
		out = e.fire(r, c.tap, e.now, in.At, out)
	}
	return r, out
}

// fire starts the action of a band for a press.
func (e *Engine) fire(r ref, index int32, at, arrived time.Duration, out []effect.Effect) []effect.Effect {
	p := &e.presses.all[r.index]
	b := &p.prog.table.bands[index]
	var a act
	m := &p.prog.Mappings[b.mapping]
	a.origin, a.mapping, a.press = &m.Origin, m, r
	a.mode, a.value, a.at, a.arrived = p.mode, p.value, at, arrived
	return e.perform(&a, b.action, none, out)
}

// expire is a press's deadline.
func (e *Engine) expire(id int32, at time.Duration, out []effect.Effect) []effect.Effect {
	p := &e.presses.all[id]
	e.timers.clear(p.timer)
	p.timer = noTimer
	if p.button.Expire() == gesture.Hold {
		out = e.fire(ref{id, p.gen}, p.hold, at, at, out)
	}
	return out
}

// release ends a press at the present time.
func (e *Engine) release(r ref, arrived time.Duration, out []effect.Effect) []effect.Effect {
	p := e.pressAt(r)
	if p == nil {
		return out
	}
	out = e.letGoOf(r, effect.ByMapping, e.now, out)
	p.released = true
	if p.button.Release() == gesture.Tap {
		out = e.fire(r, p.tap, e.now, arrived, out)
	}
	e.drop(r)
	return out
}

// drop forgets a press; what it holds must be let go of before.
func (e *Engine) drop(r ref) {
	p := &e.presses.all[r.index]
	e.timers.clear(p.timer)
	p.timer, p.used, p.prog = noTimer, false, nil
	e.presses.give(r.index)
}

// cancel makes nothing come of a press any more, while it is still down.
func (e *Engine) cancel(p *press) {
	p.button.Cancel()
	e.timers.clear(p.timer)
	p.timer = noTimer
}

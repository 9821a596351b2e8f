package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// fire starts the action of a band for a press.
func (e *Engine) fire(r ref, index int32, at, arrived time.Duration, out []effect.Effect) []effect.Effect {
	p := &e.presses.all[r.index]
	return e.fireFor(p, index, r, p.mode, p.value, at, arrived, out)
}

func (e *Engine) fireFor(p *press, index int32, by ref, mode string, value uint16, at, arrived time.Duration, out []effect.Effect) []effect.Effect {
	b := &p.prog.table.bands[index]
	m, action := &p.prog.Mappings[b.mapping], p.prog.table.actions[index]
	var a act
	a.origin, a.mapping, a.press = &m.Origin, m, by
	a.mode, a.value, a.at, a.arrived = mode, value, at, arrived
	if a.hi = 127; !p.note {
		a.hi = m.Trigger.Type.MaxValue()
	}
	a.of = e.why.fired(m)
	if b.flags&gradedBand != 0 && b.kind <= eagerKind {
		a.grade()
		e.why.last().hit = a.hit
	}
	if b.button() != Latch || by == none {
		return e.act(&a, action, b, 0, none, out)
	}
	a.latched = latched
	e.latch(p)
	n := len(out)
	if out = e.act(&a, action, b, 0, none, out); len(out) == n || out[n].Kind == effect.Refused {
		e.lapse(by) // it did nothing that the next press could end
	}
	return out
}

// fireFree starts the action of a band for an event that has no release.
func (e *Engine) fireFree(in *Input, index int32, value uint16, steps int, out []effect.Effect) []effect.Effect {
	var a act // filled field by field, as in fire: a literal is built elsewhere and copied
	b := &e.prog.table.bands[index]
	m := &e.prog.Mappings[b.mapping]
	a.origin, a.mapping, a.press = &m.Origin, m, none
	a.mode, a.value, a.at, a.arrived = e.modeName(), value, e.now, in.At
	switch {
	case b.kind == rangeKind || b.kind == followKind:
		a.lo, a.hi = b.lo, b.hi
	case b.fine():
		a.hi = 1<<14 - 1
	default:
		if a.hi = 127; b.flags&gradedBand != 0 && b.kind <= eagerKind {
			a.grade()
			e.why.last().hit = a.hit
		}
	}
	a.of = e.why.fired(m)
	return e.act(&a, e.prog.table.actions[index], b, steps, none, out)
}

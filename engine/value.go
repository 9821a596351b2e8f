package engine

import (
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/gesture"
)

// channel is what is known of the controls of one channel of one port.
type channel struct {
	controls [128]control
	more     *rarer // nil until there is some
}

// control is what is known of one controller, or of another thing that has values.
type control struct {
	entered uint64 // bit n: the n-th band that hears it was entered and not left since
	epoch   uint32 // of entered
	press   ref    // while it is down as a button
	wheel   gesture.Wheel
	last    uint16
	seen    bool
	upper   uint8 // of a pair: the upper half
	fine    bool  // of a pair: a lower half came
}

// rarer is what few controllers send.
type rarer struct {
	pairs      [32]control // CC14: controllers 0-31 with 32-63
	poly       [128]control
	pressure   control
	bend       control
	parameters map[int32]*control // NRPN and RPN once they came, by key
	selected   selection
}

func (ch *channel) rare() *rarer {
	if ch.more == nil {
		ch.more = &rarer{parameters: map[int32]*control{}}
		for i := range ch.more.pairs {
			ch.more.pairs[i].press = none
		}
		for i := range ch.more.poly {
			ch.more.poly[i].press = none
		}
		ch.more.pressure.press, ch.more.bend.press = none, none
	}
	return ch.more
}

// reading is one value that came.
type reading struct {
	value     uint16
	full      uint16 // the highest that there is
	rest      uint16 // where it stands when nobody touches it
	fine      bool   // 14 bits
	parameter TriggerType
	number    int16 // of the parameter
}

// pressure takes what has a value and is no controller.
func (e *Engine) pressure(in *Input, p *port, out []effect.Effect) []effect.Effect {
	more := p.channel(in.Channel).rare()
	any := [2]int32{}
	switch in.Kind {
	case PitchBend:
		r := reading{value: in.Value, full: 1<<14 - 1, rest: 1 << 13, fine: true}
		return e.value(in, &r, &more.bend, e.heads(p.device, otherPage, bendOf), any, out)
	case PolyPressure:
		r := reading{value: in.Value, full: 127}
		any = e.heads(p.device, otherPage, anyPoly)
		return e.value(in, &r, &more.poly[in.Number&127], e.heads(p.device, polyPage, in.Number), any, out)
	default:
		r := reading{value: in.Value, full: 127}
		return e.value(in, &r, &more.pressure, e.heads(p.device, otherPage, pressureOf), any, out)
	}
}

// control takes a control change: for itself, and for the pair or parameter that it is part of.
func (e *Engine) control(in *Input, p *port, out []effect.Effect) []effect.Effect {
	ch := p.channel(in.Channel)
	r := reading{value: in.Value, full: 127}
	out = e.value(in, &r, &ch.controls[in.Number&127], e.heads(p.device, controlPage, in.Number), [2]int32{}, out)
	switch {
	case in.Number < 64:
		if heads := e.heads(p.device, controlPage, in.Number&31); heads != [2]int32{} && e.hasFine(heads) {
			out = e.pair(in, ch, heads, out)
		}
		if in.Number&31 == dataEntry {
			out = e.parameter(in, p, out)
		}
	case in.Number >= dataIncrement && in.Number <= rpnUpper:
		out = e.parameter(in, p, out)
	}
	return out
}

func (e *Engine) hasFine(heads [2]int32) bool {
	for _, head := range heads {
		for i := head; i != 0; i = e.prog.table.bands[i].next {
			if e.prog.table.bands[i].fine() {
				return true
			}
		}
	}
	return false
}

// listen gathers in e.run the bands that hear a reading, in the order in which they are tried.
// Each scope has two chains, of the number and of any number.
func (e *Engine) listen(in *Input, r *reading, own, any [2]int32) {
	e.run = e.run[:0]
	bands := e.prog.table.bands
	mask := uint16(1) << (in.Channel & 15)
	for scope := range own {
		i, j := own[scope], any[scope]
		for i != 0 || j != 0 {
			k := i
			if i == 0 || j != 0 && bands[j].mapping < bands[i].mapping {
				k = j
			}
			b := &bands[k]
			if k == i {
				i = b.next
			} else {
				j = b.next
			}
			e.why.last().candidates++
			switch {
			case b.channels&mask == 0:
				e.why.miss(otherChannel)
			case b.fine() != r.fine:
			case r.parameter != 0 && !e.hears(b, r):
			default: // one that is switched off too, or the places of the others would move
				e.run = append(e.run, k)
			}
		}
	}
}

// hears says whether a band is meant for this very parameter.
func (e *Engine) hears(b *band, r *reading) bool {
	t := &e.prog.Mappings[b.mapping].Trigger
	return t.Type == r.parameter && t.Number == r.number
}

// meets says whether a band's mapping is switched on and its condition holds.
func (e *Engine) meets(b *band) bool {
	if e.disabled(b.mapping) {
		e.why.miss(switchedOff)
		return false
	}
	if b.flags&guardedBand == 0 || e.prog.Mappings[b.mapping].When.Holds(e.world, e.modeName()) {
		return true
	}
	e.why.miss(conditionUnmet)
	return false
}

// value takes a reading of a control.
func (e *Engine) value(in *Input, r *reading, c *control, own, any [2]int32, out []effect.Effect) []effect.Effect {
	was, seen := c.last, c.seen
	c.last, c.seen = r.value, true
	if own == [2]int32{} && any == [2]int32{} && c.press == none {
		return out
	}
	e.listen(in, r, own, any)
	bands := e.prog.table.bands
	for _, i := range e.run {
		if bands[i].kind == turnKind && !e.disabled(bands[i].mapping) {
			return e.turned(in, r, c, was, seen, out)
		}
	}
	fresh := c.epoch != e.epoch
	if fresh {
		c.entered, c.epoch = 0, e.epoch
	}
	var found candidates
	var enters, follows int32 // bands
	for n, i := range e.run {
		b := &bands[i]
		bit := uint64(1) << min(n, 63) // those past the 64th share a bit
		switch b.kind {
		case rangeKind:
			in := c.entered&bit != 0
			if fresh && seen { // the mode or the program changed under it: it did not enter just now
				in = b.lo <= was && was <= b.hi
			}
			now := gesture.Within(in, r.value, b.lo, b.hi, e.prog.Mappings[b.mapping].Trigger.Margin)
			c.entered &^= bit
			if now {
				c.entered |= bit
			}
			switch {
			case !now:
				e.why.miss(outOfRange)
			case in:
				e.why.miss(notLeft)
			case enters == 0 && e.meets(b):
				enters = i
			}
		case followKind:
			switch {
			case r.value < b.lo || b.hi < r.value:
				e.why.miss(outOfRange)
			case seen && was == r.value:
				e.why.miss(unchanged)
			case follows == 0 && e.meets(b):
				follows = i
			}
		default:
			if (r.value != r.rest || b.button() == Latching) && b.lo <= r.value && r.value <= b.hi && e.meets(b) {
				e.offer(&found, i, b)
			}
		}
	}
	if enters != 0 {
		out = e.fireFree(in, enters, r.value, 0, out)
	}
	if follows != 0 {
		out = e.fireFree(in, follows, r.value, 0, out)
	}
	return e.asButton(in, r, c, was, seen, &found, out)
}

// asButton presses and releases: away from rest is down.
func (e *Engine) asButton(in *Input, r *reading, c *control, was uint16, seen bool, found *candidates, out []effect.Effect) []effect.Effect {
	p := e.pressAt(c.press)
	switch {
	case r.value == r.rest:
		if p != nil && !p.over {
			return e.release(c.press, in.At, out)
		}
		if found.both != 0 && (!seen || was != r.rest) { // it latches by itself, and its way down was not seen or lost
			return e.fireFree(in, found.both, 0, 0, out)
		}
		return out
	case seen && was != r.rest:
		return out // it is down already
	}
	if p != nil && !p.over {
		out = e.release(c.press, in.At, out)
	}
	if e.pressAt(c.press) == nil {
		c.press = none
	}
	if c.press == none && !found.any() {
		return out
	}
	if e.waits+e.latches > 0 {
		var ended bool
		if c.press, ended, out = e.before(in, e.ports[in.Port].device, c.press, out); ended {
			if e.spend(found); !found.any() {
				return out
			}
		}
	}
	c.press, out = e.press(in, r.value, c.press, found, out)
	return out
}

// turned takes a reading of an encoder: its other mappings do not hear it.
func (e *Engine) turned(in *Input, r *reading, c *control, was uint16, seen bool, out []effect.Effect) []effect.Effect {
	bands := e.prog.table.bands
	steps, known := 0, false
	for _, i := range e.run {
		b := &bands[i]
		if b.kind != turnKind || e.disabled(b.mapping) {
			continue
		}
		t := &e.prog.Mappings[b.mapping].Trigger
		if !known { // the first says how the control is read
			steps, known = gesture.Turn(b.encoding(), r.full, was, r.value, seen), true
			if !t.Delta {
				steps = max(-1, min(steps, 1))
			}
			steps = c.wheel.Turn(steps, t.Detents, t.Speed, in.At)
			if steps == 0 {
				e.why.miss(noStep)
				return out
			}
		}
		if (steps > 0) != (b.way() != CounterClockwise) && b.way() != Either {
			e.why.miss(otherWay)
			continue
		}
		if e.meets(b) {
			if b.way() != Either { // a way that is asked for is on, whichever it is
				steps = max(steps, -steps)
			}
			return e.fireFree(in, i, r.value, steps, out)
		}
	}
	return out
}

package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/gesture"
)

// press is a control that went down, and until nothing can come of it any more. It keeps the
// program, mode and mappings that it began with until its own release.
type press struct {
	prog    *Program
	mode    string
	button  gesture.Button
	taps    [MaxTaps + 1]int32 // bands of prog by count, 0: none; the first press of the series says
	holds   []int32            // as button.Holds
	chords  []int32            // mappings
	series  []struck           // presses of the series, if it may become one
	tap     int32              // bands of prog, 0: none
	up      int32              // acts at the release
	pending int32              // mapping of a complete chord that waits for a larger one; -1: none
	leader  ref                // the press that completed the chord this one is part of
	arrived time.Duration
	order   uint64 // among presses
	timer   int32
	gen     uint32
	value   uint16
	port    Port
	channel uint8
	number  uint8
	note    bool // else a controller or other value
	used    bool
	over    bool  // its release has come, or is being handled
	latch   bool  // it lasts until the next press
	latched bool  // and its own release has come
	both    int32 // acts at the press and at the release: the control latches by itself
}

// struck is one press of a series.
type struck struct {
	tap   int32
	mode  string
	value uint16
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

// pressOf is the press of a note: down, or the first of a series that may go on.
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
// Those of which several may act are in Engine.also.
type candidates struct {
	tap, eager, up, both int32 // 0: none
	plain                bool  // nothing that the tap does lasts
	more                 bool  // there are others
}

// candidate is a band of a kind of which several may act.
type candidate struct {
	band int32
	kind bandKind
	n    int64 // tapsKind: how many; holdKind: how long; chordKind: its mapping
}

// collect adds the bands of a chain that fit a press.
func (e *Engine) collect(c *candidates, head int32, channel uint8, value uint16) {
	bands := e.prog.table.bands
	mask := uint16(1) << (channel & 15)
	for i := head; i != 0; i = bands[i].next {
		b := &bands[i]
		if b.channels&mask == 0 || value < b.lo || b.hi < value || b.flags&guardedBand != 0 || e.off != nil {
			if !e.fits(b, channel, value) {
				continue
			}
		} else {
			e.why.last().candidates++
		}
		e.offer(c, i, b)
	}
}

// offer takes a band that fits for what it asks for, unless an earlier one did.
func (e *Engine) offer(c *candidates, i int32, b *band) {
	switch b.kind {
	case tapKind, buttonKind:
		switch {
		case b.button() == Latching:
			if c.both == 0 {
				c.both = i
			}
		case c.tap == 0:
			c.tap, c.plain = i, b.plain()
		}
	case eagerKind:
		if c.eager == 0 {
			c.eager = i
		}
	case releaseKind:
		if c.up == 0 {
			c.up = i
		}
	case holdKind, tapsKind, chordKind:
		e.add(c, i, b)
	case rangeKind, followKind, turnKind, eventKind:
	}
}

// add keeps a band of a kind of which several may act, unless an earlier one asks for the same.
func (e *Engine) add(c *candidates, i int32, b *band) {
	t := &e.prog.Mappings[b.mapping].Trigger
	x := candidate{band: i, kind: b.kind}
	switch b.kind {
	case holdKind:
		x.n = int64(t.Duration)
	case tapsKind:
		x.n = int64(t.Taps)
	default:
		x.n = int64(b.mapping)
	}
	if !c.more {
		c.more = true
		e.also = e.also[:0]
	}
	for _, y := range e.also {
		if y.kind == x.kind && y.n == x.n {
			return
		}
	}
	e.also = append(e.also, x)
}

// key takes a note-on or note-off.
func (e *Engine) key(in *Input, q *port, out []effect.Effect) []effect.Effect {
	down := &q.channel(in.Channel).down[in.Number>>6&1]
	bit := uint64(1) << (in.Number & 63)
	if in.Kind == NoteOff || in.Value == 0 {
		switch {
		case *down&bit != 0:
			r := e.pressOf(in)
			if p := e.pressAt(r); p != nil && p.latch && !p.latched {
				p.latched = true
				return out
			}
			*down &^= bit
			return e.release(r, in.At, out)
		case e.prog.table.latching:
			var c candidates
			e.collectNote(&c, q.device, in, 1)
			if c.both != 0 {
				return e.fireFree(in, &e.prog.table.bands[c.both], 0, 0, out)
			}
		}
		return out
	}
	if *down&bit != 0 { // a second press without a release, or the end of a latched one
		r := e.pressOf(in)
		p := e.pressAt(r)
		latched := p != nil && p.latched
		*down &^= bit
		if out = e.release(r, in.At, out); latched {
			return out
		}
	}
	r := none // the first press of a series that this one may continue
	if e.waits > 0 {
		r = e.pressOf(in)
		out = e.elsewhere(in, q.device, r, out)
	}
	head := e.prog.find(e.mode, q.device, notePage, in.Number)
	if b := &e.prog.table.bands[head]; b.flags&soleBand != 0 && r == none && !e.prog.table.global && e.off == nil &&
		b.channels>>(in.Channel&15)&1 != 0 && b.lo <= in.Value && in.Value <= b.hi {
		return e.fireSole(in, b, out)
	}
	var c candidates
	e.collectNote(&c, q.device, in, in.Value)
	switch {
	case r == none && c.tap != 0 && c.plain && !c.more && c.eager|c.up|c.both == 0:
		return e.fireFree(in, &e.prog.table.bands[c.tap], in.Value, 0, out) // the release will have nothing to do: no press is kept
	case r != none || c.tap|c.eager|c.up|c.both != 0 || c.more:
		*down |= bit
		_, out = e.press(in, in.Value, r, &c, out)
	}
	return out
}

func (e *Engine) collectNote(c *candidates, device int, in *Input, value uint16) {
	if head := e.prog.find(e.mode, device, notePage, in.Number); head != 0 {
		e.collect(c, head, in.Channel, value)
	}
	if e.prog.table.global {
		if head := e.prog.find(len(e.prog.Modes), device, notePage, in.Number); head != 0 {
			e.collect(c, head, in.Channel, value)
		}
	}
}

// press begins a press of a note or of a value used as a button. R is the press of the same
// control that may be the beginning of a series, or none.
func (e *Engine) press(in *Input, value uint16, r ref, c *candidates, out []effect.Effect) (ref, []effect.Effect) {
	p := e.pressAt(r)
	if p != nil && p.prog != e.prog { // its bands are another program's
		p.button.Elsewhere(e.now)
		out = e.drain(r, e.now, in.At, out)
		p = e.pressAt(r)
	}
	if p == nil {
		id := e.presses.take()
		p = &e.presses.all[id]
		*p = press{
			prog: e.prog, gen: p.gen + 1, port: in.Port, channel: in.Channel, number: in.Number, note: in.Kind == NoteOn, used: true,
			holds: p.holds[:0], chords: p.chords[:0], series: p.series[:0],
			button: gesture.Button{Holds: p.button.Holds[:0]},
		}
		r = ref{id, p.gen}
	} else {
		p.holds, p.chords, p.button.Holds = p.holds[:0], p.chords[:0], p.button.Holds[:0]
	}
	e.timers.order++
	p.order = e.timers.order
	p.mode, p.value, p.tap, p.up, p.both, p.arrived = e.modeName(), value, c.tap, c.up, c.both, in.At
	p.pending, p.leader, p.over = -1, none, false
	p.latch = c.tap != 0 && e.prog.table.bands[c.tap].button() == Latch
	p.button.Tap, p.button.Chord = c.tap != 0, 0
	if c.more {
		e.give(p)
	}
	if p.button.Taps != 0 {
		if p.button.Count() == 0 {
			p.series = p.series[:0]
		}
		p.series = append(p.series, struck{p.tap, p.mode, value})
	}
	p.button.Press(e.now)
	if c.eager != 0 {
		out = e.fire(r, c.eager, e.now, in.At, out)
	}
	if c.both != 0 {
		out = e.fireFree(in, &e.prog.table.bands[c.both], value, 0, out)
	}
	done := false
	if len(p.chords) > 0 {
		done, out = e.join(r, in.At, out)
	}
	if p = e.pressAt(r); !done && p != nil {
		p.button.Decide(e.now)
		out = e.drain(r, e.now, in.At, out)
	}
	return r, out
}

// give hands a press the holds, taps and chords that were collected for it.
func (e *Engine) give(p *press) {
	first := p.button.Count() == 0 && p.button.Taps == 0
	for _, x := range e.also {
		m := &e.prog.Mappings[e.prog.table.bands[x.band].mapping]
		switch x.kind {
		case holdKind:
			i := len(p.holds)
			p.holds, p.button.Holds = append(p.holds, 0), append(p.button.Holds, 0)
			for ; i > 0 && p.button.Holds[i-1] > m.Trigger.Duration; i-- {
				p.holds[i], p.button.Holds[i] = p.holds[i-1], p.button.Holds[i-1]
			}
			p.holds[i], p.button.Holds[i] = x.band, m.Trigger.Duration
		case tapsKind:
			if first {
				if p.button.Taps == 0 {
					e.waits++
				}
				p.taps[x.n] = x.band
				p.button.Taps |= 1 << x.n
				p.button.Window = max(p.button.Window, m.Trigger.Duration)
			}
		default:
			p.chords = append(p.chords, int32(x.n))
			p.button.Chord = max(p.button.Chord, m.Trigger.Duration)
		}
	}
}

// elsewhere ends the series of every control of the device but the one whose press own is (R5).
func (e *Engine) elsewhere(in *Input, device int, own ref, out []effect.Effect) []effect.Effect {
	for i := range e.presses.all {
		p := &e.presses.all[i]
		if int32(i) == own.index || !p.used || p.button.Taps == 0 || !e.together(p, in.Port, device) {
			continue
		}
		p.button.Elsewhere(e.now)
		out = e.drain(ref{int32(i), p.gen}, e.now, in.At, out)
	}
	return out
}

// together says whether a press is on the port or on another of the same device.
func (e *Engine) together(p *press, id Port, device int) bool {
	if p.port == id {
		return true
	}
	q := e.ports[p.port]
	return q != nil && q.device == device && device < len(e.prog.Devices)
}

// drain does what came of a press, and sets its deadline anew or forgets it.
func (e *Engine) drain(r ref, at, arrived time.Duration, out []effect.Effect) []effect.Effect {
	p := &e.presses.all[r.index]
	count := len(p.series)
	for {
		o := p.button.Next()
		switch o.Kind {
		case gesture.Tap:
			band, mode, value, by := p.tap, p.mode, p.value, r
			if count > 0 {
				s := &p.series[o.N]
				band, mode, value = s.tap, s.mode, s.value
				if int(o.N) < count-1 {
					by = none // it was released before
				}
			}
			if band != 0 {
				out = e.fireFor(p, band, by, mode, value, at, arrived, out)
			}
			continue
		case gesture.Taps: // the first of them says in which mode and how hard
			out = e.fireFor(p, p.taps[o.N], r, p.series[0].mode, p.series[0].value, at, arrived, out)
			continue
		case gesture.Hold:
			out = e.fire(r, p.holds[o.N], at, arrived, out)
			continue
		case gesture.None:
		}
		break
	}
	if p.over && p.button.Idle() {
		e.drop(r)
	} else {
		e.rearm(r, p)
	}
	return out
}

// rearm sets the deadline of a press.
func (e *Engine) rearm(r ref, p *press) {
	due := p.button.Due()
	if p.timer != noTimer {
		if e.timers.due(p.timer) == due {
			return
		}
		e.timers.clear(p.timer)
		p.timer = noTimer
	}
	if due != gesture.Never {
		p.timer = e.timers.setAs(due, p.order, gestureDue, r.index)
		e.why.waiting(p, due)
	}
}

// fire starts the action of a band for a press.
func (e *Engine) fire(r ref, index int32, at, arrived time.Duration, out []effect.Effect) []effect.Effect {
	p := &e.presses.all[r.index]
	return e.fireFor(p, index, r, p.mode, p.value, at, arrived, out)
}

func (e *Engine) fireFor(p *press, index int32, by ref, mode string, value uint16, at, arrived time.Duration, out []effect.Effect) []effect.Effect {
	b := &p.prog.table.bands[index]
	m := &p.prog.Mappings[b.mapping]
	var a act
	a.origin, a.mapping, a.press = &m.Origin, m, by
	a.mode, a.value, a.at, a.arrived = mode, value, at, arrived
	if a.hi = 127; !p.note {
		a.hi = m.Trigger.Type.MaxValue()
	}
	if b.flags&gradedBand != 0 && b.kind <= eagerKind {
		a.grade()
	}
	e.why.fired(m)
	return e.act(&a, b, 0, none, out)
}

// fireFree starts a mapping's action for an event that has no release.
func (e *Engine) fireFree(in *Input, b *band, value uint16, steps int, out []effect.Effect) []effect.Effect {
	var a act // filled field by field, as in fire: a literal is built elsewhere and copied
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
		}
	}
	e.why.fired(m)
	return e.act(&a, b, steps, none, out)
}

// fireSole is fireFree for a tap that has nothing beside it: the way that most notes go.
func (e *Engine) fireSole(in *Input, b *band, out []effect.Effect) []effect.Effect {
	var a act
	m := &e.prog.Mappings[b.mapping]
	d := e.why.last()
	d.outcome, d.mapping, d.candidates = fired, m, 1
	a.origin, a.mapping, a.press = &m.Origin, m, none
	a.mode, a.value, a.hi, a.at, a.arrived = e.modeName(), in.Value, 127, e.now, in.At
	return e.perform(&a, b.action, none, out)
}

// expire is a press's deadline.
func (e *Engine) expire(id int32, at time.Duration, out []effect.Effect) []effect.Effect {
	p := &e.presses.all[id]
	e.timers.clear(p.timer)
	p.timer = noTimer
	r := ref{id, p.gen}
	e.noteDeadline(p, at)
	if p.pending >= 0 { // it is the oldest of a chord, and nothing larger can come any more
		return e.fireChord(p, p.pending, at, at, out)
	}
	p.button.Expire(at)
	return e.drain(r, at, at, out)
}

// release ends a press at the present time.
func (e *Engine) release(r ref, arrived time.Duration, out []effect.Effect) []effect.Effect {
	p := e.pressAt(r)
	if p == nil {
		return out
	}
	p.over = true
	out = e.letGoOf(r, effect.ByMapping, e.now, out)
	if p.leader != none && p.leader != r {
		out = e.letGoOf(p.leader, effect.ByMapping, e.now, out)
	}
	e.endRunsOf(r)
	if p.pending >= 0 {
		out = e.fireChord(p, p.pending, e.now, arrived, out)
	}
	p.button.Release(e.now)
	if p.up != 0 {
		out = e.fireFor(p, p.up, none, p.mode, p.value, e.now, arrived, out)
	}
	if p.both != 0 {
		out = e.fireFor(p, p.both, none, p.mode, 0, e.now, arrived, out)
	}
	return e.drain(r, e.now, arrived, out)
}

// drop forgets a press; what it holds must be let go of before.
func (e *Engine) drop(r ref) {
	p := &e.presses.all[r.index]
	e.timers.clear(p.timer)
	if p.button.Taps != 0 {
		e.waits--
		p.button.Taps = 0
		p.taps = [MaxTaps + 1]int32{}
	}
	p.timer, p.used, p.prog = noTimer, false, nil
	e.presses.give(r.index)
}

// cancel makes nothing come of a press any more, while it is still down.
func (e *Engine) cancel(p *press) {
	p.button.Cancel()
	p.pending, p.up, p.both = -1, 0, 0
	e.timers.clear(p.timer)
	p.timer = noTimer
}

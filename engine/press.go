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
	latched bool  // something of it lasts until the next press of the control
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

// press begins a press of a note or of a value used as a button. R is the press of the same
// control that may be the beginning of a series, or none.
func (e *Engine) press(in *Input, value uint16, r ref, c *candidates, out []effect.Effect) (ref, []effect.Effect) {
	p := e.pressAt(r)
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
	p.button.Chord = 0
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
		out = e.fireFree(in, c.both, value, 0, out)
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
				p.button.Windows[x.n] = m.Trigger.Duration
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
	out = e.outcomes(r, at, arrived, out)
	e.rest(r)
	return out
}

// outcomes does what came of a press.
func (e *Engine) outcomes(r ref, at, arrived time.Duration, out []effect.Effect) []effect.Effect {
	for {
		p := e.pressAt(r)
		if p == nil {
			return out
		}
		switch o := p.button.Next(); o.Kind {
		case gesture.Tap:
			out = e.tapped(p, r, int(o.First), at, arrived, out)
		case gesture.Taps: // the first of them says in which mode and how hard
			s, by := &p.series[o.First], r
			if int(o.First)+int(o.N) < len(p.series) && p.prog.table.bands[p.taps[o.N]].button() != Latch {
				by = none // the last of them was released before
			}
			out = e.fireFor(p, p.taps[o.N], by, s.mode, s.value, at, arrived, out)
		case gesture.Hold:
			out = e.fire(r, p.holds[o.N], at, arrived, out)
		case gesture.None:
			return out
		}
	}
}

// tapped does what the n-th press of a series means by itself, or the only one.
func (e *Engine) tapped(p *press, r ref, n int, at, arrived time.Duration, out []effect.Effect) []effect.Effect {
	band, mode, value, by := p.tap, p.mode, p.value, r
	if len(p.series) > 0 {
		s := &p.series[n]
		if band, mode, value = s.tap, s.mode, s.value; n < len(p.series)-1 {
			by = none // it was released before
		}
	}
	switch {
	case band == 0:
		return out
	case p.prog.table.bands[band].button() != Latch:
	case n > 0 && p.latched: // the tap before did it
		return e.unlatch(r, effect.ByMapping, at, out)
	default:
		by = r
	}
	return e.fireFor(p, band, by, mode, value, at, arrived, out)
}

// rest sets the deadline of a press anew, or forgets it if nothing can come of it any more.
func (e *Engine) rest(r ref) {
	p := e.pressAt(r)
	switch {
	case p == nil:
	case p.over && !p.latched && p.button.Idle():
		e.drop(r)
	default:
		e.rearm(r, p)
	}
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

// release ends a press at the present time. What its gestures come to is done before what acts
// at every release.
func (e *Engine) release(r ref, arrived time.Duration, out []effect.Effect) []effect.Effect {
	p := e.pressAt(r)
	if p == nil {
		return out
	}
	p.over = true
	out = e.letGoOf(r, p.leader, momentary, effect.ByMapping, e.now, out)
	e.endRunsOf(r, p.leader, momentary)
	if p.pending >= 0 {
		out = e.fireChord(p, p.pending, e.now, arrived, out)
	}
	p.button.Release(e.now)
	out = e.outcomes(r, e.now, arrived, out)
	if p = e.pressAt(r); p != nil && p.up != 0 {
		out = e.fireFor(p, p.up, none, p.mode, p.value, e.now, arrived, out)
	}
	if p = e.pressAt(r); p != nil && p.both != 0 {
		out = e.fireFor(p, p.both, none, p.mode, 0, e.now, arrived, out)
	}
	e.rest(r)
	return out
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
	if p.latched {
		e.latches--
	}
	p.timer, p.used, p.prog = noTimer, false, nil
	e.presses.give(r.index)
}

// cancel makes nothing come of a press any more, while it is still down. A control that latches
// by itself goes on: its way back is a press too.
func (e *Engine) cancel(p *press) {
	p.button.Cancel()
	p.pending, p.up = -1, 0
	e.timers.clear(p.timer)
	p.timer = noTimer
}

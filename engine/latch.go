package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// What a press does lasts until its release, or, where its mapping latches the control, until
// the next press of it. That press ends it and means nothing else, but for what acts at every
// press or release (eager, NoteRelease). When something else lets go of what is latched (a
// gate, panic, the loss of the sink), the latch is off too: the next press latches anew.

// The ways in which something lasts.
const (
	momentary = false
	latched   = true
)

// latch makes what a press does next last until the next press.
func (e *Engine) latch(p *press) {
	if !p.latched {
		p.latched = true
		e.latches++
	}
}

// unlatch ends what a press latched.
func (e *Engine) unlatch(r ref, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.letGoOf(r, none, latched, cause, at, out)
	e.lapse(r)
	return out
}

// lapse is the end of a latched press that holds nothing any more. The press itself stays until
// somebody lets it rest.
func (e *Engine) lapse(r ref) {
	if p := e.pressAt(r); p != nil && p.latched {
		p.latched = false
		e.latches--
		e.endRunsOf(r, none, latched)
	}
}

// lapseIfEmpty is for a press of which something that was latched is gone.
func (e *Engine) lapseIfEmpty(r ref) {
	for i := range e.ledger.holds.all {
		if h := &e.ledger.holds.all[i]; h.used && h.latched && h.press == r {
			return
		}
	}
	e.lapse(r)
	e.rest(r)
}

// lapseAll is for when everything held was let go of. What a latched sequence does on behind a
// closed gate keeps its press latched.
func (e *Engine) lapseAll() {
	if e.latches == 0 {
		return
	}
	for i := range e.presses.all {
		p := &e.presses.all[i]
		if r := (ref{int32(i), p.gen}); p.used && p.latched && !e.goesOn(r) {
			e.lapse(r)
			e.rest(r)
		}
	}
}

// goesOn says whether a latched sequence of a press acts in spite of the gates.
func (e *Engine) goesOn(press ref) bool {
	for i := range e.runs.all {
		if r := &e.runs.all[i]; r.used && r.latched && r.press == press && e.closed(r.mapping) == effect.None {
			return true
		}
	}
	return false
}

// before does what comes before a press of a control, whose press until now is own or none: the
// taps of others mean what they mean (R5), and what the control latched ends. Ended says that
// it did, and that this press means nothing else.
func (e *Engine) before(in *Input, device int, own ref, out []effect.Effect) (_ ref, ended bool, _ []effect.Effect) {
	if e.waits > 0 {
		out = e.elsewhere(in, device, own, out)
	}
	p := e.pressAt(own)
	if p != nil && p.prog != e.prog { // its bands are another program's: its taps are over too
		p.button.Elsewhere(e.now)
		out = e.drain(own, e.now, in.At, out)
		p = e.pressAt(own)
	}
	if p == nil {
		return none, false, out
	}
	if !p.latched {
		return own, false, out
	}
	out = e.unlatch(own, effect.ByMapping, e.now, out)
	p.button.Elsewhere(e.now)
	return none, true, e.drain(own, e.now, in.At, out)
}

// spend leaves of a press that ended a latch what acts at every press and release.
func (e *Engine) spend(c *candidates) {
	c.tap, c.more = 0, false
	if c.eager != 0 && e.prog.table.bands[c.eager].button() == Latch {
		c.eager = 0
	}
}

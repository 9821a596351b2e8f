package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// tapTime is how long a tapped key is down: shorter, and some programs do not see it.
const tapTime = 20 * time.Millisecond

// keyCount is KEY_MAX + 1 of linux/input-event-codes.h.
const keyCount = 0x300

// ledger knows everything that is held down, and by what.
type ledger struct {
	count [keyCount]uint16 // how many holds a key has
	holds pool[hold]
	live  int // holds in use
}

// hold is something that goes on: a chord of keys, a note that was begun, or a mode.
type hold struct {
	chord   effect.Chord
	action  effect.Action
	origin  *effect.Origin
	name    string // the mode in which it began
	press   ref    // the press whose release ends it; none for a tap
	run     ref    // the sequence that waits for it
	timer   int32  // tapDue or heldTooLong
	gen     uint32
	mode    uint32 // the id of a held mode; 0: none
	order   uint64 // among holds
	value   uint16
	used    bool
	tap     bool
	latched bool // the next press ends it, not the release
}

// act is who does something, in which circumstances.
//
// The origin is taken from its slice, not through mapping: a field's address behind a pointer
// costs a look at the memory, and there a cache miss.
type act struct {
	origin  *effect.Origin
	mapping *Mapping
	press   ref
	mode    string
	value   uint16
	lo, hi  uint16 // between which the value stands
	step    uint16
	steps   int16
	hit     effect.Hit
	of      uint32 // the decision that fired it, as an effect has it
	latched bool   // the control's next press ends what lasts of it, not the release
	at      time.Duration
	arrived time.Duration
}

// grade says how hard the hit was.
func (a *act) grade() {
	switch t := &a.mapping.Trigger; {
	case a.value <= uint16(t.Soft):
		a.hit = effect.Soft
	case a.value <= uint16(t.Medium):
		a.hit = effect.Medium
	default:
		a.hit = effect.Hard
	}
}

// place is where the value stands, from 0 to 1.
func (a *act) place() float64 {
	if a.hi <= a.lo || a.value <= a.lo {
		return 0
	}
	return min(1, float64(a.value-a.lo)/float64(a.hi-a.lo))
}

// emit appends an effect. It fills the place where it will stand: copying it there costs as
// much as finding the mapping.
func (a *act) emit(kind effect.Kind, action effect.Action, out []effect.Effect) []effect.Effect {
	out = grown(out)
	x := &out[len(out)-1]
	x.Kind, x.Cause, x.Step, x.Steps, x.Value, x.Hit, x.Of, x.Hold = kind, effect.None, a.step, a.steps, a.value, a.hit, a.of, 0
	x.Level = 0
	x.Keys.Clear()
	x.At, x.Arrived = a.at, a.arrived
	x.Origin, x.Action = a.origin, action
	x.Mode, x.Old = a.mode, ""
	return out
}

// hold begins something that goes on: until the press of a ends if that is still down and the
// action lasts, else for tapTime.
func (e *Engine) hold(a *act, action effect.Action, chord *effect.Chord, lasts bool, run ref, out []effect.Effect) []effect.Effect {
	if lasts && e.holds(a, action, run) {
		return out
	}
	out = e.endTaps(chord, a.at, out)
	id := e.take(a, action, lasts, run)
	l := &e.ledger
	h := &l.holds.all[id]
	h.chord = *chord
	out = a.emit(effect.KeyDown, action, out)
	x := &out[len(out)-1]
	x.Hold = h.id(id)
	for _, key := range chord.Keys() {
		if l.count[key]++; l.count[key] == 1 {
			x.Keys.Add(key)
		}
	}
	return out
}

// holds says whether a step of a sequence is at something that an earlier pass of it began and that
// goes on: it is not begun again.
func (e *Engine) holds(a *act, action effect.Action, run ref) bool {
	if run == none || !e.willEnd(a) {
		return false
	}
	for i := range e.ledger.holds.all {
		if h := &e.ledger.holds.all[i]; h.used && h.action == action && h.press == a.press {
			return true
		}
	}
	return false
}

// take makes a hold.
func (e *Engine) take(a *act, action effect.Action, lasts bool, run ref) int32 {
	l := &e.ledger
	id := l.holds.take()
	h := &l.holds.all[id]
	*h = hold{action: action, origin: a.origin, name: a.mode, press: none, run: none, gen: h.gen + 1, value: a.value, used: true}
	l.live++
	e.timers.order++
	h.order = e.timers.order
	if lasts && e.willEnd(a) {
		h.press, h.latched = a.press, a.latched
		if !h.latched {
			h.timer = e.timers.set(a.at+e.prog.Timing.MaxHold, heldTooLong, id)
		}
	} else {
		h.tap, h.run = true, run
		h.timer = e.timers.set(a.at+tapTime, tapDue, id)
	}
	return id
}

// willEnd says whether something is still to come that ends what lasts of an act: the release of
// its control, or the next press.
func (e *Engine) willEnd(a *act) bool {
	p := e.pressAt(a.press)
	return p != nil && (a.latched || !p.over)
}

// id tells holds apart for those outside: never 0, and not soon the same again.
func (h *hold) id(index int32) uint32 { return h.gen<<16 | uint32(index+1)&0xffff }

// endTaps releases the taps in flight that a new chord needs a key of.
func (e *Engine) endTaps(c *effect.Chord, at time.Duration, out []effect.Effect) []effect.Effect {
	l := &e.ledger
	for _, key := range c.Keys() {
		if l.count[key] == 0 {
			continue
		}
		for i := range l.holds.all {
			if h := &l.holds.all[i]; h.used && h.tap && h.has(key) {
				out = e.letGo(int32(i), effect.None, at, out)
			}
		}
	}
	return out
}

func (h *hold) has(key effect.Key) bool {
	for _, k := range h.chord.Keys() {
		if k == key {
			return true
		}
	}
	return false
}

// letGo ends a hold. A sequence that waits for it goes on.
func (e *Engine) letGo(id int32, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	l := &e.ledger
	h := &l.holds.all[id]
	if mode := h.mode; mode != 0 {
		e.forget(id)
		_, out = e.releaseMode(mode, effect.ByHold, at, out)
		return out
	}
	x := effect.Effect{
		Kind: effect.KeyUp, Cause: cause, Value: h.value, Hold: h.id(id), At: at, Arrived: at,
		Origin: h.origin, Action: h.action, Mode: h.name,
	}
	keys := h.chord.Keys()
	for i := len(keys) - 1; i >= 0; i-- {
		if l.count[keys[i]]--; l.count[keys[i]] == 0 {
			x.Keys.Add(keys[i])
		}
	}
	e.resume(h.run, at)
	e.forget(id)
	return append(out, x)
}

// forget drops a hold without a word.
func (e *Engine) forget(id int32) {
	l := &e.ledger
	h := &l.holds.all[id]
	e.timers.clear(h.timer)
	h.timer, h.used = noTimer, false
	l.holds.give(id)
	l.live--
}

// letGoOf ends the holds of a press, and of a second one if that is not none: those that its
// release ends, or those that the next press does.
func (e *Engine) letGoOf(p, q ref, latched bool, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	return e.letGoWhere(func(h *hold) bool {
		return h.latched == latched && (h.press == p || h.press == q) && h.press != none
	}, cause, at, out)
}

// letGoAll ends every hold, but not what a mode that returns thereby begins.
func (e *Engine) letGoAll(cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	newest := e.timers.order
	return e.letGoWhere(func(h *hold) bool { return h.order <= newest }, cause, at, out)
}

// letGoWhere ends the holds that are meant, the newest first, as a chord's keys go up.
func (e *Engine) letGoWhere(meant func(h *hold) bool, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	for e.ledger.live > 0 {
		newest, order := int32(-1), uint64(0)
		for i := range e.ledger.holds.all {
			if h := &e.ledger.holds.all[i]; h.used && h.order > order && meant(h) {
				newest, order = int32(i), h.order
			}
		}
		if newest < 0 {
			break
		}
		out = e.letGo(newest, cause, at, out)
	}
	return out
}

// Held is how many keys are down.
func (e *Engine) Held() int {
	n := 0
	for _, c := range e.ledger.count {
		if c > 0 {
			n++
		}
	}
	return n
}

// SinkLost forgets the keys that are held: what held them is gone, and they with it.
func (e *Engine) SinkLost(at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	for i := range e.ledger.holds.all {
		if h := &e.ledger.holds.all[i]; h.used && h.chord.Len() > 0 {
			e.resume(h.run, e.now)
			e.forget(int32(i))
			if h.latched {
				e.lapseIfEmpty(h.press)
			}
		}
	}
	e.ledger.count = [keyCount]uint16{}
	return out
}

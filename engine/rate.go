package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// The actions that may start only so often a second.
const (
	shellRate = iota
	launchRate
	notifyRate
	callRate
	emitRate
	rateClasses
)

var ratesPerSecond = [rateClasses]int{5, 5, 5, 25, 25}

func rateOf(a effect.Action) int {
	switch a.(type) {
	case *effect.Shell:
		return shellRate
	case *effect.Launch:
		return launchRate
	case *effect.Notify:
		return notifyRate
	case *effect.DBusCall:
		return callRate
	default:
		return emitRate
	}
}

// rate remembers the newest starts.
type rate struct {
	starts [25]time.Duration
	oldest int
	full   bool // there were as many as may be
	most   int
}

// allow says whether one more may start now, and else when.
func (r *rate) allow(at time.Duration) (next time.Duration, ok bool) {
	if r.full && at-r.starts[r.oldest] < time.Second {
		return r.starts[r.oldest] + time.Second, false
	}
	r.starts[r.oldest] = at
	if r.oldest++; r.oldest == r.most {
		r.oldest, r.full = 0, true
	}
	return 0, true
}

// late is an action with a value that came too fast. The newest value has its turn as soon as
// the rate allows it.
type late struct {
	act
	action effect.Action
	timer  int32
	used   bool
}

// tooFast puts off an action that works with the control's value, and refuses any other.
func (e *Engine) tooFast(a *act, action effect.Action, next time.Duration, out []effect.Effect) []effect.Effect {
	if !effect.TakesValue(action) || a.hi == 0 {
		return e.refuse(a, action, effect.TooFast, out)
	}
	e.why.refused(effect.TooFast)
	for i := range e.late.all {
		if l := &e.late.all[i]; l.used && l.mapping == a.mapping && l.action == action {
			l.act = *a
			return out
		}
	}
	id := e.late.take()
	e.late.all[id] = late{act: *a, action: action, used: true, timer: e.timers.set(next, lateDue, id)}
	return out
}

// makeUp performs what came too fast, with its newest value.
func (e *Engine) makeUp(id int32, at time.Duration, out []effect.Effect) []effect.Effect {
	l := e.late.all[id]
	e.forgetLate(id)
	l.at, l.arrived = at, at
	l.of = e.noteTime(l.mapping, at)
	for i := range e.next {
		if e.mapping(i) == l.mapping {
			e.next[i] = at + time.Duration(float64(time.Second)/l.mapping.MaxRate)
		}
	}
	return e.perform(&l.act, l.action, none, out)
}

func (e *Engine) forgetLate(id int32) {
	e.timers.clear(e.late.all[id].timer)
	e.late.all[id] = late{}
	e.late.give(id)
}

// endLate forgets what came too fast.
func (e *Engine) endLate() {
	for i := range e.late.all {
		if e.late.all[i].used {
			e.forgetLate(int32(i))
		}
	}
}

package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// maxDepth is how deep actions may stand in each other; configurations are held to it.
const maxDepth = 8

// minPause is the least time between two passes of a Repeat without an end.
const minPause = 10 * time.Millisecond

// run is a sequence or repetition under way.
type run struct {
	act
	stack  [maxDepth]frame
	depth  int
	cancel effect.Cancel
	timer  int32
	gen    uint32
	used   bool
}

// frame is a list of actions, or one, that is performed, perhaps several times.
type frame struct {
	list  []effect.Action
	one   effect.Action // instead of list
	next  int
	left  int // passes after this one; -1: without end
	pause time.Duration
}

func (f *frame) len() int {
	if f.one != nil {
		return 1
	}
	return len(f.list)
}

func (f *frame) take() effect.Action {
	f.next++
	if f.one != nil {
		return f.one
	}
	return f.list[f.next-1]
}

// frameOf is what there is to do of an action that consists of others.
func (e *Engine) frameOf(a *act, action effect.Action) (frame, bool) {
	switch action := action.(type) {
	case *effect.Sequence:
		return frame{list: action.Actions}, true
	case *effect.Repeat:
		f := frame{one: action.Action, left: action.Count - 1, pause: action.Delay}
		if action.Count == 0 {
			f.pause = max(f.pause, minPause)
			if action.Cancel == effect.CancelRelease && !e.willEnd(a) {
				f.left = 0 // nothing would ever end it
			}
		}
		return f, true
	}
	return frame{}, false
}

func (e *Engine) runAt(r ref) *run {
	if r.index < 0 {
		return nil
	}
	if x := &e.runs.all[r.index]; x.used && x.gen == r.gen {
		return x
	}
	return nil
}

// act does the action of a mapping, once for every step unless the action multiplies by them.
func (e *Engine) act(a *act, action effect.Action, b *band, steps int, run ref, out []effect.Effect) []effect.Effect {
	if steps == 0 && b.flags&guardedBand == 0 {
		return e.perform(a, action, run, out)
	}
	return e.actOf(a, action, b.flags&guardedBand != 0, b.mapping, steps, run, out)
}

// maxSteps bounds what one message of an encoder can do.
const maxSteps = 64

func (e *Engine) actOf(a *act, action effect.Action, guarded bool, mapping int32, steps int, run ref, out []effect.Effect) []effect.Effect {
	if guarded && a.mapping.MaxRate > 0 && a.mapping == e.mapping(mapping) {
		next := e.next[mapping]
		if a.at < next {
			return e.tooFast(a, action, next, out)
		}
		e.next[mapping] = a.at + time.Duration(float64(time.Second)/a.mapping.MaxRate)
	}
	times := 1
	switch {
	case steps == 0:
	case effect.TakesSteps(action):
		a.steps = int16(max(-1<<15, min(steps, 1<<15-1)))
	default:
		times = min(max(steps, -steps), maxSteps)
	}
	for range times {
		out = e.perform(a, action, run, out)
	}
	return out
}

// mapping is a mapping of the program that acts, or nil: a press may be of the one before.
func (e *Engine) mapping(i int32) *Mapping {
	if int(i) < len(e.prog.Mappings) {
		return &e.prog.Mappings[i]
	}
	return nil
}

// perform does an action if the gates let it. Run is the sequence that it is a step of.
func (e *Engine) perform(a *act, action effect.Action, run ref, out []effect.Effect) []effect.Effect {
	if e.gates != 0 {
		if cause := e.closed(a.mapping); cause != effect.None {
			return e.refuse(a, action, cause, out)
		}
	}
	switch action := action.(type) {
	case *effect.Keystroke:
		return e.hold(a, action, &action.Chord, action.Hold, run, a.emit(effect.Act, action, out))
	case *effect.Media, *effect.Text, *effect.Open:
		return a.emit(effect.Act, action, out)
	case *effect.Shell, *effect.Launch, *effect.Notify:
		if next, ok := e.rates[rateOf(action)].allow(a.at); !ok {
			return e.tooFast(a, action, next, out)
		}
		return a.emit(effect.Act, action, out)
	case *effect.Sequence, *effect.Repeat:
		return e.begin(a, action, a.emit(effect.Act, action, out))
	case *effect.ModeChange:
		return e.modeChange(a, action, run, a.emit(effect.Act, action, out))
	case *effect.Toggle, *effect.Conditional:
		branch, out := e.branch(a, action, out)
		if branch == nil {
			return out
		}
		return e.perform(a, branch, run, out)
	case *effect.MouseClick:
		return e.hold(a, action, &action.Chord, action.Hold, run, a.emit(effect.Act, action, out))
	case *effect.Panic:
		return e.letGoOfAll(effect.ByPanic, a.at, a.emit(effect.Act, action, out))
	case *effect.DBusCall, *effect.Emit:
		if next, ok := e.rates[rateOf(action)].allow(a.at); !ok {
			return e.tooFast(a, action, next, out)
		}
	}
	out = a.emit(effect.Act, action, out)
	x := &out[len(out)-1]
	if v := effect.ValueOf(action); v != nil {
		x.Level = v.Of(a.place(), a.hit)
	}
	if m, ok := action.(*effect.SendMidi); ok && m.Hold && m.Message == effect.SendNoteOn {
		level := x.Level
		out = e.hold(a, m, &effect.Chord{}, true, run, out)
		out[len(out)-1].Level = level
	}
	return out
}

// branch decides what a Toggle or Conditional does, and says so.
func (e *Engine) branch(a *act, action effect.Action, out []effect.Effect) (effect.Action, []effect.Effect) {
	yes, then, other := false, effect.Action(nil), effect.Action(nil)
	switch action := action.(type) {
	case *effect.Toggle:
		yes = !e.toggles[action.State]
		e.toggles[action.State] = yes
		then, other = action.On, action.Off
	case *effect.Conditional:
		yes = action.If.Holds(e.world, e.modeName())
		then, other = action.Then, action.Else
	}
	out = a.emit(effect.Act, action, out)
	if !yes {
		return other, out
	}
	out[len(out)-1].Level = 1
	return then, out
}

// Toggles is which toggles are on, by state.
func (e *Engine) Toggles() map[string]bool {
	on := map[string]bool{}
	for state, is := range e.toggles {
		on[state] = is
	}
	return on
}

// SetToggle switches a toggle without doing anything.
func (e *Engine) SetToggle(state string, on bool) { e.toggles[state] = on }

func (e *Engine) modeChange(a *act, m *effect.ModeChange, run ref, out []effect.Effect) []effect.Effect {
	if m.Hold && e.holds(a, m, run) {
		return out
	}
	mode := e.prog.modeIndex(m.Mode) // by name: the press may be of the program before
	if m.Mode == "" {
		mode = e.after(m.Step)
	}
	if m.Hold && e.willEnd(a) && mode >= 0 {
		id, out := e.holdMode(mode, a.at, out)
		h := e.take(a, m, true, none)
		e.ledger.holds.all[h].mode = id
		return out
	}
	return e.setBase(mode, effect.ByMapping, a.at, out)
}

// begin starts a sequence or repetition.
func (e *Engine) begin(a *act, action effect.Action, out []effect.Effect) []effect.Effect {
	f, _ := e.frameOf(a, action)
	id := e.runs.take()
	r := &e.runs.all[id]
	*r = run{act: *a, gen: r.gen + 1, used: true, depth: 1}
	r.stack[0] = f
	r.steps = 0
	switch action := action.(type) {
	case *effect.Sequence:
		r.cancel = action.Cancel
	case *effect.Repeat:
		r.cancel = action.Cancel
	}
	if r.cancel == effect.CancelRelease && !e.willEnd(a) {
		r.cancel = effect.CancelNever // there is no release to come
	}
	return e.steps(ref{id, r.gen}, a.at, out)
}

// resume makes a sequence go on at an instant, in its turn among the deadlines.
func (e *Engine) resume(id ref, at time.Duration) {
	if r := e.runAt(id); r != nil && r.timer == noTimer {
		r.timer = e.timers.set(at, runDue, id.index)
	}
}

// steps performs a sequence until it has to wait or ends.
func (e *Engine) steps(id ref, at time.Duration, out []effect.Effect) []effect.Effect {
	for {
		r := e.runAt(id) // the slice may have moved, or the step ended everything
		if r == nil {
			return out
		}
		f := &r.stack[r.depth-1]
		if f.next == f.len() {
			switch {
			case f.left == 0:
				if r.depth--; r.depth == 0 {
					e.end(id)
					return out
				}
				continue
			case f.left > 0:
				f.left--
			}
			if f.next = 0; f.pause > 0 {
				r.timer = e.timers.set(at+f.pause, runDue, id.index)
				return out
			}
			continue
		}
		action := f.take()
		if at > r.at { // after a wait it is time that acts
			r.at, r.arrived = at, at
		}
		if next, ok := e.frameOf(&r.act, action); ok {
			r.push(next)
			continue
		}
		r.step++
		a := r.act
		switch action := action.(type) {
		case *effect.Delay:
			r.timer = e.timers.set(at+action.For, runDue, id.index)
			return a.emit(effect.Act, action, out)
		case *effect.Toggle, *effect.Conditional:
			var branch effect.Action
			if branch, out = e.branch(&a, action, out); branch != nil {
				r.push(frame{one: branch})
			}
			continue
		}
		out = e.perform(&a, action, id, out)
		if e.waitsFor(id) {
			return out // its release goes on
		}
	}
}

// push makes the run perform a frame before it goes on. Configurations are never deeper.
func (r *run) push(f frame) {
	if r.depth < maxDepth && f.len() > 0 {
		r.stack[r.depth] = f
		r.depth++
	}
}

// waitsFor says whether a tap in flight will resume the run.
func (e *Engine) waitsFor(id ref) bool {
	if e.ledger.live == 0 {
		return false
	}
	for i := range e.ledger.holds.all {
		if h := &e.ledger.holds.all[i]; h.used && h.run == id {
			return true
		}
	}
	return false
}

// end forgets a run.
func (e *Engine) end(id ref) {
	r := &e.runs.all[id.index]
	e.timers.clear(r.timer)
	*r = run{gen: r.gen}
	e.runs.give(id.index)
}

// endRuns ends every sequence.
func (e *Engine) endRuns() {
	for i := range e.runs.all {
		if e.runs.all[i].used {
			e.end(ref{int32(i), e.runs.all[i].gen})
		}
	}
}

// endRunsOf is for when a press ends, or what it latched, and a second one if that is not none: it
// ends their sequences that this ends. What others still begin does not wait for an end any more.
func (e *Engine) endRunsOf(p, q ref, latched bool) {
	for i := range e.runs.all {
		r := &e.runs.all[i]
		switch {
		case !r.used || r.press == none || r.press != p && r.press != q || r.latched != latched:
		case r.cancel == effect.CancelRelease:
			e.end(ref{int32(i), r.gen})
		default:
			r.press = none
		}
	}
}

// endRunsForMode ends the sequences that another mode ends, but for one that is at it.
func (e *Engine) endRunsForMode() {
	for i := range e.runs.all {
		if r := &e.runs.all[i]; r.used && r.cancel == effect.CancelMode && r.timer != noTimer {
			e.end(ref{int32(i), r.gen})
		}
	}
}

func (e *Engine) refuse(a *act, action effect.Action, cause effect.Cause, out []effect.Effect) []effect.Effect {
	e.why.refused(cause)
	out = a.emit(effect.Refused, action, out)
	out[len(out)-1].Cause = cause
	return out
}

// closed is the gate that keeps a mapping from acting now, the user's own first.
func (e *Engine) closed(m *Mapping) effect.Cause {
	for _, g := range [...]effect.Cause{effect.Paused, effect.Inhibited, effect.Inactive, effect.Locked} {
		if e.gates&(1<<g) != 0 && (g != effect.Locked || !m.WhenLocked) {
			return g
		}
	}
	return effect.None
}

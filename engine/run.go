package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// maxDepth is how deep sequences may stand in each other; configurations are held to it.
const maxDepth = 8

// run is a sequence under way.
type run struct {
	act
	stack [maxDepth]frame
	depth int
	timer int32
	gen   uint32
	used  bool
}

type frame struct {
	seq  *effect.Sequence
	next int
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

// perform does an action if the gates let it. Run is the sequence that it is a step of.
func (e *Engine) perform(a *act, action effect.Action, run ref, out []effect.Effect) []effect.Effect {
	if e.gates != 0 {
		if cause := e.closed(a.mapping); cause != effect.None {
			return a.refuse(action, cause, out)
		}
	}
	switch action := action.(type) {
	case *effect.Keystroke:
		return e.pressKeys(a, action, run, a.emit(effect.Act, action, out))
	case *effect.Shell:
		if !e.shell.allow(a.at) {
			return a.refuse(action, effect.TooFast, out)
		}
	case *effect.Sequence:
		return e.begin(a, action, a.emit(effect.Act, action, out))
	case *effect.ModeChange:
		return e.changeMode(e.modeIndex(action.Mode), effect.ByMapping, a.at, a.emit(effect.Act, action, out))
	}
	return a.emit(effect.Act, action, out)
}

// begin starts a sequence.
func (e *Engine) begin(a *act, seq *effect.Sequence, out []effect.Effect) []effect.Effect {
	id := e.runs.take()
	r := &e.runs.all[id]
	*r = run{act: *a, gen: r.gen + 1, used: true, depth: 1}
	r.stack[0].seq = seq
	return e.steps(ref{id, r.gen}, a.at, out)
}

// resume makes a sequence go on at an instant, in its turn among the deadlines.
func (e *Engine) resume(id ref, at time.Duration) {
	if r := e.runAt(id); r != nil {
		r.timer = e.timers.set(at, runDue, id.index)
	}
}

// steps performs a sequence until it has to wait or ends.
func (e *Engine) steps(id ref, at time.Duration, out []effect.Effect) []effect.Effect {
	for {
		r := e.runAt(id) // the slice may have moved
		if r == nil {
			return out
		}
		for r.depth > 0 && r.stack[r.depth-1].next == len(r.stack[r.depth-1].seq.Actions) {
			r.depth--
		}
		if r.depth == 0 {
			e.end(id)
			return out
		}
		f := &r.stack[r.depth-1]
		action := f.seq.Actions[f.next]
		f.next++
		if seq, ok := action.(*effect.Sequence); ok {
			r.stack[r.depth] = frame{seq: seq}
			r.depth++
			continue
		}
		if at > r.at { // after a wait it is time that acts
			r.at, r.arrived = at, at
		}
		r.step++
		a := r.act
		if d, ok := action.(*effect.Delay); ok {
			r.timer = e.timers.set(at+d.For, runDue, id.index)
			return a.emit(effect.Act, d, out)
		}
		out = e.perform(&a, action, id, out)
		if _, ok := action.(*effect.Keystroke); ok && e.waitsFor(id) {
			return out // its release goes on
		}
	}
}

// waitsFor says whether a tap in flight will resume the run.
func (e *Engine) waitsFor(id ref) bool {
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

// shellRate is how many commands may start in a second.
const shellRate = 5

// rate remembers the newest starts.
type rate struct {
	starts [shellRate]time.Duration
	oldest int
	full   bool // there were as many as that
}

func (r *rate) allow(at time.Duration) bool {
	if r.full && at-r.starts[r.oldest] < time.Second {
		return false
	}
	r.starts[r.oldest] = at
	if r.oldest++; r.oldest == shellRate {
		r.oldest, r.full = 0, true
	}
	return true
}

func (a *act) refuse(action effect.Action, cause effect.Cause, out []effect.Effect) []effect.Effect {
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

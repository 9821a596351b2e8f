package engine

import (
	"slices"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// join looks whether a press, just made, completes a chord, and fires the largest that it
// does, unless a larger one may still come. Then the chord is pending until the deadline of
// its oldest press, or a release. Done says that the press is accounted for.
func (e *Engine) join(r ref, arrived time.Duration, out []effect.Effect) (done bool, _ []effect.Effect) {
	p := e.pressAt(r)
	best := int32(-1)
	for _, m := range p.chords {
		if (best < 0 || e.size(m) > e.size(best)) && e.complete(m, p) {
			best = m
		}
	}
	if best < 0 {
		return false, out
	}
	for _, m := range p.chords {
		if e.size(m) > e.size(best) && e.mayGrow(best, m, p) {
			taken := false
			for i := range e.presses.all {
				if q := &e.presses.all[i]; e.member(q, best, p) {
					taken = taken || q.pending >= 0
					q.pending = best
				}
			}
			if taken {
				e.leave()
			}
			e.rearm(r, p)
			return true, out
		}
	}
	return true, e.fireChord(p, best, e.now, arrived, out)
}

func (e *Engine) size(mapping int32) int { return len(e.prog.Mappings[mapping].Trigger.Notes) }

// member says whether q is a press that may be part of a chord that p completes: down, nothing
// came of it, in time, and the chord was among its candidates. A press of a pending chord is
// free only for a larger one of which that is a part.
func (e *Engine) member(q *press, mapping int32, p *press) bool {
	t := &e.prog.Mappings[mapping].Trigger
	if !q.used || !q.note || q.prog != p.prog || !q.button.Open() || !slices.Contains(q.chords, mapping) || !slices.Contains(t.Notes, q.number) {
		return false
	}
	if p.button.At()-q.button.At() >= t.Duration || p != q && !e.beside(p, q) {
		return false
	}
	return q.pending < 0 || q.pending == mapping || e.size(q.pending) < len(t.Notes) && subset(e.prog.Mappings[q.pending].Trigger.Notes, t.Notes)
}

// leave is for when some presses of a pending chord are gone, or part of another. Where one of its
// notes has none any more, nothing comes of the chord.
func (e *Engine) leave() {
	for i := range e.presses.all {
		if p := &e.presses.all[i]; p.used && p.pending >= 0 && !e.waiting(p) {
			p.pending = -1
		}
	}
}

// waiting says whether every note of the pending chord of a press has one that waits for it.
func (e *Engine) waiting(p *press) bool {
	for _, note := range p.prog.Mappings[p.pending].Trigger.Notes {
		found := false
		for i := range e.presses.all {
			q := &e.presses.all[i]
			found = found || q.used && q.number == note && q.pending == p.pending && q.prog == p.prog && (p == q || e.beside(p, q))
		}
		if !found {
			return false
		}
	}
	return true
}

// beside says whether two presses are on the same device.
func (e *Engine) beside(p, q *press) bool {
	if o := e.ports[p.port]; o != nil {
		return e.together(q, p.port, o.device)
	}
	return false
}

// complete says whether every note of a chord is down in a press that may be part of it.
func (e *Engine) complete(mapping int32, p *press) bool {
	return e.present(mapping, p) == e.size(mapping)
}

// present is how many notes of a chord are down and free for it.
func (e *Engine) present(mapping int32, p *press) int {
	n := 0
	for _, note := range e.prog.Mappings[mapping].Trigger.Notes {
		for i := range e.presses.all {
			if q := &e.presses.all[i]; q.number == note && e.member(q, mapping, p) {
				n++
				break
			}
		}
	}
	return n
}

// mayGrow says whether a complete chord may still become a larger one.
func (e *Engine) mayGrow(from, to int32, p *press) bool {
	notes := e.prog.Mappings[from].Trigger.Notes
	if !subset(notes, e.prog.Mappings[to].Trigger.Notes) {
		return false
	}
	for i := range e.presses.all {
		if q := &e.presses.all[i]; e.member(q, from, p) && !e.member(q, to, p) {
			return false
		}
	}
	return true
}

func subset(some, all []uint8) bool {
	for _, n := range some {
		if !slices.Contains(all, n) {
			return false
		}
	}
	return true
}

// fireChord fires a complete chord: its presses are spent, and what it holds is let go of at
// the first release among them. P is one of them.
func (e *Engine) fireChord(p *press, mapping int32, at, arrived time.Duration, out []effect.Effect) []effect.Effect {
	prog := p.prog
	m := &prog.Mappings[mapping]
	var members [8]ref
	n, taken := 0, false
	leader := none
	pending := p.pending == mapping
	for i := range e.presses.all {
		q := &e.presses.all[i]
		if pending && (!q.used || q.pending != mapping || q.prog != prog || p != q && !e.beside(p, q)) || !pending && !e.member(q, mapping, p) {
			continue
		}
		taken = taken || q.pending >= 0 && q.pending != mapping
		if n < len(members) {
			members[n] = ref{int32(i), q.gen}
			n++
		}
		if leader == none || e.presses.all[leader.index].order < q.order {
			leader = ref{int32(i), q.gen}
		}
	}
	last := &e.presses.all[leader.index]
	var a act
	a.origin, a.mapping, a.press = &m.Origin, m, leader
	a.mode, a.value, a.at, a.arrived = last.mode, last.value, at, arrived
	a.hi = 127
	if p.over { // it is being released: nothing is held
		leader, a.press = none, none
	}
	for _, r := range members[:n] {
		q := &e.presses.all[r.index]
		q.pending, q.leader = -1, leader
		q.button.Spend()
		out = e.drain(r, at, arrived, out)
	}
	if taken {
		e.leave()
	}
	a.of = e.why.fired(m)
	return e.actOf(&a, m.Action, m.When != nil || m.MaxRate > 0, mapping, 0, none, out)
}

package engine

import "github.com/amiable-dev/midimon/engine/effect"

// tap is the way that most notes go: nothing waits, nothing is switched off, and none of the
// mappings of the note is more than a tap that is over at once. Then the first that fits acts,
// and no press is kept. It says whether it took the note-on; it comes to the same as the long
// way, which is key's.
func (e *Engine) tap(in *Input, q *port, out []effect.Effect) (_ []effect.Effect, took bool) {
	if e.waits|e.latches != 0 || e.off != nil || e.gates != 0 || in.Value == 0 || q.down[in.Channel&15][in.Number>>6&1]>>(in.Number&63)&1 != 0 {
		return out, false
	}
	t := &e.prog.table
	g := &t.pages[t.at(e.mode, q.device, notePage)]
	if !g.has(in.Number) && t.global {
		g = &t.pages[t.at(t.modes-1, q.device, notePage)]
	}
	if !g.has(in.Number) {
		return out, false
	}
	i := g.rank(in.Number)
	b := &t.bands[i]
	if b.flags&tapsBand == 0 {
		return out, false
	}
	for b.channels>>(in.Channel&15)&1 == 0 || in.Value < b.lo || b.hi < in.Value {
		if b.next == 0 {
			return out, false
		}
		i = b.next
		b = &t.bands[i]
	}
	d := e.note(in, q)
	d.candidates = 1
	if b.flags&instantBand == 0 {
		return e.settle(e.now, e.fireFree(in, i, in.Value, 0, out)), true
	}
	m := &e.prog.Mappings[b.mapping]
	d.outcome, d.mapping = fired, m
	out = grown(out)
	x := &out[len(out)-1] // filled as emit does it
	x.Kind, x.Cause, x.Step, x.Steps, x.Value, x.Hit, x.Of, x.Hold = effect.Act, effect.None, 0, 0, in.Value, effect.NoHit, e.why.number(), 0
	x.Level = 0
	x.Keys.Clear()
	x.At, x.Arrived = e.now, in.At
	x.Origin, x.Action = &m.Origin, t.actions[i]
	x.Mode, x.Old = e.modeName(), ""
	return out, true
}

// grown has a place more, with whatever stood there.
func grown(out []effect.Effect) []effect.Effect {
	if len(out) < cap(out) {
		return out[:len(out)+1]
	}
	return append(out, effect.Effect{})
}

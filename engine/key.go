package engine

import (
	"github.com/amiable-dev/midimon/engine/effect"
)

// key takes a note-on or note-off.
func (e *Engine) key(in *Input, q *port, out []effect.Effect) []effect.Effect {
	down := &q.down[in.Channel&15][in.Number>>6&1]
	bit := uint64(1) << (in.Number & 63)
	if in.Kind == NoteOff || in.Value == 0 {
		switch {
		case *down&bit != 0:
			*down &^= bit
			return e.release(e.pressOf(in), in.At, out)
		case e.prog.table.latching:
			var c candidates
			e.collectNote(&c, q.device, in, 1)
			if c.both != 0 {
				return e.fireFree(in, c.both, 0, 0, out)
			}
		}
		return out
	}
	if *down&bit != 0 { // a second press without a release
		*down &^= bit
		out = e.release(e.pressOf(in), in.At, out)
	}
	r, ended := none, false // the first press of a series that this one may continue
	if e.waits+e.latches > 0 {
		r, ended, out = e.before(in, q.device, e.pressOf(in), out)
	}
	var c candidates
	if e.collectNote(&c, q.device, in, in.Value); ended {
		e.spend(&c)
	}
	switch {
	case r == none && c.tap != 0 && c.plain && !c.more && c.eager|c.up|c.both == 0:
		return e.fireFree(in, c.tap, in.Value, 0, out) // the release will have nothing to do: no press is kept
	case r != none || c.any():
		*down |= bit
		_, out = e.press(in, in.Value, r, &c, out)
	}
	return out
}

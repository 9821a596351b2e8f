package engine

import (
	"github.com/amiable-dev/midimon/engine/effect"
)

// hysteresis is how far a 7-bit value must leave a range before entering it counts again.
const hysteresis = 2

// channel is what is known of the controls of one channel of one port.
type channel struct {
	down     [2]uint64 // a bit per note that has a press
	controls [128]control
}

// control is what is known of one controller.
type control struct {
	entered uint64 // bit n: band n of its run was entered and not left since
	epoch   uint32 // of entered
	press   ref    // while it is down as a button
	last    uint16
	seen    bool
}

// turn is how far an encoder message says that it turned: positive is clockwise.
func turn(enc Encoding, was, is uint16, seen bool) int {
	v := int(is)
	switch enc {
	case TwosComplement:
		if v >= 64 {
			return v - 128
		}
		return v
	case BinaryOffset:
		return v - 64
	case SignedBit:
		if v >= 64 {
			return 64 - v
		}
		return v
	case Absolute:
	}
	switch {
	case !seen:
		return 0
	case is == was && is == 127: // an endless knob at its end still turns
		return 1
	case is == was && is == 0:
		return -1
	}
	return v - int(was)
}

// change takes a control change.
func (e *Engine) change(in *Input, device int, ch *channel, out []effect.Effect) []effect.Effect {
	c := &ch.controls[in.Number&127]
	was, seen := c.last, c.seen
	c.last, c.seen = in.Value, true
	bands := e.prog.table.bands
	heads := [2]int32{
		e.prog.find(e.mode, device, controlPage, in.Number),
		e.prog.find(len(e.prog.Modes), device, controlPage, in.Number),
	}
	if (bands[heads[0]].flags|bands[heads[1]].flags)&encoderBand != 0 {
		if done, out := e.turned(in, was, seen, heads, out); done {
			return out
		}
	}
	if heads == [2]int32{} && c.press == none {
		return out
	}
	if c.epoch != e.epoch {
		e.reenter(c, was, seen, heads)
	}
	mask := uint16(1) << (in.Channel & 15)
	var found candidates
	var enters *band
	bit := uint64(1)
	for _, head := range heads {
		for i := head; i != 0; i = bands[i].next {
			b := &bands[i]
			switch {
			case b.channels&mask == 0 || e.disabled(b.mapping):
			case b.kind == buttonKind:
				if found.tap == 0 {
					found.tap = i
				}
			case b.kind == rangeKind:
				if c.entered&bit != 0 {
					if in.Value+hysteresis < b.lo || in.Value > b.hi+hysteresis {
						c.entered &^= bit
					}
				} else if b.lo <= in.Value && in.Value <= b.hi {
					c.entered |= bit
					if enters == nil {
						enters = b
					}
				}
			}
			if bit < 1<<63 { // bands past the 64th share a bit
				bit <<= 1
			}
		}
	}
	if enters != nil {
		out = e.fireFree(in, enters, out)
	}
	switch {
	case in.Value == 0:
		out = e.release(c.press, in.At, out)
		c.press = none
	case was == 0 || !seen:
		out = e.release(c.press, in.At, out)
		if c.press = none; found.tap != 0 {
			c.press, out = e.press(in, &found, out)
		}
	}
	return out
}

// reenter says which ranges a control stands in when its mappings are new to it: the mode or
// the program changed under it, and it did not enter them just now.
func (e *Engine) reenter(c *control, was uint16, seen bool, heads [2]int32) {
	c.entered, c.epoch = 0, e.epoch
	if !seen {
		return
	}
	bit := uint64(1)
	bands := e.prog.table.bands
	for _, head := range heads {
		for i := head; i != 0; i = bands[i].next {
			b := &bands[i]
			if b.kind == rangeKind && b.lo <= was && was <= b.hi {
				c.entered |= bit
			}
			if bit < 1<<63 {
				bit <<= 1
			}
		}
	}
}

// turned handles a message of an encoder. It is none on this channel if done is false.
func (e *Engine) turned(in *Input, was uint16, seen bool, heads [2]int32, out []effect.Effect) (done bool, _ []effect.Effect) {
	mask := uint16(1) << (in.Channel & 15)
	bands := e.prog.table.bands
	for _, head := range heads {
		for i := head; i != 0; i = bands[i].next {
			b := &bands[i]
			if b.kind == turnKind && b.channels&mask != 0 && !e.disabled(b.mapping) {
				done = true
				n := turn(b.encoding(), was, in.Value, seen)
				if n > 0 && b.way() != CounterClockwise || n < 0 && b.way() != Clockwise {
					return true, e.fireFree(in, b, out)
				}
			}
		}
	}
	return done, out
}

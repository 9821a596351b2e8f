package engine

import (
	"github.com/amiable-dev/midimon/engine/effect"
)

// hysteresis is how far a 7-bit value must leave a range before entering it counts again.
const hysteresis = 2

// channel is what is known of the controls of one channel of one port.
type channel struct {
	notes    [128]ref
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
	mode, encM := e.prog.run(e.mode, device, controlPage, in.Number)
	global, encG := e.prog.run(len(e.prog.Modes), device, controlPage, in.Number)
	if encM || encG {
		if done, out := e.turned(in, was, seen, [2]int32{mode, global}, out); done {
			return out
		}
	}
	if mode < 0 && global < 0 && c.press == none {
		return out
	}
	if c.epoch != e.epoch {
		e.reenter(c, was, seen, [2]int32{mode, global})
	}
	mask := uint16(1) << (in.Channel & 15)
	found := candidates{-1, -1, -1}
	enters := int32(-1)
	bit := uint64(1)
	for _, first := range [2]int32{mode, global} {
		if first < 0 {
			continue
		}
		for i := first; ; i++ {
			b := &e.prog.table.bands[i]
			switch {
			case b.channels&mask == 0 || e.disabled(b.mapping):
			case b.kind == buttonBand:
				if found.tap < 0 {
					found.tap = b.mapping
				}
			case b.kind == rangeBand:
				if c.entered&bit != 0 {
					if in.Value+hysteresis < b.lo || in.Value > b.hi+hysteresis {
						c.entered &^= bit
					}
				} else if b.lo <= in.Value && in.Value <= b.hi {
					c.entered |= bit
					if enters < 0 {
						enters = b.mapping
					}
				}
			}
			if bit < 1<<63 { // bands past the 64th share a bit
				bit <<= 1
			}
			if b.last {
				break
			}
		}
	}
	if enters >= 0 {
		a := act{prog: e.prog, mapping: enters, press: none, mode: e.modeName(), value: in.Value, at: e.now, arrived: in.At}
		out = e.perform(&a, e.prog.Mappings[enters].Action, out)
	}
	switch {
	case in.Value == 0:
		out = e.release(c.press, in.At, out)
		c.press = none
	case was == 0 || !seen:
		out = e.release(c.press, in.At, out)
		c.press, out = e.press(in, device, found, out)
	}
	return out
}

// reenter says which ranges a control stands in when its mappings are new to it: the mode or
// the program changed under it, and it did not enter them just now.
func (e *Engine) reenter(c *control, was uint16, seen bool, runs [2]int32) {
	c.entered, c.epoch = 0, e.epoch
	if !seen {
		return
	}
	bit := uint64(1)
	for _, first := range runs {
		if first < 0 {
			continue
		}
		for i := first; ; i++ {
			b := &e.prog.table.bands[i]
			if b.kind == rangeBand && b.lo <= was && was <= b.hi {
				c.entered |= bit
			}
			if bit < 1<<63 {
				bit <<= 1
			}
			if b.last {
				break
			}
		}
	}
}

// turned handles a message of an encoder. It is none on this channel if done is false.
func (e *Engine) turned(in *Input, was uint16, seen bool, runs [2]int32, out []effect.Effect) (done bool, _ []effect.Effect) {
	mask := uint16(1) << (in.Channel & 15)
	for _, first := range runs {
		if first < 0 {
			continue
		}
		for i := first; ; i++ {
			b := &e.prog.table.bands[i]
			if b.kind == encoderBand && b.channels&mask != 0 && !e.disabled(b.mapping) {
				done = true
				n := turn(b.encoding, was, in.Value, seen)
				if n > 0 && b.way != CounterClockwise || n < 0 && b.way != Clockwise {
					a := act{prog: e.prog, mapping: b.mapping, press: none, mode: e.modeName(), value: in.Value, at: e.now, arrived: in.At}
					return true, e.perform(&a, e.prog.Mappings[b.mapping].Action, out)
				}
			}
			if b.last {
				break
			}
		}
	}
	return done, out
}

package engine

import "github.com/amiable-dev/midimon/engine/effect"

// The controllers of which pairs and parameters are made (MIDI 1.0, table 3).
const (
	dataEntry     = 6 // with 38
	dataIncrement = 96
	dataDecrement = 97
	nrpnLower     = 98
	nrpnUpper     = 99
	rpnLower      = 100
	rpnUpper      = 101
)

// selection is the parameter that data entry goes to.
type selection struct {
	kind         TriggerType // NRPN or RPN; 0: none
	upper, lower uint8
}

// number is the parameter's, or -1: none, or the null that ends a selection.
func (s *selection) number() int16 {
	if s.kind == 0 || s.upper > 127 || s.lower > 127 || s.upper == 127 && s.lower == 127 {
		return -1
	}
	return int16(s.upper)<<7 | int16(s.lower)
}

func (s *selection) choose(kind TriggerType) {
	if s.kind != kind {
		*s = selection{kind, 0xff, 0xff} // half a number is none
	}
}

// join puts one half of a 14-bit value into a control. An upper half stands for a lower one
// of 0 (MIDI 1.0, table 3, note 2), and it is whole by itself as long as the control never
// sent a lower one; later the lower one makes it whole.
func (c *control) join(half uint16, lower bool) (value uint16, whole bool) {
	if lower {
		c.fine = true
		return uint16(c.upper)<<7 | half, true
	}
	c.upper = uint8(half)
	return half << 7, !c.fine
}

// pair takes a controller of 0-63 as one half of a 14-bit one.
func (e *Engine) pair(in *Input, ch *channel, heads [2]int32, out []effect.Effect) []effect.Effect {
	c := &ch.rare().pairs[in.Number&31]
	value, whole := c.join(in.Value, in.Number >= 32)
	if !whole {
		return out
	}
	r := reading{value: value, full: 1<<14 - 1, fine: true}
	return e.value(in, &r, c, heads, [2]int32{}, out)
}

// parameter takes the controllers that select a parameter and set it.
func (e *Engine) parameter(in *Input, p *port, out []effect.Effect) []effect.Effect {
	more := p.channel(in.Channel).rare()
	s := &more.selected
	switch in.Number {
	case nrpnLower, nrpnUpper:
		s.choose(NRPN)
	case rpnLower, rpnUpper:
		s.choose(RPN)
	}
	switch in.Number {
	case nrpnLower, rpnLower:
		s.lower = uint8(in.Value)
		return out
	case nrpnUpper, rpnUpper:
		s.upper = uint8(in.Value)
		return out
	}
	number := s.number()
	if number < 0 {
		return out
	}
	heads := e.heads(p.device, parameterPage, uint8(number&127))
	if heads == [2]int32{} {
		return out
	}
	c := more.parameter(s.kind, number)
	value, whole := c.last, c.seen
	switch in.Number {
	case dataIncrement:
		value = min(value+1, 1<<14-1)
	case dataDecrement:
		value = max(value, 1) - 1
	default:
		value, whole = c.join(in.Value, in.Number >= 32)
	}
	if !whole {
		return out
	}
	c.upper = uint8(value >> 7)
	r := reading{value: value, full: 1<<14 - 1, fine: true, parameter: s.kind, number: number}
	return e.value(in, &r, c, heads, [2]int32{}, out)
}

// parameter is what is known of a parameter.
func (m *rarer) parameter(kind TriggerType, number int16) *control {
	key := int32(kind)<<14 | int32(number)
	c := m.parameters[key]
	if c == nil {
		c = &control{press: none}
		m.parameters[key] = c
	}
	return c
}

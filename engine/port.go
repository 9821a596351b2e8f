package engine

// port is what is known of a port: its device in the program, and its channels once used.
type port struct {
	device   int
	down     [16][2]uint64 // by channel a bit per note that has a press
	channels [16]*channel
}

// Attach says which device of the program a port belongs to; Any: none of them, so only
// mappings without a device hear it. What is known of the port's controls stays.
func (e *Engine) Attach(id Port, device int) {
	if e.ports[id] == nil {
		if e.spare == nil {
			e.spare = &port{}
		}
		e.ports[id], e.spare = e.spare, nil
	}
	if device == Any {
		device = len(e.prog.Devices)
	}
	e.ports[id].device = device
}

func (p *port) channel(n uint8) *channel {
	if c := p.channels[n&15]; c != nil {
		return c
	}
	return p.firstOf(n & 15)
}

// firstOf makes a channel at its first message.
func (p *port) firstOf(n uint8) *channel {
	c := &channel{}
	c.reset()
	p.channels[n] = c
	return c
}

// reset makes it one of which nothing is known.
func (c *channel) reset() {
	*c = channel{}
	for i := range c.controls {
		c.controls[i].press = none
	}
}

// detach drops a port that is lost. Most come again, and some do so often: its channels, which
// are large, are kept for the next one.
func (e *Engine) detach(id Port) {
	p := e.ports[id]
	for _, c := range p.channels {
		if c != nil {
			c.reset()
		}
	}
	e.ports[id], e.spare = nil, p
}

package engine

// candidates are the first band of each kind that fits, the mode's before the global ones.
// Those of which several may act are in Engine.also.
type candidates struct {
	tap, eager, up, both int32 // 0: none
	plain                bool  // nothing that the tap does lasts
	more                 bool  // there are others
}

// any says whether anything may act.
func (c *candidates) any() bool { return c.more || c.tap|c.eager|c.up|c.both != 0 }

// candidate is a band of a kind of which several may act.
type candidate struct {
	band int32
	kind bandKind
	n    int64 // tapsKind: how many; holdKind: how long; chordKind: its mapping
}

// collect adds the bands of a chain that fit a press.
func (e *Engine) collect(c *candidates, head int32, channel uint8, value uint16) {
	bands := e.prog.table.bands
	mask := uint16(1) << (channel & 15)
	for i := head; i != 0; i = bands[i].next {
		b := &bands[i]
		if b.channels&mask == 0 || value < b.lo || b.hi < value || b.flags&guardedBand != 0 || e.off != nil {
			if !e.fits(b, channel, value) {
				continue
			}
		} else {
			e.why.last().candidates++
		}
		e.offer(c, i, b)
	}
}

// offer takes a band that fits for what it asks for, unless an earlier one did.
func (e *Engine) offer(c *candidates, i int32, b *band) {
	switch b.kind {
	case tapKind, buttonKind:
		switch {
		case b.button() == Latching:
			if c.both == 0 {
				c.both = i
			}
		case c.tap == 0:
			c.tap, c.plain = i, b.plain()
		}
	case eagerKind:
		if c.eager == 0 {
			c.eager = i
		}
	case releaseKind:
		if c.up == 0 {
			c.up = i
		}
	case holdKind, tapsKind, chordKind:
		e.add(c, i, b)
	case rangeKind, followKind, turnKind, eventKind:
	}
}

// add keeps a band of a kind of which several may act, unless an earlier one asks for the same.
func (e *Engine) add(c *candidates, i int32, b *band) {
	t := &e.prog.Mappings[b.mapping].Trigger
	x := candidate{band: i, kind: b.kind}
	switch b.kind {
	case holdKind:
		x.n = int64(t.Duration)
	case tapsKind:
		x.n = int64(t.Taps)
	default:
		x.n = int64(b.mapping)
	}
	if !c.more {
		c.more = true
		e.also = e.also[:0]
	}
	for _, y := range e.also {
		if y.kind == x.kind && y.n == x.n {
			return
		}
	}
	e.also = append(e.also, x)
}

func (e *Engine) collectNote(c *candidates, device int, in *Input, value uint16) {
	if head := e.prog.find(e.mode, device, notePage, in.Number); head != 0 {
		e.collect(c, head, in.Channel, value)
	}
	if e.prog.table.global {
		if head := e.prog.find(len(e.prog.Modes), device, notePage, in.Number); head != 0 {
			e.collect(c, head, in.Channel, value)
		}
	}
}

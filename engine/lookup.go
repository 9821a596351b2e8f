package engine

// The lookup: a page per mode and device holds a block of 128 cells per kind of control; a
// cell leads to a run of bands in file order. The global mappings are one more mode, tried
// after the one that acts. A mapping without a device stands in the page of every device, so
// that one probe per mode is enough; channels are a mask in the band, never expanded.

// pages are the kinds of control that are looked up.
const (
	notePage = iota
	controlPage
	pageKinds
)

// cell is where a run begins, counted from 1; 0 is empty. encoderCell marks a run in which
// the control is an encoder.
type cell uint32

const encoderCell cell = 1 << 31

type block [128]cell

type band struct {
	lo, hi   uint16
	channels uint16 // a bit per channel
	kind     bandKind
	last     bool
	way      Direction
	encoding Encoding
	mapping  int32
}

// bandKind is the gesture that a band asks for; the first of each kind that fits acts.
type bandKind uint8

const (
	tapBand bandKind = iota
	holdBand
	eagerBand
	buttonBand // a controller as a button: 0 to non-zero presses
	rangeBand  // a controller entering a range of values
	encoderBand
)

type table struct {
	devices int // configured ones and one more for any other
	pages   []uint32
	blocks  []block
	bands   []band
}

func (p *Program) pageOf(mode, device, kind int) int {
	return (mode*p.table.devices+device)*pageKinds + kind
}

// run gives the first band of a control's run in a mode (len(Modes): the global mappings),
// or -1, and whether it makes the control an encoder.
func (p *Program) run(mode, device, kind int, number uint8) (first int32, encoder bool) {
	t := &p.table
	c := t.blocks[t.pages[p.pageOf(mode, device, kind)]][number&127]
	return int32(c&^encoderCell) - 1, c&encoderCell != 0
}

func bandOf(m *Mapping) (page int, b band) {
	t := &m.Trigger
	b = band{lo: t.Min, hi: t.Max, channels: 0xffff, way: t.Direction, encoding: t.Encoding}
	if t.Channel != Any {
		b.channels = 1 << t.Channel
	}
	switch t.Type {
	case Note:
		b.kind = tapBand
	case LongPress:
		b.kind = holdBand
	case CC:
		page, b.kind = controlPage, buttonBand
		if t.Ranged {
			b.kind = rangeBand
		}
	case EncoderTurn:
		page, b.kind = controlPage, encoderBand
	}
	if m.Eager && page == notePage {
		b.kind = eagerBand
	}
	return page, b
}

// Compile builds the lookup. It returns the mappings that can never act, in order.
func (p *Program) Compile() []Covered {
	t := &p.table
	*t = table{devices: len(p.Devices) + 1}
	t.pages = make([]uint32, (len(p.Modes)+1)*t.devices*pageKinds)
	t.blocks = make([]block, 1, 16) // block 0 is empty: what every unused page shows
	type link struct {
		band
		next int32
	}
	links := make([]link, 1, len(p.Mappings)+1)
	tails := make([]block, 1, 16) // the last link of each cell
	for i := range p.Mappings {
		m := &p.Mappings[i]
		page, b := bandOf(m)
		b.mapping = int32(i)
		mode := m.Mode
		if mode == Global {
			mode = len(p.Modes)
		}
		first, end := 0, t.devices
		if m.Trigger.Device != Any {
			first, end = int(m.Trigger.Device), int(m.Trigger.Device)+1
		}
		number := m.Trigger.Number & 127
		for d := first; d < end; d++ {
			at := p.pageOf(mode, d, page)
			if t.pages[at] == 0 {
				t.pages[at] = uint32(len(t.blocks))
				t.blocks = append(t.blocks, block{})
				tails = append(tails, block{})
			}
			n := t.pages[at]
			id := cell(len(links))
			links = append(links, link{band: b})
			if head := t.blocks[n][number]; head == 0 {
				t.blocks[n][number] = id
			} else {
				links[tails[n][number]].next = int32(id)
			}
			tails[n][number] = id
		}
	}
	t.bands = make([]band, 0, len(links)-1)
	for n := range t.blocks {
		for i, c := range t.blocks[n] {
			if c == 0 {
				continue
			}
			start := cell(len(t.bands)) + 1
			for l := int32(c); l != 0; l = links[l].next {
				t.bands = append(t.bands, links[l].band)
				if links[l].kind == encoderBand {
					start |= encoderCell
				}
			}
			t.bands[len(t.bands)-1].last = true
			t.blocks[n][i] = start
		}
	}
	return p.covered()
}

// covered finds the mappings that earlier ones of the same mode and kind cover wherever they
// stand. Looking back over more than 64 bands would cost more than the warning is worth.
func (p *Program) covered() []Covered {
	stands := make([]int32, len(p.Mappings)) // places less the covered ones
	by := make([]int32, len(p.Mappings))
	for run := range p.table.runs() {
		for j := range run {
			b := &run[j]
			stands[b.mapping]++
			c := p.coverer(run[max(0, j-64):j], b)
			if c < 0 && (b.kind == buttonBand || b.kind == rangeBand) {
				c = p.encoder(run, b)
			}
			if c >= 0 {
				stands[b.mapping]--
				by[b.mapping] = c
			}
		}
	}
	var out []Covered
	for i := range stands {
		if stands[i] == 0 && p.Mappings[i].Enabled {
			out = append(out, Covered{Mapping: i, By: int(by[i])})
		}
	}
	return out
}

func (t *table) runs() func(func([]band) bool) {
	return func(yield func([]band) bool) {
		first := 0
		for j := range t.bands {
			if t.bands[j].last {
				if !yield(t.bands[first : j+1]) {
					return
				}
				first = j + 1
			}
		}
	}
}

// encoder is the mapping that makes b's control an encoder, wherever in the run it stands.
func (p *Program) encoder(run []band, b *band) int32 {
	for i := range run {
		e := &run[i]
		if e.kind == encoderBand && e.channels&b.channels == b.channels && p.Mappings[e.mapping].Enabled {
			return e.mapping
		}
	}
	return -1
}

// coverer is the mapping that, alone or as the last of several, takes every event of b; -1:
// something is left for b.
func (p *Program) coverer(earlier []band, b *band) int32 {
	by := int32(-1)
	need := int(b.lo)
	left := b.way // for encoders: the way that nothing earlier takes yet
	for again := true; again; {
		again = false
		for i := range earlier {
			e := &earlier[i]
			if e.channels&b.channels != b.channels || !p.Mappings[e.mapping].Enabled {
				continue
			}
			switch {
			case e.kind == encoderBand && b.kind == encoderBand:
				if e.way == Either || e.way == left {
					return e.mapping
				}
				if left == Either {
					left, again = opposite(e.way), true
				}
			case e.kind == b.kind && b.kind == buttonBand:
				return e.mapping
			case e.kind == b.kind && int(e.lo) <= need && need <= int(e.hi):
				need, by, again = int(e.hi)+1, e.mapping, true
				if need > int(b.hi) {
					return by
				}
			}
		}
	}
	return -1
}

func opposite(d Direction) Direction {
	if d == Clockwise {
		return CounterClockwise
	}
	return Clockwise
}

package engine

import (
	"math/bits"
	"slices"

	"github.com/amiable-dev/midimon/engine/effect"
)

// The lookup: a page per mode, device and kind of control has a bit per number that is
// mapped. The count of bits below finds the number's first band, and from there a chain of
// bands in file order. The global mappings are one more mode, tried after the one that acts.
// A mapping without a device stands in the page of every device, so that one probe per mode
// is enough; channels are a mask in the band, never expanded. Pages stay in the nearest
// cache at any size of program, so a press costs about one miss.

const (
	notePage = iota
	controlPage
	pageKinds
)

type page struct {
	mapped [2]uint64
	first  int32 // band of the lowest number mapped
	lower  int32 // how many of the numbers below 64 are mapped
}

// band is half a cache line: what the path of a note needs of a mapping.
type band struct {
	lo, hi   uint16
	channels uint16 // a bit per channel
	kind     bandKind
	flags    uint8
	mapping  int32
	next     int32 // in the chain; 0 ends it
	action   effect.Action
}

const (
	plainBand   = 1 << iota // nothing that its action does lasts until the release
	encoderBand             // on the first of a chain: there is an encoder in it

	turnShift     = 2
	encodingShift = 4
)

func (b *band) plain() bool        { return b.flags&plainBand != 0 }
func (b *band) way() Direction     { return Direction(b.flags >> turnShift & 3) }
func (b *band) encoding() Encoding { return Encoding(b.flags >> encodingShift) }

// bandKind is the gesture that a band asks for; the first of each kind that fits acts.
type bandKind uint8

const (
	tapKind bandKind = iota
	holdKind
	eagerKind
	buttonKind // a controller as a button: 0 to non-zero presses
	rangeKind  // a controller entering a range of values
	turnKind   // a controller as an encoder
)

type table struct {
	devices int  // configured ones and one more for any other
	global  bool // there are global mappings
	pages   []page
	bands   []band // band 0 is none
}

func (p *Program) page(mode, device, kind int) *page {
	return &p.table.pages[(mode*p.table.devices+device)*pageKinds+kind]
}

// find gives the first band of a number in a mode (len(Modes): the global mappings), or 0.
func (p *Program) find(mode, device, kind int, number uint8) int32 {
	g := p.page(mode, device, kind)
	n := number & 127
	if g.mapped[n>>6]>>(n&63)&1 == 0 {
		return 0
	}
	return g.rank(n)
}

// rank is the head of a number that is mapped. It does not branch: numbers come at random.
func (g *page) rank(n uint8) int32 {
	word := int32(n >> 6 & 1)
	return g.first + word*g.lower + int32(bits.OnesCount64(g.mapped[word]&(1<<(n&63)-1)))
}

func bandOf(m *Mapping) (kind int, b band) {
	t := &m.Trigger
	b = band{lo: t.Min, hi: t.Max, channels: 0xffff, action: m.Action, flags: uint8(t.Direction)<<turnShift | uint8(t.Encoding)<<encodingShift}
	if !lasts(m.Action) {
		b.flags |= plainBand
	}
	if t.Channel != Any {
		b.channels = 1 << t.Channel
	}
	switch t.Type {
	case Note:
		b.kind = tapKind
	case LongPress:
		b.kind = holdKind
	case CC:
		kind, b.kind = controlPage, buttonKind
		if t.Ranged {
			b.kind = rangeKind
		}
	case EncoderTurn:
		kind, b.kind = controlPage, turnKind
	default: // to come
		kind, b.kind, b.channels = controlPage, tapKind, 0
	}
	if m.Eager && kind == notePage {
		b.kind = eagerKind
	}
	return kind, b
}

// lasts says whether an action may hold a key until the control's release.
func lasts(a effect.Action) bool {
	switch a := a.(type) {
	case *effect.Keystroke:
		return a.Hold
	case *effect.Sequence:
		return slices.ContainsFunc(a.Actions, lasts)
	}
	return false
}

// place is a band and where it stands.
type place struct {
	page, number int32
	band
}

// Compile builds the lookup. It returns the mappings that can never act, in order.
func (p *Program) Compile() []Covered {
	t := &p.table
	*t = table{devices: len(p.Devices) + 1}
	t.pages = make([]page, (len(p.Modes)+1)*t.devices*pageKinds)
	places := make([]place, 0, len(p.Mappings))
	for i := range p.Mappings {
		m := &p.Mappings[i]
		kind, b := bandOf(m)
		b.mapping = int32(i)
		mode := m.Mode
		if mode == Global {
			mode, t.global = len(p.Modes), true
		}
		first, end := 0, t.devices
		if m.Trigger.Device != Any {
			first, end = int(m.Trigger.Device), int(m.Trigger.Device)+1
		}
		n := uint8(m.Trigger.Number & 127)
		for d := first; d < end; d++ {
			at := (mode*t.devices+d)*pageKinds + kind
			t.pages[at].mapped[n>>6] |= 1 << (n & 63)
			places = append(places, place{int32(at), int32(n), b})
		}
	}
	heads := int32(1)
	for i := range t.pages {
		g := &t.pages[i]
		g.first, g.lower = heads, int32(bits.OnesCount64(g.mapped[0]))
		heads += g.lower + int32(bits.OnesCount64(g.mapped[1]))
	}
	// Heads stand where find looks for them, the rest of each chain behind all heads.
	t.bands = make([]band, heads, int(heads)+len(places)-int(heads-1))
	tails := make([]int32, heads) // by head
	for i := range places {
		x := &places[i]
		g := &t.pages[x.page]
		head := g.rank(uint8(x.number))
		if tails[head] == 0 {
			t.bands[head] = x.band
			tails[head] = head
		} else {
			t.bands = append(t.bands, x.band)
			last := int32(len(t.bands)) - 1
			t.bands[tails[head]].next = last
			tails[head] = last
		}
		if x.kind == turnKind {
			t.bands[head].flags |= encoderBand
		}
	}
	return p.covered(heads)
}

// covered finds the mappings that earlier ones of the same mode and kind cover wherever they
// stand. Looking back over more than 64 bands would cost more than the warning is worth.
func (p *Program) covered(heads int32) []Covered {
	stands := make([]int32, len(p.Mappings)) // places less the covered ones
	by := make([]int32, len(p.Mappings))
	var run []band
	for head := int32(1); head < heads; head++ {
		run = run[:0]
		for i := head; i != 0; i = p.table.bands[i].next {
			run = append(run, p.table.bands[i])
		}
		for j := range run {
			b := &run[j]
			stands[b.mapping]++
			c := p.coverer(run[max(0, j-64):j], b)
			if c < 0 && (b.kind == buttonKind || b.kind == rangeKind) {
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

// encoder is the mapping that makes b's control an encoder, wherever in the run it stands.
func (p *Program) encoder(run []band, b *band) int32 {
	for i := range run {
		e := &run[i]
		if e.kind == turnKind && e.channels&b.channels == b.channels && p.Mappings[e.mapping].Enabled {
			return e.mapping
		}
	}
	return -1
}

// coverer is the mapping that, alone or as the last of several, takes every event of b; -1:
// something is left for b.
func (p *Program) coverer(earlier []band, b *band) int32 {
	need := int(b.lo)
	left := b.way() // for encoders: the way that nothing earlier takes yet
	for again := true; again; {
		again = false
		for i := range earlier {
			e := &earlier[i]
			if e.channels&b.channels != b.channels || !p.Mappings[e.mapping].Enabled {
				continue
			}
			switch {
			case e.kind == turnKind && b.kind == turnKind:
				if e.way() == Either || e.way() == left {
					return e.mapping
				}
				if left == Either {
					left, again = opposite(e.way()), true
				}
			case e.kind == b.kind && b.kind == buttonKind:
				return e.mapping
			case e.kind == b.kind && int(e.lo) <= need && need <= int(e.hi):
				need, again = int(e.hi)+1, true
				if need > int(b.hi) {
					return e.mapping
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

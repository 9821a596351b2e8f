package engine

import (
	"bytes"
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
	polyPage      // pressure of a note
	parameterPage // NRPN and RPN, by the lower 7 bits of their number
	programPage
	otherPage // what has no number: see below
	pageKinds
)

// The numbers of otherPage. The Any ones are what a mapping without a number listens to; they
// are tried together with those of the number.
const (
	pressureOf = iota
	bendOf
	transportOf
	sysexOf
	anyPoly
	anyProgram
)

type page struct {
	mapped [2]uint64
	first  int32 // band of the lowest number mapped
	lower  int32 // how many of the numbers below 64 are mapped
}

// band is what it takes to choose a mapping: a quarter of a cache line, since of a large program
// hardly any is near when its note comes. The action, by which nothing is decided, stands apart
// under the same index, so that the processor can fetch both at once.
type band struct {
	lo, hi   uint16
	channels uint16 // a bit per channel
	kind     bandKind
	flags    uint8
	mapping  int32
	next     int32 // in the chain; 0 ends it
}

const (
	plainBand   = 1 << iota // nothing that its action does lasts until the release
	instantBand             // its action is one effect that depends on nothing else

	wayShift      = 2 // of an encoder: its direction; of a button: how it is understood
	encodingShift = 4

	gradedBand  = 1 << 4 // of a tap: it passes on how hard the hit was
	tapsBand    = 1 << 5 // on the first of a note's chain: whichever of it fits first is all that a press means
	fineBand    = 1 << 6 // 14 bits
	guardedBand = 1 << 7 // its mapping has a condition or a rate
)

func (b *band) plain() bool        { return b.flags&plainBand != 0 }
func (b *band) way() Direction     { return Direction(b.flags >> wayShift & 3) }
func (b *band) button() Button     { return Button(b.flags >> wayShift & 3) }
func (b *band) encoding() Encoding { return Encoding(b.flags >> encodingShift & 3) }
func (b *band) fine() bool         { return b.flags&fineBand != 0 }

// bandKind is the gesture that a band asks for; the first of each kind that fits acts.
type bandKind uint8

const (
	tapKind     bandKind = iota
	eagerKind            // at the press, outside the gestures
	releaseKind          // at the release, outside the gestures
	holdKind             // of each duration the first
	tapsKind             // of each count the first
	chordKind
	buttonKind // a value as a button: away from rest presses
	rangeKind  // a value entering a range
	followKind // a value changing within a range
	turnKind   // a controller as an encoder
	eventKind  // program, transport, system exclusive
)

type table struct {
	devices  int  // configured ones and one more for any other
	modes    int  // configured ones and one more for the global mappings
	global   bool // there are global mappings
	latching bool // some button latches by itself
	pages    []page
	bands    []band          // band 0 is none
	actions  []effect.Action // by band
}

func (p *Program) page(mode, device, kind int) *page {
	return &p.table.pages[p.table.at(mode, device, kind)]
}

// at is where a page stands: those of one kind together, so that the notes' are near each other.
func (t *table) at(mode, device, kind int) int { return (kind*t.modes+mode)*t.devices + device }

// find gives the first band of a number in a mode (len(Modes): the global mappings), or 0.
func (p *Program) find(mode, device, kind int, number uint8) int32 {
	if g := p.page(mode, device, kind); g.has(number) {
		return g.rank(number)
	}
	return 0
}

// has says whether a number is mapped.
func (g *page) has(n uint8) bool { return g.mapped[n>>6&1]>>(n&63)&1 != 0 }

// rank is the head of a number that is mapped. It does not branch: numbers come at random.
func (g *page) rank(n uint8) int32 {
	word := int32(n >> 6 & 1)
	return g.first + word*g.lower + int32(bits.OnesCount64(g.mapped[word]&(1<<(n&63)-1)))
}

// bandOf is a mapping's band, and the page and number where it stands. A chord stands at each
// of its notes, the first of which is given.
func bandOf(m *Mapping) (kind int, number uint8, b band) {
	t := &m.Trigger
	b = band{lo: t.Min, hi: t.Max, channels: 0xffff, flags: uint8(t.Direction)<<wayShift | uint8(t.Encoding)<<encodingShift}
	if !lasts(m.Action) {
		b.flags |= plainBand
	}
	if m.When != nil || m.MaxRate > 0 {
		b.flags |= guardedBand
	}
	if t.Channel != Any {
		b.channels = 1 << t.Channel
	}
	number = uint8(t.Number & 127)
	kind = notePage
	if t.OnCC {
		kind = controlPage
	}
	switch t.Type {
	case Note, VelocityRange:
		b.kind = tapKind
		b.flags |= uint8(t.Button) << wayShift
		if t.Type == VelocityRange {
			b.flags |= gradedBand
		}
		if m.Eager && t.Button != Latching { // what latches by itself acts at the press anyway
			b.kind = eagerKind
		}
		if t.Button != Momentary {
			b.flags &^= plainBand
		}
		if instant(m.Action) && b.flags&(plainBand|gradedBand|guardedBand) == plainBand {
			b.flags |= instantBand
		}
	case NoteRelease:
		b.kind = releaseKind
	case LongPress:
		b.kind = holdKind
	case DoubleTap, MultiTap:
		b.kind = tapsKind
	case NoteChord:
		b.kind, number = chordKind, t.Notes[0]&127
	case EncoderTurn:
		kind, b.kind = controlPage, turnKind
		if t.Fine {
			b.flags |= fineBand
		}
	case ProgramChanged:
		kind, b.kind, b.lo, b.hi = programPage, eventKind, 0, 127
		if t.Number == Any {
			kind, number = otherPage, anyProgram
		}
	case Transport:
		kind, b.kind, number = otherPage, eventKind, transportOf
		b.lo, b.hi = uint16(t.Message), uint16(t.Message)
	case SysExclusive:
		kind, b.kind, number, b.lo, b.hi = otherPage, eventKind, sysexOf, 0, 0xffff
	case CC, CC14, NRPN, RPN, Aftertouch, Bend:
		kind, number = valuePage(t)
		b.flags |= uint8(t.Button) << wayShift
		if t.Type != CC && t.Type != Aftertouch {
			b.flags |= fineBand
		}
		switch {
		case effect.TakesValue(m.Action):
			b.kind = followKind
		case t.Ranged:
			b.kind = rangeKind
		default:
			b.kind = buttonKind
		}
		if !t.Ranged {
			b.lo, b.hi = 0, t.Type.MaxValue()
		}
	}
	return kind, number, b
}

func valuePage(t *Trigger) (kind int, number uint8) {
	number = uint8(t.Number & 127)
	switch t.Type {
	case NRPN, RPN:
		return parameterPage, number
	case Bend:
		return otherPage, bendOf
	case Aftertouch:
		if t.Number == Any {
			return otherPage, anyPoly // pressureOf has it too, see Compile
		}
		return polyPage, number
	default:
		return controlPage, number
	}
}

// lasts says whether something of an action may go on until the control's release.
func lasts(a effect.Action) bool {
	return !effect.Within(a, func(a effect.Action) bool {
		switch a := a.(type) {
		case *effect.Keystroke:
			return !a.Hold
		case *effect.MouseClick:
			return !a.Hold
		case *effect.SendMidi:
			return !a.Hold
		case *effect.ModeChange:
			return !a.Hold
		case *effect.Sequence:
			return a.Cancel != effect.CancelRelease
		case *effect.Repeat:
			return a.Cancel != effect.CancelRelease
		}
		return true
	})
}

// instant says whether all that an action takes is to tell that it is due.
func instant(a effect.Action) bool {
	switch a.(type) {
	case *effect.Media, *effect.Text, *effect.Open:
		return true
	}
	return false
}

// place is a band and where it stands: under one number in the pages of some devices.
type place struct {
	page, pages int32 // the first, and how many
	number      int32
	band
}

// places is in how many places the mappings stand, but for a few.
func (p *Program) places() int {
	n := 0
	for i := range p.Mappings {
		n += max(1, len(p.Mappings[i].Trigger.Notes))
	}
	return n
}

// Compile builds the lookup. It returns the mappings that can never act, in order.
func (p *Program) Compile() []Covered {
	t := &p.table
	*t = table{devices: len(p.Devices) + 1, modes: len(p.Modes) + 1}
	t.pages = make([]page, pageKinds*t.modes*t.devices)
	places := make([]place, 0, p.places())
	for i := range p.Mappings {
		m := &p.Mappings[i]
		kind, number, b := bandOf(m)
		b.mapping = int32(i)
		mode := m.Mode
		if mode == Global {
			mode, t.global = len(p.Modes), true
		}
		t.latching = t.latching || m.Trigger.Button == Latching
		x := place{page: int32(t.at(mode, 0, kind)), pages: int32(t.devices), number: int32(number), band: b}
		if m.Trigger.Device != Any {
			x.page, x.pages = x.page+int32(m.Trigger.Device), 1
		}
		places = append(places, x)
		switch {
		case b.kind == chordKind:
			for _, n := range m.Trigger.Notes[1:] {
				x.number = int32(n & 127)
				places = append(places, x)
			}
		case number == anyPoly && kind == otherPage: // the channel's pressure too
			x.number = pressureOf
			places = append(places, x)
		}
	}
	bands := 1
	for i := range places {
		x := &places[i]
		bands += int(x.pages)
		for page := x.page; page < x.page+x.pages; page++ {
			t.pages[page].mapped[x.number>>6] |= 1 << (x.number & 63)
		}
	}
	heads := int32(1)
	for i := range t.pages {
		g := &t.pages[i]
		g.first, g.lower = heads, int32(bits.OnesCount64(g.mapped[0]))
		heads += g.lower + int32(bits.OnesCount64(g.mapped[1]))
	}
	// Heads stand where find looks for them, the rest of each chain behind all heads.
	t.bands = make([]band, heads, bands)
	tails := make([]int32, heads) // by head
	for i := range places {
		x := &places[i]
		for page := x.page; page < x.page+x.pages; page++ {
			head := t.pages[page].rank(uint8(x.number))
			if tails[head] == 0 {
				t.bands[head] = x.band
				tails[head] = head
			} else {
				t.bands = append(t.bands, x.band)
				last := int32(len(t.bands)) - 1
				t.bands[tails[head]].next = last
				tails[head] = last
			}
		}
	}
	t.actions = make([]effect.Action, len(t.bands))
	for i := range t.bands[1:] {
		t.actions[i+1] = p.Mappings[t.bands[i+1].mapping].Action
	}
	p.markTaps()
	return p.covered(heads)
}

// markTaps finds the notes that mean nothing but taps, of which none lasts, and none is asked
// whether it may. Where a mode has some, the global mappings of the note must be taps too.
func (p *Program) markTaps() {
	t := &p.table
	for mode := range t.modes {
		for device := range t.devices {
			for word, left := range t.pages[t.at(mode, device, notePage)].mapped {
				for ; left != 0; left &= left - 1 {
					number := uint8(word*64 + bits.TrailingZeros64(left))
					head, global := p.find(mode, device, notePage, number), p.find(len(p.Modes), device, notePage, number)
					if p.onlyTaps(head, plainBand) && (head == global || p.onlyTaps(global, 0)) {
						t.bands[head].flags |= tapsBand
					}
				}
			}
		}
	}
}

// onlyTaps says whether a chain consists of taps with those flags that wait for no condition.
func (p *Program) onlyTaps(head int32, flags uint8) bool {
	for i := head; i != 0; i = p.table.bands[i].next {
		b := &p.table.bands[i]
		if b.kind != tapKind || b.button() == Latching || b.flags&flags != flags || flags != 0 && b.flags&guardedBand != 0 {
			return false
		}
	}
	return true
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
			if c < 0 && (b.kind == buttonKind || b.kind == rangeKind || b.kind == followKind) {
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
		if e.kind == turnKind && e.fine() == b.fine() && e.channels&b.channels == b.channels && p.Mappings[e.mapping].Enabled {
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
			if e.kind != b.kind || e.channels&b.channels != b.channels || e.fine() != b.fine() || !p.same(e, b) {
				continue
			}
			switch {
			case b.kind == turnKind:
				if e.way() == Either || e.way() == left {
					return e.mapping
				}
				if left == Either {
					left, again = opposite(e.way()), true
				}
			case b.kind == buttonKind:
				return e.mapping
			case int(e.lo) <= need && need <= int(e.hi):
				need, again = int(e.hi)+1, true
				if need > int(b.hi) {
					return e.mapping
				}
			}
		}
	}
	return -1
}

// same says whether a always acts when b could, but for their ranges: a is not switched off,
// has no condition, and asks for the same thing.
func (p *Program) same(a, b *band) bool {
	m, n := &p.Mappings[a.mapping], &p.Mappings[b.mapping]
	if !m.Enabled || m.When != nil {
		return false
	}
	t, u := &m.Trigger, &n.Trigger
	switch b.kind {
	case holdKind:
		return t.Duration == u.Duration
	case tapsKind:
		return t.Taps == u.Taps
	case chordKind:
		return slices.Equal(t.Notes, u.Notes)
	case eventKind:
		return bytes.HasPrefix(u.Data, t.Data)
	default:
		return t.Number == u.Number && t.Type.parameter() == u.Type.parameter()
	}
}

// parameter tells the NRPNs from the RPNs.
func (t TriggerType) parameter() TriggerType {
	if t == NRPN || t == RPN {
		return t
	}
	return 0
}

func opposite(d Direction) Direction {
	if d == Clockwise {
		return CounterClockwise
	}
	return Clockwise
}

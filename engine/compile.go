package engine

import (
	"math/bits"

	"github.com/amiable-dev/midimon/engine/effect"
)

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

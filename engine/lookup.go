package engine

import (
	"math/bits"

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

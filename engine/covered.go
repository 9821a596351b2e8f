package engine

import (
	"bytes"
	"slices"
)

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

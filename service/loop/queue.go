package loop

import (
	"sync/atomic"

	"github.com/amiable-dev/midimon/engine/effect"
)

// item is what waits in a sink's queue: an effect, the place of one that may still be renewed,
// or the mark of somebody who waits until all before it is done.
type item struct {
	x    effect.Effect
	cell *cell         // not nil: the effect is there
	turn uint8         // which of the cell's
	mark chan struct{} // not nil: to be closed, and there is no effect
}

// cell is where an action with a value, or with an encoder's steps, waits to be performed, so
// that a newer one of the same mapping can take its place. The loop fills it and the sink
// takes from it, and neither ever waits for the other.
type cell struct {
	state atomic.Uint32
	x     [2]effect.Effect // the loop fills one while the sink may be performing the other
	turn  uint8            // the loop's: which was filled last
}

// The states of a cell.
const (
	idle     = iota // the sink has taken what there was; the loop's
	waiting         // it is full, and an item of the queue stands for it
	renewing        // the loop is changing what waits
	missed          // and meanwhile the sink took the item away
)

// cellKey tells what may take whose place.
type cellKey struct {
	origin *effect.Origin
	action effect.Action
}

// renewable says whether of several such effects that wait only the newest matters, or their
// sum. Steps of sequences do not count: they are performed as often as they are asked for.
func renewable(x *effect.Effect) bool {
	return x.Step == 0 && x.Origin != nil && (x.Steps != 0 || effect.TakesValue(x.Action))
}

// act sends an Act, or changes the one of its mapping that still waits. It says whether there
// was a place.
func (s *sink) act(x *effect.Effect) bool {
	if !renewable(x) {
		return s.offer(x, Places)
	}
	key := cellKey{x.Origin, x.Action}
	c := s.cells[key]
	if c == nil {
		c = &cell{}
		s.cells[key] = c
	}
	if !c.state.CompareAndSwap(waiting, renewing) {
		if !s.has(Places) { // asked before the turn changes: the sink may be performing what a turn further names
			return false
		}
		c.turn ^= 1
		c.x[c.turn] = *x
		return s.stand(c, Places)
	}
	c.renew(x)
	return c.state.CompareAndSwap(renewing, waiting) || s.stand(c, full)
}

// stand sends an item for a cell.
func (s *sink) stand(c *cell, places int) bool {
	if !s.has(places) {
		c.state.Store(idle)
		return false
	}
	c.state.Store(waiting)
	s.queue <- item{cell: c, turn: c.turn}
	return true
}

// renew makes x of what waits; steps are added.
func (c *cell) renew(x *effect.Effect) {
	w := &c.x[c.turn]
	steps := int(w.Steps) + int(x.Steps)
	*w = *x
	w.Steps = int16(max(-1<<15, min(steps, 1<<15-1)))
}

// take is the effect of an item, or nil if nothing is left of it. It is good until the next
// one of its cell is taken.
func (i *item) take() *effect.Effect {
	if i.mark != nil {
		close(i.mark)
		return nil
	}
	c := i.cell
	if c == nil {
		return &i.x
	}
	for {
		if c.state.CompareAndSwap(waiting, idle) {
			x := &c.x[i.turn]
			if x.Steps == 0 && effect.TakesSteps(x.Action) {
				return nil // there and back again
			}
			return x
		}
		if c.state.CompareAndSwap(renewing, missed) {
			return nil // the loop sends another item
		}
	}
}

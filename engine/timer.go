package engine

import "time"

// timers is a heap of deadlines that can be taken back. Deadlines at the same instant are
// due in the order in which they were set.
type timers struct {
	slots pool[timer]
	heap  []int32 // slots by deadline
	order uint64
}

type timer struct {
	due   time.Duration
	order uint64
	what  what
	index int32 // of the press, hold or run
	pos   int32 // in the heap
}

// what a deadline belongs to.
type what uint8

const (
	gestureDue what = iota // a press decides
	tapDue                 // a tapped key is released
	heldTooLong
	runDue  // a sequence goes on
	lateDue // what came too fast has its turn
)

// noTimer is the zero value of a timer handle: handles count from 1.
const noTimer = 0

func (t *timers) set(due time.Duration, w what, index int32) int32 {
	t.order++
	return t.setAs(due, t.order, w, index)
}

// setAs sets a deadline that stands among others at the same instant as if it had been set
// when the order was that one.
func (t *timers) setAs(due time.Duration, order uint64, w what, index int32) int32 {
	id := t.slots.take()
	t.slots.all[id] = timer{due: due, order: order, what: w, index: index, pos: int32(len(t.heap))}
	t.heap = append(t.heap, id)
	t.up(int32(len(t.heap)) - 1)
	return id + 1
}

// clear takes a deadline back. Clearing noTimer does nothing.
func (t *timers) clear(handle int32) {
	if handle == noTimer {
		return
	}
	id := handle - 1
	pos := t.slots.all[id].pos
	last := int32(len(t.heap)) - 1
	moved := t.heap[last]
	t.heap = t.heap[:last]
	if pos != last {
		t.heap[pos] = moved
		t.slots.all[moved].pos = pos
		t.up(pos)
		t.down(t.slots.all[moved].pos)
	}
	t.slots.give(id)
}

// due is when a deadline is.
func (t *timers) due(handle int32) time.Duration { return t.slots.all[handle-1].due }

// next is the first deadline, or nil.
func (t *timers) next() *timer {
	if len(t.heap) == 0 {
		return nil
	}
	return &t.slots.all[t.heap[0]]
}

func (t *timers) less(a, b int32) bool {
	x, y := &t.slots.all[t.heap[a]], &t.slots.all[t.heap[b]]
	return x.due < y.due || x.due == y.due && x.order < y.order
}

func (t *timers) swap(a, b int32) {
	t.heap[a], t.heap[b] = t.heap[b], t.heap[a]
	t.slots.all[t.heap[a]].pos, t.slots.all[t.heap[b]].pos = a, b
}

func (t *timers) up(i int32) {
	for i > 0 {
		parent := (i - 1) / 2
		if !t.less(i, parent) {
			return
		}
		t.swap(i, parent)
		i = parent
	}
}

func (t *timers) down(i int32) {
	for {
		c := 2*i + 1
		if c >= int32(len(t.heap)) {
			return
		}
		if c+1 < int32(len(t.heap)) && t.less(c+1, c) {
			c++
		}
		if !t.less(c, i) {
			return
		}
		t.swap(c, i)
		i = c
	}
}

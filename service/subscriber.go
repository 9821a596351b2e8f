package service

import (
	"sync"

	"github.com/amiable-dev/midimon/engine/report"
)

// subscriber is woken by what changes, and gets events. Nobody waits for it.
type subscriber struct {
	wake chan struct{}

	mu      sync.Mutex
	events  []report.Event // that wait, at most maxEvents. Few do, so a place is made when one comes
	drained []report.Event // those before them
	dropped uint64
}

func newSubscriber() *subscriber { return &subscriber{wake: make(chan struct{}, 1)} }

func (s *subscriber) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// add has an event wait. So many were dropped before it came here.
func (s *subscriber) add(e *report.Event, dropped uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped += dropped
	if len(s.events) < maxEvents {
		s.events = append(s.events, *e)
	} else {
		s.dropped++
	}
}

// drain is the events that wait, until it is called again, and how many were dropped.
func (s *subscriber) drain() (events []report.Event, dropped uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.drained)
	s.events, s.drained = s.drained[:0], s.events
	dropped, s.dropped = s.dropped, 0
	return s.drained, dropped
}

// subscribe adds a subscriber that gets events.
func (b *board) subscribe() (wake <-chan struct{}, drain func() ([]report.Event, uint64), cancel func()) {
	s := newSubscriber()
	return s.wake, s.drain, b.add(s, true)
}

// follow adds one that is only woken.
func (b *board) follow() (wake <-chan struct{}, cancel func()) {
	s := newSubscriber()
	return s.wake, b.add(s, false)
}

func (b *board) add(s *subscriber, events bool) (remove func()) {
	b.post(func() { b.subscribers[s] = events })
	return func() { b.post(func() { delete(b.subscribers, s) }) }
}

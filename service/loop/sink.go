package loop

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// Places is how many presses a sink's queue takes. Each has a place for its release besides.
const Places = 256

// full is how many effects wait at most: presses, actions and the releases of the presses.
const full = 2 * Places

// marks is how many may wait besides: see mark.
const marks = 8

// openPause keeps a backend whose Await returns at once, or that is lost as soon as it is open,
// from being opened in a tight loop.
const openPause = 100 * time.Millisecond

// actionFailed is the word for an action that its backend could not perform.
const actionFailed = "action-failed"

var (
	errOverflow = errors.New("a release found no place")
	errLost     = errors.New("it is gone")
)

// sink is a backend and its queue. The loop alone sends to the queue and uses ready, held and
// cells.
type sink struct {
	loop      *Loop
	backend   Backend
	performer Performer // the backend if it is one, else nil
	queue     chan item
	ended     chan struct{}

	ready bool // what is sent will be performed
	held  int  // presses accepted whose release is still to come: each has a place reserved
	cells map[cellKey]*cell

	overflow atomic.Bool // see release
}

func newSink(l *Loop, b Backend) *sink {
	p, _ := b.(Performer)
	if d, ok := b.(Deferrer); ok {
		d.Defer(func(x effect.Effect, err error) { l.Failed(x, actionFailed, err) })
	}
	return &sink{loop: l, backend: b, performer: p, queue: make(chan item, full+marks), cells: map[cellKey]*cell{}, ended: make(chan struct{})}
}

// performs says whether the backend performs an action at its Act.
func (s *sink) performs(a effect.Action) bool {
	return s.performer != nil && s.performer.Performs(a)
}

// press sends a KeyDown unless there is no place for it and its release.
func (s *sink) press(x *effect.Effect) bool {
	if len(s.queue)+s.held+2 > full {
		return false
	}
	s.queue <- item{x: *x}
	s.held++
	return true
}

// release sends a KeyUp into the place that its press reserved.
func (s *sink) release(x *effect.Effect) {
	s.held = max(s.held-1, 0)
	if !s.offer(x, full) {
		// It cannot be. Were it so all the same, a key would stay down: give the whole
		// backend up, and all its keys are released.
		s.overflow.Store(true)
	}
}

// offer sends an effect if fewer than places wait.
func (s *sink) offer(x *effect.Effect, places int) bool {
	if !s.has(places) {
		return false
	}
	s.queue <- item{x: *x}
	return true
}

// mark returns what is closed when everything that waits now is done, or nil if too many ask for
// that. A backend that is lost meanwhile has done it: what it held is released.
func (s *sink) mark() <-chan struct{} {
	if len(s.queue) == cap(s.queue) {
		return nil
	}
	done := make(chan struct{})
	s.queue <- item{mark: done}
	return done
}

// has says whether fewer than places wait.
func (s *sink) has(places int) bool { return len(s.queue)+s.held < places }

// run performs what is queued until the queue is closed, and opens the backend again whenever
// it is lost. What comes while it is not open is refused by the loop: nothing is replayed.
func (s *sink) run(ctx context.Context) {
	defer close(s.ended)
	for s.open(ctx) {
		opened := time.Now()
		s.loop.command(command{sink: s, ready: true})
		s.loop.observer.Backend(s.backend.Name(), nil)
		err := s.perform()
		closing := s.close(err)
		if err == nil {
			if closing != nil {
				s.loop.log.Warn("cannot close a backend", "backend", s.backend.Name(), "err", closing)
			}
			return
		}
		if errors.Is(closing, errPanic) {
			err = closing
		}
		if !errors.Is(err, errLost) { // then Open says whether anything is wrong
			s.loop.observer.Backend(s.backend.Name(), err)
		}
		s.loop.command(command{sink: s})
		for len(s.queue) > 0 { // the loop sends no more
			i := <-s.queue
			if x := i.take(); x != nil {
				s.refuse(x)
			}
		}
		s.overflow.Store(false)
		if errors.Is(err, errPanic) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(openPause - time.Since(opened)):
		}
	}
}

// open returns true when the backend is ready, false when ctx is done or the backend dead.
func (s *sink) open(ctx context.Context) bool {
	for ctx.Err() == nil {
		err := s.guard(func() error { return s.backend.Open(ctx) })
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		s.loop.observer.Backend(s.backend.Name(), err)
		if errors.Is(err, errPanic) {
			return false
		}
		if err := s.guard(func() error { return s.backend.Await(ctx) }); err != nil && ctx.Err() == nil {
			s.loop.log.Warn("cannot wait for a backend", "backend", s.backend.Name(), "err", err)
			if errors.Is(err, errPanic) {
				s.loop.observer.Backend(s.backend.Name(), err)
				return false
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(openPause):
		}
	}
	return false
}

// perform returns nil when the queue is closed and empty, or why the backend is lost.
func (s *sink) perform() error {
	var i item // one for all, or each would be an allocation
	if f, ok := s.backend.(Frail); ok {
		return s.performFrail(&i, f.Lost())
	}
	for i = range s.queue {
		if err := s.do(&i); err != nil {
			return err
		}
	}
	return nil
}

func (s *sink) performFrail(i *item, lost <-chan struct{}) error {
	for {
		var ok bool
		select {
		case <-lost:
			return errLost
		case *i, ok = <-s.queue:
		}
		if !ok {
			return nil
		}
		if err := s.do(i); err != nil {
			return err
		}
	}
}

// do performs an item, and returns an error if the backend is lost.
func (s *sink) do(i *item) error {
	x := i.take()
	if x == nil {
		return nil
	}
	err := s.try(x)
	switch {
	case errors.Is(err, report.ErrKeysUnavailable), errors.Is(err, errPanic):
		s.refuse(x)
		return err
	case err != nil:
		s.loop.Failed(*x, actionFailed, err)
	}
	if s.overflow.Load() {
		return errOverflow
	}
	return nil
}

// refuse reports an effect that the backend was not there for.
func (s *sink) refuse(x *effect.Effect) {
	if x.Kind != effect.KeyUp {
		s.loop.Failed(*x, s.backend.Name()+"-unavailable", nil)
	}
}

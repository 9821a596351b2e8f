//go:build linux

package alsaseq

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/stream"
)

// listener is one Listen.
type listener struct {
	id    engine.Port
	sysex stream.Parser // the reader's alone
	gate  atomic.Int32
	left  chan struct{} // closed when a delivery under way at shut is done
}

// A listener's gate makes Ignore wait for a delivery under way, without a lock for the reader.
const (
	idle    = iota
	busy    // the reader delivers
	leaving // the reader delivers, and shut waits for it
	shut    // nothing more is delivered
)

// enter opens the gate for a delivery, unless it is shut for good.
func (l *listener) enter() bool { return l.gate.CompareAndSwap(idle, busy) }

// leave ends a delivery; then is idle or shut.
func (l *listener) leave(then int32) {
	if !l.gate.CompareAndSwap(busy, then) {
		l.gate.Store(shut)
		close(l.left)
	}
}

// shut returns when nothing is delivered any more. It is called once.
func (l *listener) shut() {
	for {
		switch {
		case l.gate.CompareAndSwap(idle, shut), l.gate.Load() == shut:
			return
		case l.gate.CompareAndSwap(busy, leaving):
			<-l.left
			return
		}
	}
}

// Listen makes the port's messages arrive as inputs of id; they may do so before it returns.
// The last is a PortLost when the port goes or the sequencer is lost. Errors:
// report.ErrDeviceAbsent if the port is not there, or another device is where it was;
// report.ErrDeviceBusy if another program holds it: Changed tells when that ends.
func (s *Session) Listen(port report.Port, id engine.Port) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.listen(port, id); err != nil {
		return fmt.Errorf("cannot listen to %s: %w", port.Client, err)
	}
	return nil
}

func (s *Session) listen(port report.Port, id engine.Port) error {
	from := addrOf(port)
	for a, l := range *s.routes.Load() {
		switch {
		case l.id == id:
			return fmt.Errorf("port number %d is in use", id)
		case a == from:
			return fmt.Errorf("%w: its loss is on the way", report.ErrDeviceAbsent)
		}
	}
	if err := s.same(port); err != nil {
		return err
	}
	// The way is there before the first message.
	s.route(func(r routes) { r[from] = &listener{id: id, left: make(chan struct{})} })
	err := s.data.subscribe(from, s.in)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EBUSY) {
		if err := s.watchFree(); err != nil {
			s.log.Warn("cannot see when a busy device is free", "err", err)
		}
		err = s.data.subscribe(from, s.in) // it may have become free before we watched
	}
	if err != nil {
		s.route(func(r routes) { delete(r, from) })
	}
	return verdict(err)
}

// same fails unless the port found is still there: addresses are used again.
func (s *Session) same(port report.Port) error {
	a := addrOf(port)
	c, err := s.data.client(a.client)
	if err != nil {
		return verdict(err)
	}
	p, err := s.data.port(a)
	if err != nil {
		return verdict(err)
	}
	now, ok := s.describe(c, p, cards{})
	if !ok || now.Client != port.Client || now.USB != port.USB || now.Serial != port.Serial || now.Path != port.Path {
		return fmt.Errorf("%w: another has taken its place", report.ErrDeviceAbsent)
	}
	return nil
}

// route changes a copy of the routes and puts it in force. The caller holds mu.
func (s *Session) route(change func(routes)) {
	r := maps.Clone(*s.routes.Load())
	change(r)
	s.routes.Store(&r)
}

// Ignore ends Listen. It waits until an input of id under way is delivered, so whoever takes
// the inputs must not call it while deliver waits for them. An id that nobody listens as is
// no error: the port may just have been lost.
func (s *Session) Ignore(id engine.Port) error {
	s.mu.Lock()
	var ended *listener
	for from, l := range *s.routes.Load() {
		if l.id == id {
			ended = l
			s.route(func(r routes) { delete(r, from) })
			_ = s.data.unsubscribe(from, s.in) // gone already, at worst
		}
	}
	s.mu.Unlock()
	if ended != nil {
		ended.shut()
	}
	return nil
}

// reader is what the reading goroutine has for itself.
type reader struct {
	*Session
	messages []engine.Message
}

// take delivers what one read returned.
func (r *reader) take(b []byte, at time.Duration) {
	routes := *r.routes.Load()
	for rec, rest, ok := next(b); ok; rec, rest, ok = next(rest) {
		if rec.source.client == systemClient {
			r.system(rec, at)
		} else if l := routes[rec.source]; l != nil && l.enter() {
			r.pass(l, rec, at)
			l.leave(idle)
		}
	}
}

func (r *reader) pass(l *listener, rec record, at time.Duration) {
	if rec.kind == evSysEx {
		l.sysex.Feed(rec.ext, func(m engine.Message) {
			if m.Kind == engine.SysEx {
				r.deliver(engine.Input{At: at, Port: l.id, Message: m})
			}
		})
		return
	}
	r.messages = rec.messages(r.messages[:0], r.opts.Verbatim)
	for _, m := range r.messages {
		if m.Kind <= engine.PitchBend {
			l.sysex.Reset() // a channel message ends a SysEx that has not
		}
		r.deliver(engine.Input{At: at, Port: l.id, Message: m})
	}
}

// system takes what the kernel itself says: that a subscription of ours has ended. It comes
// in order with the port's data.
func (r *reader) system(rec record, at time.Duration) {
	if rec.kind != evUnsubscribed {
		return
	}
	sender, dest := rec.connection()
	switch {
	case dest == r.in:
		r.lose(sender, at)
	case sender == r.out:
		r.forget(dest)
	}
}

// lose ends the listener of a source that is no longer subscribed to. One that is, was
// subscribed to anew after the record at hand.
func (r *reader) lose(from addr, at time.Duration) {
	r.mu.Lock()
	l := (*r.routes.Load())[from]
	if l == nil || r.data.subscribed(from, r.in) {
		r.mu.Unlock()
		return
	}
	r.route(func(w routes) { delete(w, from) })
	r.mu.Unlock()
	r.last(l, at)
	r.ping() // until now a Listen to the same address was refused
}

func (r *reader) last(l *listener, at time.Duration) {
	if l.enter() {
		r.deliver(engine.Input{At: at, Port: l.id, Message: engine.Message{Kind: engine.PortLost}})
		l.leave(shut)
	}
}

// forget makes the next Send subscribe again, if the subscription is gone.
func (r *reader) forget(to addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.data.subscribed(r.out, to) {
		delete(r.targets, to)
	}
}

// overrun says on every port that events are lost, and finds out which losses of ports were
// among them.
func (r *reader) overrun(at time.Duration) {
	r.log.Warn("the sequencer's queue overran", "total", r.overruns.Add(1))
	routes := *r.routes.Load()
	for _, from := range sorted(routes) {
		if l := routes[from]; l.enter() {
			l.sysex.Reset()
			r.deliver(engine.Input{At: at, Port: l.id, Message: engine.Message{Kind: engine.Overrun}})
			l.leave(idle)
		}
		r.lose(from, at)
	}
	r.mu.Lock()
	targets := slices.Collect(maps.Keys(r.targets))
	r.mu.Unlock()
	for _, to := range targets {
		r.forget(to)
	}
	r.ping()
}

// end loses every port, if the session ends for another reason than Close.
func (r *reader) end(at time.Duration) {
	r.mu.Lock()
	routes := *r.routes.Load()
	if r.closed {
		routes = nil
	}
	r.mu.Unlock()
	for _, from := range sorted(routes) {
		r.last(routes[from], at)
	}
}

// sorted are the sources in the order of their port numbers.
func sorted(r routes) []addr {
	return slices.SortedFunc(maps.Keys(r), func(a, b addr) int { return cmp.Compare(r[a].id, r[b].id) })
}

package loop

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// Run opens the backends and works until ctx is done. Then it lets go of everything held,
// gives the sinks StopWithin to perform that, and returns.
func (l *Loop) Run(ctx context.Context) {
	opening, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	for _, s := range l.sinks {
		go s.run(opening)
	}
	l.timer = time.NewTimer(time.Hour)
	defer l.timer.Stop()
	feed, stop := l.feeder()
	defer stop()
	for {
		l.arm()
		select {
		case <-ctx.Done():
			l.stop(cancel)
			return
		case l.in = <-l.inputs:
			l.step()
		case <-l.timer.C:
			l.armed = unarmed
			now := l.now()
			l.catchUp()
			l.out = l.engine.Advance(now, l.look(now, l.out[:0]))
			l.handOn(now)
		case c := <-l.commands:
			l.obey(&c)
		case <-feed:
			l.watchdog.Alive()
		}
	}
}

// feeder ticks when the watchdog wants to be fed.
func (l *Loop) feeder() (<-chan time.Time, func()) {
	if l.watchdog == nil || l.watchdog.Watchdog() <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(l.watchdog.Watchdog() / 3)
	return t.C, t.Stop
}

// arm makes the timer wait for the engine's next deadline. A timer that will ring too early
// is left alone: to ring for nothing once is cheaper than to set it anew with every press.
func (l *Loop) arm() {
	due, ok := l.engine.Due()
	if ok && (l.armed == unarmed || due < l.armed) {
		l.timer.Reset(max(due-l.now(), 0))
		l.armed = due
	}
}

// step takes the input in l.in.
func (l *Loop) step() {
	taken := l.now()
	l.out = l.engine.Step(&l.in, l.look(l.in.At, l.out[:0]))
	l.stats.Received++
	if l.in.Kind == engine.Overrun {
		l.stats.Lost++
	}
	l.took.add(l.handOn(taken) - l.in.At)
}

// handOn hands the effects to their sinks and stamps the decisions that they came of. It
// returns the time.
func (l *Loop) handOn(taken time.Duration) time.Duration {
	l.dispatch()
	now := l.now()
	if len(l.watched) > 0 {
		l.engine.Unstamped(l.tell)
	}
	l.engine.Stamp(taken, now)
	return now
}

// look tells the engine the minute of the day if a condition asks for it.
func (l *Loop) look(now time.Duration, out []effect.Effect) []effect.Effect {
	if !l.clock {
		return out
	}
	return l.lookAtClock(now, out)
}

// lookAtClock reads the wall clock anew: it may have been set, and summer time begins and ends.
func (l *Loop) lookAtClock(now time.Duration, out []effect.Effect) []effect.Effect {
	if l.wall == nil {
		return out
	}
	t := l.wall()
	minute, weekday := uint16(t.Hour()*60+t.Minute()), uint8(t.Weekday()+6)%7
	if minute == l.world.Minute && weekday == l.world.Weekday {
		return out
	}
	w := *l.world
	w.Minute, w.Weekday = minute, weekday
	return l.show(&w, now, out)
}

// show hands the engine what conditions ask of, if that is something else than before.
func (l *Loop) show(w *effect.World, now time.Duration, out []effect.Effect) []effect.Effect {
	if same(w, l.world) {
		return out
	}
	l.world = w
	for _, s := range l.sinks {
		if seer, ok := s.backend.(Witness); ok {
			seer.See(w)
		}
	}
	return l.engine.SetWorld(w, now, out)
}

func same(a, b *effect.World) bool {
	return a.Minute == b.Minute && a.Weekday == b.Weekday && a.Locked == b.Locked && a.FocusKnown == b.FocusKnown && a.Focused == b.Focused &&
		maps.Equal(a.Running, b.Running) && maps.Equal(a.Present, b.Present)
}

// catchUp takes the inputs that wait already. What they bring comes before a deadline that
// is noticed only now, and before a command given after them.
func (l *Loop) catchUp() {
	for range len(l.inputs) {
		l.in = <-l.inputs
		l.step()
	}
}

func (l *Loop) obey(c *command) {
	switch {
	case c.sink != nil: // at once: it no longer performs what the inputs would send
		c.sink.ready, c.sink.held = c.ready, 0
		if !c.ready && c.sink == l.routes[toKeys] {
			l.out = l.engine.SinkLost(l.now(), l.out[:0])
			l.dispatch()
		}
	case c.failed != nil:
		l.stats.Failed++
		l.explain(c.of, c.failed)
		l.observer.Event(*c.failed)
	default:
		l.catchUp()
		now := l.now()
		l.out = c.change(l.engine, now, l.lookAtClock(now, l.out[:0])) // the next program may ask for the time
		l.failing = c.tell
		l.handOn(now)
		l.failing = nil
		l.publish()
		close(c.ack)
	}
}

func (l *Loop) stop(cancel context.CancelFunc) {
	l.catchUp()
	l.out = l.engine.Release(effect.Stopping, l.now(), l.out[:0])
	l.dispatch()
	close(l.done)
	for _, s := range l.sinks {
		close(s.queue)
	}
	cancel()
	over := time.NewTimer(StopWithin)
	defer over.Stop()
	for _, s := range l.sinks {
		select {
		case <-s.ended:
		case <-over.C: // the kernel releases what is still held when the process ends
			l.log.Warn("a backend does not end", "backend", s.backend.Name())
			return
		}
	}
}

// publish tells where the engine stands, if that is elsewhere than before.
func (l *Loop) publish() {
	e := l.engine
	if e.Program() == l.program && e.Mode() == l.mode && e.BaseMode() == l.base && e.HoldChanges() == l.holds {
		return
	}
	all := make([]string, 0, len(e.Program().Modes))
	for _, m := range e.Program().Modes {
		all = append(all, m.Name)
	}
	if e.Program() != l.program {
		l.clock = e.Program().UsesClock()
		for _, s := range l.sinks {
			clear(s.cells) // they name mappings of the old one
		}
	}
	was := l.modes.Load()
	if was != nil && e.BaseMode() != l.base {
		l.move()
	}
	l.program, l.mode, l.base = e.Program(), e.Mode(), e.BaseMode()
	is := &Modes{Mode: all[l.mode], BaseMode: all[l.base], All: all, Program: l.program}
	is.Held, l.holds = e.Holds(), e.HoldChanges()
	l.modes.Store(is)
	if was != nil && (was.Mode != is.Mode || was.BaseMode != is.BaseMode || !slices.Equal(was.All, is.All) || !slices.Equal(was.Held, is.Held)) {
		l.observer.Changed()
	}
}

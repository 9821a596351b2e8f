//go:build linux

package pulse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/remedy"
	"github.com/amiable-dev/midimon/linux/volume"
)

const (
	// spacing is the time between two updates of one target: 100 a second at most.
	spacing = 10 * time.Millisecond
	// observing is the time between two looks at what changed.
	observing = 20 * time.Millisecond
	// waiting is how many actions may wait while the server takes its time.
	waiting = 16
	// maxTargets is how many targets are remembered that nothing is to be done to.
	maxTargets = 64
)

// ErrGone is why an action failed that the server did not live to perform.
var ErrGone = errors.New("the sound server is gone")

// Mixer changes volumes of the sound server. One goroutine talks to the server; Do, Open,
// Close and Await are for one other.
type Mixer struct {
	getenv func(string) string
	failed func(effect.Effect, error)
	state  atomic.Pointer[State]
	change chan struct{}
	hangs  int // how often in a row Open timed out

	// The rest is of the open connection.
	conn    *connection
	work    chan effect.Effect
	closing chan struct{}
	ended   chan struct{}

	// And this is the goroutine's own.
	observer *observer
	targets  map[target]*pending
	timer    *time.Timer
}

// pending is what is still to be done to a target, and when that may be.
type pending struct {
	volume.Change
	x    effect.Effect // the newest of those that are to be done
	from time.Time
}

// New makes a mixer for the server that the environment names. It calls failed, from any
// goroutine, for each action that came to nothing.
func New(getenv func(string) string, failed func(effect.Effect, error)) *Mixer {
	if getenv == nil {
		getenv = os.Getenv
	}
	m := &Mixer{getenv: getenv, failed: failed, change: make(chan struct{}, 1)}
	m.state.Store(&State{})
	return m
}

// State is how loud everything is.
func (m *Mixer) State() *State { return m.state.Load() }

// Changed has a value after State has come to be another.
func (m *Mixer) Changed() <-chan struct{} { return m.change }

// Open connects. Its error is a *report.Fault.
func (m *Mixer) Open(ctx context.Context) error {
	conn, err := connect(ctx, servers(m.getenv, hostname()), cookie(m.getenv))
	if err == nil {
		m.observer = newObserver()
		if err = m.observer.refresh(conn, everything); err != nil {
			conn.close()
		}
	}
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			m.hangs++
		} else {
			m.hangs = 0
		}
		return &report.Fault{Check: "audio", Fix: remedy.Sound(true), Err: err}
	}
	m.hangs = 0
	m.conn, m.targets = conn, map[target]*pending{}
	m.work, m.closing, m.ended = make(chan effect.Effect, waiting), make(chan struct{}), make(chan struct{})
	m.publish()
	go m.run()
	return nil
}

// Await returns nil when a server may be there, or ctx's error.
func (m *Mixer) Await(ctx context.Context) error {
	return await(ctx, servers(m.getenv, hostname()), m.hangs)
}

// Lost is closed when the server is gone.
func (m *Mixer) Lost() <-chan struct{} { return m.conn.gone }

// Do begins to perform a VolumeControl. It waits only while the server takes its time.
func (m *Mixer) Do(x *effect.Effect) error {
	select {
	case m.work <- *x:
		return nil
	case <-m.ended:
		return ErrGone
	}
}

// Close performs what waits and disconnects.
func (m *Mixer) Close() error {
	close(m.closing)
	<-m.ended
	m.state.Store(&State{})
	m.poke()
	return nil
}

func (m *Mixer) run() {
	defer close(m.ended)
	defer m.conn.close()
	m.timer = time.NewTimer(time.Hour)
	defer m.timer.Stop()
	var dirty <-chan struct{} = m.conn.dirty
	var look <-chan time.Time
	for {
		m.arm()
		select {
		case x := <-m.work:
			m.take(&x)
		case <-m.timer.C:
			m.flush(time.Now())
		case <-dirty:
			m.observe()
			dirty, look = nil, time.After(observing)
		case <-look:
			dirty, look = m.conn.dirty, nil
		case <-m.closing:
			m.finish()
			return
		case <-m.conn.gone:
			m.abandon()
			return
		}
	}
}

// finish does at once what waits. The queue's owner has ended it.
func (m *Mixer) finish() {
	for range len(m.work) {
		x := <-m.work
		m.take(&x)
	}
	m.flush(time.Now().Add(spacing))
	select {
	case <-m.conn.gone:
		m.abandon()
	default:
	}
}

// abandon reports all that waits.
func (m *Mixer) abandon() {
	for range len(m.work) {
		x := <-m.work
		m.failed(x, ErrGone)
	}
	for _, p := range m.targets {
		if !p.Empty() {
			m.failed(p.x, ErrGone)
		}
	}
}

func (m *Mixer) observe() {
	if m.observer.refresh(m.conn, m.conn.news()) == nil {
		m.publish()
	}
}

func (m *Mixer) publish() {
	is := m.observer.snapshot()
	was := m.state.Load()
	if is.Sink == was.Sink && is.Source == was.Source && slices.Equal(is.Levels, was.Levels) {
		return
	}
	m.state.Store(is)
	m.poke()
}

func (m *Mixer) poke() {
	select {
	case m.change <- struct{}{}:
	default:
	}
}

// take performs an action, or puts it off until its target may be updated again.
func (m *Mixer) take(x *effect.Effect) {
	a, ok := x.Action.(*effect.VolumeControl)
	if !ok {
		return
	}
	t := targetOf(a)
	switch a.Operation {
	case effect.VolumeMute, effect.VolumeUnmute, effect.VolumeToggle:
		m.outcome(x, m.mute(t, a.Operation))
		return
	case effect.VolumeUp, effect.VolumeDown, effect.VolumeSet:
	}
	now := time.Now()
	p := m.targets[t]
	if p == nil {
		m.forget(now)
		p = &pending{from: now}
		m.targets[t] = p
	}
	p.Add(a, x)
	p.x = *x
	if !now.Before(p.from) {
		m.update(t, p, now)
	}
}

// forget drops targets if there are many: those of applications that had the focus once.
func (m *Mixer) forget(now time.Time) {
	if len(m.targets) < maxTargets {
		return
	}
	for t, p := range m.targets {
		if p.Empty() && now.After(p.from) {
			delete(m.targets, t)
		}
	}
}

// arm makes the timer ring when the next target may be updated.
func (m *Mixer) arm() {
	var due time.Time
	for _, p := range m.targets {
		if !p.Empty() && (due.IsZero() || p.from.Before(due)) {
			due = p.from
		}
	}
	if due.IsZero() {
		m.timer.Stop()
		return
	}
	m.timer.Reset(time.Until(due))
}

// flush updates the targets that may be.
func (m *Mixer) flush(now time.Time) {
	for t, p := range m.targets {
		if !p.Empty() && !now.Before(p.from) {
			m.update(t, p, now)
		}
	}
}

// update does what waits for a target.
func (m *Mixer) update(t target, p *pending, now time.Time) {
	err := m.apply(t, &p.Change)
	p.from = now.Add(spacing)
	p.Reset()
	m.outcome(&p.x, err)
}

func (m *Mixer) outcome(x *effect.Effect, err error) {
	switch {
	case err == nil:
	case isRefusal(err) || m.alive():
		m.failed(*x, err)
	default:
		m.failed(*x, fmt.Errorf("%w: %w", ErrGone, err))
	}
}

func (m *Mixer) alive() bool {
	select {
	case <-m.conn.gone:
		return false
	default:
		return true
	}
}

// apply changes the volume of all that the target is. Nothing is sent where nothing changes.
func (m *Mixer) apply(t target, c *volume.Change) error {
	found, err := m.conn.resolve(t)
	if err != nil {
		return err
	}
	var failed []error
	for i := range found {
		o := &found[i]
		m.observer.heard(o)
		to := make([]uint32, len(o.channels))
		volume.Scale(to, o.channels, m.observer.audible[key{o.kind, o.index}], c.Of(o.percent()), full)
		switch {
		case slices.Equal(to, o.channels):
		case o.readOnly:
			failed = append(failed, fmt.Errorf("%s: %w", o.label, errReadOnly))
		default:
			failed = append(failed, m.conn.setVolume(o, to))
		}
	}
	return errors.Join(failed...)
}

func (m *Mixer) mute(t target, op effect.VolumeOperation) error {
	found, err := m.conn.resolve(t)
	if err != nil {
		return err
	}
	// Streams of one application stay together.
	mute := op == effect.VolumeMute || op == effect.VolumeToggle && slices.ContainsFunc(found, func(o object) bool { return !o.muted })
	var failed []error
	for i := range found {
		if found[i].muted != mute {
			failed = append(failed, m.conn.setMute(&found[i], mute))
		}
	}
	return errors.Join(failed...)
}

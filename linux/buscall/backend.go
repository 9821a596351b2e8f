//go:build linux

package buscall

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/remedy"
)

const (
	// answerWithin is how long a peer may take to answer a call, its start included.
	answerWithin = 10 * time.Second
	// describeWithin is how long it may take to describe itself where only a check needs it.
	describeWithin = 2 * time.Second
	// maxWaiting is how many calls may wait to be sent to one peer.
	maxWaiting = 16
	// maxAnswers is how many answers may be outstanding.
	maxAnswers = 64
)

// Backend performs DBusCall.
type Backend struct {
	session, system *bus.Bus
	failed          func(effect.Effect, error)

	// The rest is of the time from Open to Close.
	conns   []*dbus.Conn
	lost    chan struct{}
	ctx     context.Context
	end     context.CancelFunc
	running sync.WaitGroup
	peers   map[address]*peer // Do's own
	answers chan struct{}     // a place for each that is outstanding
}

// address is a name on one of the buses.
type address struct {
	system bool
	name   string
}

// New makes a backend for both buses.
func New(session, system *bus.Bus) *Backend {
	return &Backend{session: session, system: system, failed: func(effect.Effect, error) {}}
}

// Name is the check that speaks for it.
func (*Backend) Name() string { return "dbus" }

// Performs says that it performs DBusCall.
func (*Backend) Performs(a effect.Action) bool {
	_, ok := a.(*effect.DBusCall)
	return ok
}

// Defer takes what to call with calls that fail after Do.
func (b *Backend) Defer(failed func(effect.Effect, error)) { b.failed = failed }

// Open succeeds if there is any bus: calls on the other fail, until that is there too. Its
// error is a *report.Fault.
func (b *Backend) Open(ctx context.Context) error {
	b.conns = nil
	var failed []error
	for _, one := range []*bus.Bus{b.session, b.system} {
		conn, err := one.Conn(ctx)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		b.conns = append(b.conns, conn)
	}
	if len(b.conns) == 0 {
		return &report.Fault{Check: b.Name(), Fix: remedy.SessionBus(), Err: errors.Join(failed...)}
	}
	b.ctx, b.end = context.WithCancel(context.WithoutCancel(ctx))
	b.peers, b.answers, b.lost = map[address]*peer{}, make(chan struct{}, maxAnswers), make(chan struct{})
	lost := b.lost
	b.running.Go(func() {
		for _, conn := range b.conns {
			select {
			case <-conn.Context().Done():
			case <-b.ctx.Done():
				return
			}
		}
		close(lost)
	})
	return nil
}

// Await returns nil when there is one of the buses, or ctx's error.
func (b *Backend) Await(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	came := make(chan error, 2)
	for _, one := range []*bus.Bus{b.session, b.system} {
		go func() {
			_, err := one.Await(ctx)
			came <- err
		}()
	}
	return <-came
}

// Lost is closed when no bus is left.
func (b *Backend) Lost() <-chan struct{} { return b.lost }

// Do begins a call. It waits for nobody.
func (b *Backend) Do(x *effect.Effect) error {
	a, ok := x.Action.(*effect.DBusCall)
	if !ok || x.Kind != effect.Act {
		return nil
	}
	at := address{a.System, a.Destination}
	p := b.peers[at]
	if p == nil {
		p = &peer{address: at, bus: b.bus(a.System), calls: make(chan effect.Effect, maxWaiting), sent: make(chan struct{}), known: map[string]*description{}}
		b.peers[at] = p
		b.running.Go(func() { p.run(b) })
	}
	select {
	case p.calls <- *x:
		return nil
	default:
		return fmt.Errorf("%s does not keep up: %d calls wait", a.Destination, maxWaiting)
	}
}

func (b *Backend) bus(system bool) *bus.Bus {
	if system {
		return b.system
	}
	return b.session
}

// Close sends what waits, and ends. Answers that are outstanding are not waited for.
func (b *Backend) Close() error {
	for _, p := range b.peers {
		close(p.calls)
	}
	done := make(chan struct{})
	go func() {
		for _, p := range b.peers {
			<-p.sent
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(closeWithin):
	}
	b.end()
	b.running.Wait()
	return nil
}

// closeWithin is how long a call on its way may keep us.
const closeWithin = 300 * time.Millisecond

// send sends a call; what comes of it is told later.
func (b *Backend) send(conn *dbus.Conn, a *effect.DBusCall, x *effect.Effect, args []any) {
	select {
	case b.answers <- struct{}{}:
	default:
		b.failed(*x, fmt.Errorf("%d calls wait for their answer", maxAnswers))
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), answerWithin)
	call := conn.Object(a.Destination, dbus.ObjectPath(a.Path)).
		GoWithContext(ctx, a.Interface+"."+a.Member, 0, make(chan *dbus.Call, 1), args...)
	failed, answers, ended := *x, b.answers, b.ctx.Done()
	go func() {
		defer func() { cancel(); <-answers }()
		select {
		case <-call.Done:
		case <-ended:
			return
		}
		switch err := call.Err; {
		case err == nil:
		case errors.Is(err, context.DeadlineExceeded):
			b.failed(failed, fmt.Errorf("%s.%s: no answer within %v", a.Interface, a.Member, answerWithin))
		default:
			b.failed(failed, fmt.Errorf("%s.%s: %w", a.Interface, a.Member, bus.Reason(err)))
		}
	}()
}

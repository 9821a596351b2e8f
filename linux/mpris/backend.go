//go:build linux

package mpris

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/remedy"
)

const (
	object         = dbus.ObjectPath("/org/mpris/MediaPlayer2")
	playerIface    = "org.mpris.MediaPlayer2.Player"
	properties     = "org.freedesktop.DBus.Properties"
	driver         = "org.freedesktop.DBus"
	nameOwner      = driver + ".NameOwnerChanged"
	propertyChange = properties + ".PropertiesChanged"
)

const (
	// answerWithin is how long a player may take. Browsers hang at times.
	answerWithin = time.Second
	// recoverWithin is how long one that hung is given to answer after all.
	recoverWithin = time.Minute
	// waiting is how many operations and answers may wait for their turn.
	waiting = 64
	// maxUnanswered is how many operations may be on their way to players that hang.
	maxUnanswered = 64
)

// Backend performs Media. One goroutine of its own follows the players.
type Backend struct {
	bus    *bus.Bus
	failed func(effect.Effect, error)

	// The rest is of one connection.
	conn    *dbus.Conn
	end     context.CancelFunc
	ended   chan struct{}
	work    chan effect.Effect
	answers chan func()
	players *players // the goroutine's own, as is the rest
	busy    bool     // a player was told something, and how it stands then is not known yet
	told    int      // operations that are not answered yet
}

// New makes a backend for the players on a bus.
func New(b *bus.Bus) *Backend {
	return &Backend{bus: b, failed: func(effect.Effect, error) {}}
}

// Name is the check that speaks for it.
func (*Backend) Name() string { return "media" }

// Performs says that it performs Media.
func (*Backend) Performs(a effect.Action) bool {
	_, ok := a.(*effect.Media)
	return ok
}

// Defer takes what to call with operations that fail after Do.
func (b *Backend) Defer(failed func(effect.Effect, error)) { b.failed = failed }

// Open begins to follow the players. Its error is a *report.Fault.
func (b *Backend) Open(ctx context.Context) error {
	conn, err := b.bus.Conn(ctx)
	if err != nil {
		return b.fault(err)
	}
	following, end := context.WithCancel(context.WithoutCancel(ctx))
	signals := make(chan *dbus.Signal, 256)
	conn.Signal(signals)
	names, err := b.listen(ctx, conn)
	if err != nil {
		end()
		conn.RemoveSignal(signals)
		return b.fault(err)
	}
	b.conn, b.end, b.ended = conn, end, make(chan struct{})
	b.work, b.answers, b.players = make(chan effect.Effect, waiting), make(chan func(), waiting), newPlayers()
	b.busy, b.told = false, 0
	go b.run(following, signals, names)
	return nil
}

func (b *Backend) fault(err error) error {
	return &report.Fault{Check: b.Name(), Fix: remedy.SessionBus(), Err: fmt.Errorf("cannot follow the players: %w", err)}
}

func matches() [][]dbus.MatchOption {
	return [][]dbus.MatchOption{
		{dbus.WithMatchSender(driver), dbus.WithMatchInterface(driver), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg0Namespace(strings.TrimSuffix(prefix, "."))},
		{dbus.WithMatchObjectPath(object), dbus.WithMatchInterface(properties), dbus.WithMatchMember("PropertiesChanged"), dbus.WithMatchArg(0, playerIface)},
	}
}

// listen asks for the signals first, and then for the names that there are.
func (b *Backend) listen(ctx context.Context, conn *dbus.Conn) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for _, m := range matches() {
		if err := conn.AddMatchSignalContext(ctx, m...); err != nil {
			return nil, err
		}
	}
	err = conn.BusObject().CallWithContext(ctx, driver+".ListNames", 0).Store(&names)
	return names, err
}

// Await returns nil when there is a bus, or ctx's error.
func (b *Backend) Await(ctx context.Context) error {
	_, err := b.bus.Await(ctx)
	return err
}

// Lost is closed when the bus is gone.
func (b *Backend) Lost() <-chan struct{} { return b.conn.Context().Done() }

var errGone = errors.New("the message bus is gone")

// Do begins to perform a Media. It does not wait for the player.
func (b *Backend) Do(x *effect.Effect) error {
	if x.Kind != effect.Act {
		return nil
	}
	select {
	case b.work <- *x:
		return nil
	case <-b.ended:
		return errGone
	}
}

// Close stops following. Answers that are still to come are not waited for.
func (b *Backend) Close() error {
	b.end()
	<-b.ended
	return nil
}

func (b *Backend) run(ctx context.Context, signals chan *dbus.Signal, names []string) {
	defer close(b.ended)
	defer b.forget(signals)
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			b.look(ctx, name)
		}
	}
	for {
		work := b.work
		if b.busy {
			work = nil
		}
		select {
		case <-ctx.Done():
			for range len(b.work) { // what is asked for before the end is done
				x := <-b.work
				b.perform(context.WithoutCancel(ctx), &x)
			}
			return
		case <-b.conn.Context().Done():
			return
		case s := <-signals:
			if s != nil {
				b.hear(ctx, s)
			}
		case f := <-b.answers:
			f()
		case x := <-work:
			b.catchUp(ctx, signals)
			b.perform(ctx, &x)
		}
	}
}

// forget takes back what listen asked for: the connection is not ours alone.
func (b *Backend) forget(signals chan *dbus.Signal) {
	b.conn.RemoveSignal(signals)
	for _, m := range matches() {
		_ = b.conn.RemoveMatchSignal(m...) // who lost the bus has lost the rule too
	}
	for range len(b.work) {
		b.failed(<-b.work, errGone)
	}
}

// catchUp takes what was said before an operation was asked for.
func (b *Backend) catchUp(ctx context.Context, signals chan *dbus.Signal) {
	for range len(b.answers) {
		(<-b.answers)()
	}
	for range len(signals) {
		if s := <-signals; s != nil {
			b.hear(ctx, s)
		}
	}
}

func (b *Backend) hear(ctx context.Context, s *dbus.Signal) {
	switch s.Name {
	case nameOwner:
		var name, old, owner string
		if dbus.Store(s.Body, &name, &old, &owner) != nil || !strings.HasPrefix(name, prefix) {
			return
		}
		b.owned(ctx, name, owner)
	case propertyChange:
		var iface string
		var changed map[string]dbus.Variant
		var invalid []string
		if s.Path != object || dbus.Store(s.Body, &iface, &changed, &invalid) != nil || iface != playerIface {
			return
		}
		b.players.changed(s.Sender, values(changed))
		if p := b.players.all[s.Sender]; p != nil && len(invalid) > 0 {
			b.askAgain(ctx, p)
		}
	}
}

func values(m map[string]dbus.Variant) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v.Value()
	}
	return out
}

// look asks who has a name that was listed.
func (b *Backend) look(ctx context.Context, name string) {
	b.call(ctx, answerWithin, b.conn.BusObject(), driver+".GetNameOwner", func(c *dbus.Call) {
		var owner string
		if c.Store(&owner) == nil {
			b.owned(ctx, name, owner)
		}
	}, name)
}

func (b *Backend) owned(ctx context.Context, name, owner string) {
	if p := b.players.owned(name, owner); p != nil {
		b.ask(ctx, p.owner, answerWithin)
	}
}

// askAgain asks a player that has changed. One that says so again and again is asked once at a time, and
// once more in the end.
func (b *Backend) askAgain(ctx context.Context, p *player) {
	if p.asked {
		p.stale = true
		return
	}
	p.asked, p.stale = true, false
	b.askThen(ctx, p.owner, answerWithin, func() {
		if p.asked = false; p.stale && b.players.all[p.owner] == p {
			b.askAgain(ctx, p)
		}
	})
}

// ask asks a player how it stands.
func (b *Backend) ask(ctx context.Context, owner string, limit time.Duration) {
	b.askThen(ctx, owner, limit, func() {})
}

func (b *Backend) askThen(ctx context.Context, owner string, limit time.Duration, then func()) {
	b.call(ctx, limit, b.conn.Object(owner, object), properties+".GetAll", func(c *dbus.Call) {
		defer then()
		var all map[string]dbus.Variant
		if c.Store(&all) == nil {
			b.players.changed(owner, values(all))
		} else if p := b.players.all[owner]; p != nil && errors.Is(c.Err, context.DeadlineExceeded) && !p.hangs {
			b.hung(ctx, p)
		}
	}, playerIface)
}

// call sends a call at once, so that calls keep their order, and has the answer taken by the
// goroutine when it comes.
func (b *Backend) call(ctx context.Context, limit time.Duration, to dbus.BusObject, method string, answer func(*dbus.Call), args ...any) {
	within, cancel := context.WithTimeout(ctx, limit)
	call := to.GoWithContext(within, method, dbus.FlagNoAutoStart, make(chan *dbus.Call, 1), args...)
	answers, ended := b.answers, b.ended
	go func() {
		<-call.Done
		cancel()
		select {
		case answers <- func() { answer(call) }:
		case <-ended:
		}
	}()
}

// hung remembers that a player does not answer, until it does.
func (b *Backend) hung(ctx context.Context, p *player) {
	p.hangs = true
	b.ask(ctx, p.owner, recoverWithin)
}

func (b *Backend) perform(ctx context.Context, x *effect.Effect) {
	a, ok := x.Action.(*effect.Media)
	if !ok {
		return
	}
	p, err := b.players.choose(a.Operation, a.Player)
	if err != nil {
		b.failed(*x, err)
		return
	}
	if b.told == maxUnanswered {
		b.failed(*x, fmt.Errorf("%d operations wait for their answer", maxUnanswered))
		return
	}
	b.told++
	b.players.told(p, a.Operation)
	name, failed, waits := p.name(), *x, !p.hangs
	b.busy = b.busy || waits
	within, cancel := context.WithTimeout(ctx, answerWithin)
	call := b.conn.Object(p.owner, object).GoWithContext(within, playerIface+"."+a.Operation, dbus.FlagNoAutoStart, make(chan *dbus.Call, 1))
	answers, ended := b.answers, b.ended
	go func() {
		<-call.Done
		cancel()
		err := call.Err
		hangs := errors.Is(err, context.DeadlineExceeded)
		switch {
		case hangs:
			b.failed(failed, fmt.Errorf("%s does not answer", name))
		case errors.Is(err, context.Canceled): // we end
		case err != nil:
			b.failed(failed, fmt.Errorf("%s: %w", name, bus.Reason(err)))
		}
		select {
		case answers <- func() { b.answered(ctx, p, hangs, waits) }:
		case <-ended:
		}
	}()
}

// answered asks how a player stands after it was told something. Some say that late, and some
// never; and whoever is told next depends on it.
func (b *Backend) answered(ctx context.Context, p *player, hangs, waits bool) {
	b.told--
	free := func() {
		if waits {
			b.busy = false
		}
	}
	switch {
	case !hangs:
		p.hangs = false
		b.askThen(ctx, p.owner, answerWithin, free)
		return
	case !p.hangs:
		b.hung(ctx, p)
	}
	free()
}

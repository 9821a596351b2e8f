//go:build linux

package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/remedy"
)

const (
	service = "org.freedesktop.Notifications"
	object  = dbus.ObjectPath("/org/freedesktop/Notifications")

	startService = "org.freedesktop.DBus.StartServiceByName"
	nameOwner    = "org.freedesktop.DBus.GetNameOwner"
	ping         = "org.freedesktop.DBus.Peer.Ping"
)

const (
	// answerWithin is how long the daemon may take, its start included.
	answerWithin = 2 * time.Second
	// waiting is how many notifications may wait for their turn.
	waiting = 16
)

// Backend performs Notify. One goroutine of its own talks to the daemon.
type Backend struct {
	bus    *bus.Bus
	failed func(effect.Effect, error)

	notes chan note // for all connections

	// The rest is of one connection.
	conn   *dbus.Conn
	ctx    context.Context // until end
	end    context.CancelFunc
	ended  chan struct{}
	owners chan string
	alive  chan string // an owner that hung has answered
	others sync.WaitGroup

	// And this is the goroutine's own.
	slots  slots
	owner  string // of the daemon's name; empty: nobody
	broken error  // why the daemon is left alone
	asked  bool   // capabilities are known
	markup bool
}

// New makes a backend for the notification daemon on a bus.
func New(b *bus.Bus) *Backend {
	return &Backend{bus: b, failed: func(effect.Effect, error) {}, notes: make(chan note, waiting)}
}

// Name is the check that speaks for it.
func (*Backend) Name() string { return "notify" }

// Performs says that it performs Notify.
func (*Backend) Performs(a effect.Action) bool {
	_, ok := a.(*effect.Notify)
	return ok
}

// Defer takes what to call with notifications that fail after Do.
func (b *Backend) Defer(failed func(effect.Effect, error)) { b.failed = failed }

// Open makes it ready. The daemon is started by the first notification, if it is not there.
// Its error is a *report.Fault.
func (b *Backend) Open(ctx context.Context) error {
	conn, err := b.bus.Conn(ctx)
	if err != nil {
		return &report.Fault{Check: b.Name(), Fix: remedy.SessionBus(), Err: fmt.Errorf("cannot show notifications: %w", err)}
	}
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	b.conn, b.ctx, b.end, b.ended = conn, running, end, make(chan struct{})
	b.owners, b.alive = make(chan string, 1), make(chan string)
	b.slots, b.owner, b.broken, b.asked = slots{}, "", nil, false
	b.others.Go(func() {
		b.bus.Owner(running, service, func(_ *dbus.Conn, owner string) {
			select {
			case b.owners <- owner:
			case <-running.Done():
			}
		})
	})
	go b.run(running)
	return nil
}

// Await returns nil when there is a bus, or ctx's error.
func (b *Backend) Await(ctx context.Context) error {
	_, err := b.bus.Await(ctx)
	return err
}

// Lost is closed when the bus is gone.
func (b *Backend) Lost() <-chan struct{} { return b.conn.Context().Done() }

var errGone = errors.New("the message bus is gone")

// Do begins to show a notification.
func (b *Backend) Do(x *effect.Effect) error {
	a, ok := x.Action.(*effect.Notify)
	if !ok || x.Kind != effect.Act {
		return nil
	}
	select {
	case b.notes <- noteOf(a, x):
		return nil
	case <-b.ended:
		return errGone
	}
}

// ReloadFailed tells that a changed configuration is not used. It never blocks and may be
// called at any time; while there is no bus, what it tells waits.
func (b *Backend) ReloadFailed(r report.Reload) {
	select {
	case b.notes <- failedNote(&r):
	default:
	}
}

// Close shows what waits, and ends.
func (b *Backend) Close() error {
	b.end()
	<-b.ended
	b.others.Wait()
	return nil
}

func (b *Backend) run(ctx context.Context) {
	defer close(b.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	lasting := context.WithoutCancel(ctx) // what has begun is shown, also when Close comes
	for {
		timer.Stop()
		if at, ok := b.slots.due(); ok {
			timer.Reset(time.Until(at))
		}
		select {
		case <-ctx.Done():
			b.finish(ctx)
			return
		case <-b.conn.Context().Done():
			b.abandon()
			return
		case is := <-b.owners:
			b.owned(is)
		case is := <-b.alive:
			if is == b.owner {
				b.broken = nil
			}
		case <-timer.C:
			for _, n := range b.slots.waiting(time.Now()) {
				b.take(lasting, n)
			}
		case n := <-b.notes:
			b.take(lasting, &n)
		}
	}
}

// owned takes who the daemon is now: another one, or none, knows nothing of what was shown.
func (b *Backend) owned(owner string) {
	if owner == b.owner {
		return
	}
	b.owner, b.broken, b.asked = owner, nil, false
	b.slots.clear()
}

// finish shows the newest of what waits.
func (b *Backend) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	for range len(b.notes) {
		n := <-b.notes
		b.take(ctx, &n)
	}
	for _, n := range b.slots.waiting(time.Time{}) {
		b.take(ctx, n)
	}
}

func (b *Backend) abandon() {
	for range len(b.notes) {
		n := <-b.notes
		b.outcome(&n, errGone)
	}
	for _, n := range b.slots.waiting(time.Time{}) {
		b.outcome(n, errGone)
	}
}

// take shows a notification, or has it wait for its slot.
func (b *Backend) take(ctx context.Context, n *note) {
	if at, ok := b.slots.take(n, time.Now()); ok {
		b.outcome(n, b.show(ctx, n, at))
	}
}

func (b *Backend) outcome(n *note, err error) {
	if err != nil && n.asked {
		b.failed(n.x, err)
	}
}

// show shows a notification in its slot.
func (b *Backend) show(ctx context.Context, n *note, at *slot) error {
	if b.broken != nil {
		return b.broken
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := b.ask(ctx); err != nil {
		return b.verdict(err)
	}
	hints := map[string]dbus.Variant{"desktop-entry": dbus.MakeVariant("midimon")}
	if n.slot != "" { // for daemons that go by it
		hints["x-canonical-private-synchronous"] = dbus.MakeVariant(n.slot)
		hints["x-dunst-stack-tag"] = dbus.MakeVariant(n.slot)
	}
	timeout := int32(-1) // as the daemon likes
	if n.timeout > 0 {
		timeout = int32(min(n.timeout.Milliseconds(), 1<<31-1))
	}
	call := b.conn.Object(service, object).CallWithContext(ctx, service+".Notify", 0,
		"midimon", at.id, n.icon, n.summary, n.shown(b.markup), []string{}, hints, timeout)
	return b.verdict(call.Store(&at.id))
}

// ask asks the daemon once whether it reads markup.
func (b *Backend) ask(ctx context.Context) error {
	if b.asked {
		return nil
	}
	// Who it is that answers must be known, or the news of its start would look like another's.
	if b.owner == "" {
		owner, err := b.find(ctx)
		if err != nil {
			return err
		}
		b.owned(owner)
	}
	var can []string
	err := b.conn.Object(service, object).CallWithContext(ctx, service+".GetCapabilities", 0).Store(&can)
	if err != nil {
		return err
	}
	b.asked, b.markup = true, slices.Contains(can, "body-markup")
	return nil
}

// find is the daemon's unique name. It has the bus start one if there is none.
func (b *Backend) find(ctx context.Context) (owner string, err error) {
	driver := b.conn.BusObject()
	if driver.CallWithContext(ctx, nameOwner, 0, service).Store(&owner) == nil {
		return owner, nil
	}
	if err := driver.CallWithContext(ctx, startService, 0, service, uint32(0)).Err; err != nil {
		return "", err
	}
	err = driver.CallWithContext(ctx, nameOwner, 0, service).Store(&owner)
	return owner, err
}

// deadly are the errors of a daemon that is not there, cannot be started or died of the call;
// of the service manager's all.
var deadly = []string{
	"org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.NoReply",
	"org.freedesktop.DBus.Error.Timeout", "org.freedesktop.DBus.Error.TimedOut", "org.freedesktop.DBus.Error.Disconnected",
}

const spawning = "org.freedesktop.DBus.Error.Spawn."

// verdict says what became of a call. A daemon that cannot be started is left alone from then on,
// and one that does not answer until it does.
func (b *Backend) verdict(err error) error {
	var e dbus.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		b.broken = fmt.Errorf("the notification daemon did not answer within %v, and is left alone until it does", answerWithin)
		b.listen()
		return b.broken
	case b.conn.Context().Err() != nil:
		return errGone
	case !errors.As(err, &e):
		return fmt.Errorf("cannot show a notification: %w", err)
	case slices.Contains(deadly, e.Name) || strings.HasPrefix(e.Name, spawning) || strings.HasPrefix(e.Name, "org.freedesktop.systemd1."):
		b.broken = fmt.Errorf("there is no notification daemon that works: %w", bus.Reason(err))
		return b.broken
	default:
		return fmt.Errorf("the notification daemon refuses: %w", bus.Reason(err))
	}
}

// listen waits for the answer of a daemon that hangs. One that is being started comes as a new owner.
func (b *Backend) listen() {
	if b.owner == "" {
		return
	}
	ctx, owner, alive := b.ctx, b.owner, b.alive
	call := b.conn.Object(owner, object).GoWithContext(ctx, ping, dbus.FlagNoAutoStart, make(chan *dbus.Call, 1))
	b.others.Go(func() {
		select {
		case <-call.Done:
		case <-ctx.Done():
			return
		}
		var no dbus.Error
		if call.Err != nil && (!errors.As(call.Err, &no) || slices.Contains(deadly, no.Name)) {
			return // it is gone
		}
		select {
		case alive <- owner:
		case <-ctx.Done():
		}
	})
}

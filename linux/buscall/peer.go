//go:build linux

package buscall

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/bus"
)

const introspect = "org.freedesktop.DBus.Introspectable.Introspect"

// peer is somebody whom calls go to, one after the other. Its goroutine owns what is not atomic.
type peer struct {
	address
	bus   *bus.Bus
	calls chan effect.Effect
	sent  chan struct{} // closed when all calls are

	owners atomic.Uint64 // how often the name changed hands
	seen   uint64        // of these, when known was asked for
	known  map[string]*description
}

func (p *peer) run(b *Backend) {
	following, end := context.WithCancel(b.ctx)
	defer end()
	b.running.Go(func() {
		p.bus.Owner(following, p.name, func(*dbus.Conn, string) { p.owners.Add(1) })
	})
	defer close(p.sent)
	for x := range p.calls {
		if err := p.call(b, &x); err != nil && b.ctx.Err() == nil {
			b.failed(x, err)
		}
	}
}

// call asks what the method takes, if that is not known, and sends the call.
func (p *peer) call(b *Backend, x *effect.Effect) error {
	a, ok := x.Action.(*effect.DBusCall)
	if !ok {
		return nil
	}
	conn, err := p.bus.Conn(b.ctx)
	if err != nil {
		return err
	}
	d, err := p.description(b.ctx, conn, a.Path)
	if err != nil {
		return err
	}
	args, err := prepare(d, a, x.Level)
	if err != nil {
		return err
	}
	b.send(conn, a, x, args)
	return nil
}

// description is what an object says of itself, asked once as long as the name does not change
// hands. It is empty if the object says nothing.
func (p *peer) description(ctx context.Context, conn *dbus.Conn, path string) (*description, error) {
	owners := p.owners.Load()
	if owners != p.seen {
		clear(p.known)
		p.seen = owners
	}
	if d := p.known[path]; d != nil {
		return d, nil
	}
	d, err := ask(ctx, conn, p.name, path, answerWithin, 0)
	if err != nil {
		return nil, err
	}
	// It may have been started only now, or be another by now: then it is asked again.
	if p.owners.Load() == owners {
		p.known[path] = d
	}
	return d, nil
}

// ask asks an object to describe itself. What cannot is described by nothing; an error says that
// nobody is there to be called, or that it does not answer.
func ask(ctx context.Context, conn *dbus.Conn, name, path string, limit time.Duration, flags dbus.Flags) (*description, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var text string
	err := conn.Object(name, dbus.ObjectPath(path)).CallWithContext(ctx, introspect, flags).Store(&text)
	var refused dbus.Error
	switch {
	case err == nil:
		d, err := describe(text)
		if err != nil {
			return &description{}, nil //nolint:nilerr // what it takes is told by its answer
		}
		return d, nil
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("%s does not say what it takes: no answer within %v", name, limit)
	case errors.As(err, &refused) && !isAbsence(refused.Name):
		return &description{}, nil
	}
	return nil, fmt.Errorf("%s: %w", name, bus.Reason(err))
}

// isAbsence says whether an error means that there is nobody of that name.
func isAbsence(name string) bool {
	switch name {
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.NoReply",
		"org.freedesktop.DBus.Error.Disconnected":
		return true
	}
	return strings.HasPrefix(name, spawning)
}

const spawning = "org.freedesktop.DBus.Error.Spawn."

// prepare makes the arguments of a call.
func prepare(d *description, a *effect.DBusCall, level float64) ([]any, error) {
	takes, known, err := d.takes(a)
	if err != nil {
		return nil, err
	}
	var args []any
	if known {
		args, err = arguments(a.Args, takes, level)
	} else {
		args, err = natural(a.Args, level)
	}
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", a.Interface, a.Member, err)
	}
	return args, nil
}

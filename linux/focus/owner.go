//go:build linux

package focus

import (
	"context"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
)

// owner is who has a name on the bus, or empty.
func owner(ctx context.Context, conn *dbus.Conn, name string) (is string) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, name).Store(&is) != nil {
		return ""
	}
	return is
}

// owned is who has the name of a desktop, and the connection on which it was asked. Error: errAbsent.
func (w *Watcher) owned(ctx context.Context, name string) (conn *dbus.Conn, is string, err error) {
	if conn, err = w.user.Conn(ctx); err != nil {
		return nil, "", errAbsent
	}
	if is = owner(ctx, conn, name); is == "" {
		return nil, "", errAbsent
	}
	return conn, is, nil
}

// endWith calls end whenever a name has not the owner that it had, until ctx is done.
func (w *Watcher) endWith(ctx context.Context, name, was string, end func()) {
	w.user.Owner(ctx, name, func(_ *dbus.Conn, now string) {
		if now != was {
			end()
		}
	})
}

// awaitOwner looks again when a desktop comes that has such a name on the bus.
func (w *Watcher) awaitOwner(ctx context.Context, name string) {
	w.user.Owner(ctx, name, func(_ *dbus.Conn, owner string) {
		if owner != "" {
			w.look()
		}
	})
}

// awaitSignal looks again when one of the signals that match comes: is says it, for others come as well.
func (w *Watcher) awaitSignal(ctx context.Context, match []dbus.MatchOption, is func(*dbus.Signal) bool) {
	w.user.Each(ctx, func(conn *dbus.Conn) {
		bus.Follow(ctx, conn, match, func(s *dbus.Signal) {
			if is(s) {
				w.look()
			}
		}, func() {})
	})
}

//go:build linux

package bus

import (
	"context"

	"github.com/godbus/dbus/v5"
)

const (
	driver       = "org.freedesktop.DBus"
	ownerChanged = driver + ".NameOwnerChanged"
)

// Owner tells who owns a name now and whenever that changes, until ctx is done: a unique name, or
// "" for nobody, also while the bus is lost. conn is nil then. It starts nobody.
func (b *Bus) Owner(ctx context.Context, name string, tell func(conn *dbus.Conn, owner string)) {
	b.Each(ctx, func(conn *dbus.Conn) {
		b.owner(ctx, conn, name, tell)
		if ctx.Err() == nil {
			tell(nil, "")
		}
	})
}

// owner does it for one connection, until that is lost.
func (b *Bus) owner(ctx context.Context, conn *dbus.Conn, name string, tell func(*dbus.Conn, string)) {
	var owner string
	Follow(ctx, conn, []dbus.MatchOption{
		dbus.WithMatchSender(driver), dbus.WithMatchInterface(driver), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name),
	}, func(s *dbus.Signal) {
		if s.Name != ownerChanged || len(s.Body) != 3 || s.Body[0] != name {
			return
		}
		if is, _ := s.Body[2].(string); is != owner {
			owner = is
			tell(conn, owner)
		}
	}, func() {
		if err := conn.BusObject().CallWithContext(ctx, driver+".GetNameOwner", 0, name).Store(&owner); err != nil {
			owner = ""
		}
		tell(conn, owner)
	})
}

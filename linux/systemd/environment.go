//go:build linux

package systemd

import (
	"context"
	"strings"

	"github.com/godbus/dbus/v5"
)

// Environment is what the session's service manager gives to those that it starts. Desktops tell it
// where they are, and it may be older than the desktop, as we may. It is not started for that.
func Environment(ctx context.Context, conn *dbus.Conn) (map[string]string, error) {
	const name = "org.freedesktop.systemd1"
	var pairs []string
	err := conn.Object(name, "/org/freedesktop/systemd1").CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get",
		dbus.FlagNoAutoStart, name+".Manager", "Environment").Store(&pairs)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return all, nil
}

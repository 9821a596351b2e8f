//go:build linux

package notify

import (
	"context"
	"slices"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/remedy"
)

// Detect says who shows notifications. It starts nobody.
func (b *Backend) Detect(ctx context.Context) report.Check {
	c := report.Check{Name: b.Name(), Status: report.OK}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	conn, err := b.bus.Conn(ctx)
	if err != nil {
		c.Status, c.Message, c.Fix = report.Warning, "cannot show notifications: "+err.Error(), remedy.SessionBus()
		return c
	}
	var name, vendor, version, spec string
	err = conn.Object(service, object).CallWithContext(ctx, service+".GetServerInformation", dbus.FlagNoAutoStart).Store(&name, &vendor, &version, &spec)
	if c.Message = "notifications by " + name + " " + version; err == nil {
		return c
	}
	var startable []string
	if conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&startable) == nil && slices.Contains(startable, service) {
		c.Message = "nobody shows notifications now; the first one starts who does"
		return c
	}
	c.Status, c.Message, c.Fix = report.Warning, "nobody shows notifications: "+err.Error(), remedy.Notifications()
	return c
}

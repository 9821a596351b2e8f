//go:build linux

package notify

import (
	"context"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

// Detect says who shows notifications. It starts nobody.
func (b *Backend) Detect(ctx context.Context) report.Check {
	c := report.Check{Name: b.Name(), Status: report.OK}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	conn, err := b.bus.Conn(ctx)
	if err != nil {
		c.Status, c.Message = report.Warning, "cannot show notifications: "+err.Error()
		return c
	}
	var name, vendor, version, spec string
	err = conn.Object(service, object).CallWithContext(ctx, service+".GetServerInformation", dbus.FlagNoAutoStart).Store(&name, &vendor, &version, &spec)
	if c.Message = "notifications by " + name + " " + version; err != nil {
		c.Status, c.Message = report.Warning, "nobody shows notifications now: "+err.Error()
	}
	return c
}

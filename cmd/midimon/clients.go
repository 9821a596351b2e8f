package main

import (
	"context"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/engine/report"
)

// clients makes the server of the bus what the daemon wants of it.
type clients struct {
	*dbusapi.Server
	address string
	off     bool // no session bus is wanted
	// fatal ends the daemon: at the start, whoever has the name is another midimon.
	fatal context.CancelCauseFunc
}

// Serve keeps the session bus.
func (c clients) Serve(ctx context.Context, tell func(report.Check)) {
	row := report.Check{Name: "bus", Status: report.OK}
	if c.off {
		tell(row)
		<-ctx.Done()
		return
	}
	first := true
	c.KeepBus(ctx, c.address, func(state dbusapi.BusState, err error) {
		if state == dbusapi.BusNameTaken && first {
			c.fatal(err)
		}
		first = false
		row := row
		if state != dbusapi.BusConnected {
			row.Status, row.Message = report.Failed, "the session bus is "+string(state)
			if state != dbusapi.BusNameTaken {
				row.Fix = "systemctl --user start dbus.socket"
			}
			if err != nil {
				row.Message = err.Error()
			}
		}
		tell(row)
	})
}

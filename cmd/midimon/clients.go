package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/engine/report"
)

const busCheck = "bus"

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
	if c.off {
		tell(report.Check{Name: busCheck, Status: report.OK})
		<-ctx.Done()
		return
	}
	first := true
	c.KeepBus(ctx, c.address, func(state dbusapi.BusState, err error) {
		if state == dbusapi.BusNameTaken && first {
			c.fatal(err)
		}
		first = false
		tell(busRow(state, err))
	})
}

// busRow is how the session bus fares.
func busRow(state dbusapi.BusState, err error) report.Check {
	row := report.Check{Name: busCheck, Status: report.OK}
	if state == dbusapi.BusConnected {
		return row
	}
	row.Status, row.Message, row.Fix = report.Failed, "the session bus is "+string(state), bringBus()
	if err != nil {
		row.Message = err.Error()
	}
	if taken, ok := errors.AsType[*dbusapi.NameTaken](err); ok {
		row.Fix = "busctl --user status " + dbusapi.BusName // who it is
		if taken.Pid != 0 {
			row.Fix = fmt.Sprintf("kill %d", taken.Pid) // then the name is ours
		}
	}
	return row
}

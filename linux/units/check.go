//go:build linux

package units

import (
	"context"
	"errors"
	"fmt"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/remedy"
)

// Checks tells how what starts midimon stands.
func (l *Life) Checks(ctx context.Context) []report.Check {
	rows := []report.Check{l.checkBus(ctx)}
	m, err := Connect(ctx, l.Address)
	if err != nil {
		return append(rows, report.Check{Name: "units", Status: report.Warning, Message: err.Error(), Fix: remedy.Manager()})
	}
	defer m.Close()
	for _, name := range []string{Socket, Service} {
		row := report.Check{Name: "units:" + name, Status: report.OK}
		u, err := m.Unit(ctx, name)
		switch {
		case err != nil:
			row.Status, row.Message, row.Fix = report.Failed, err.Error(), "systemctl --user status "+name
		case u.Load == "masked":
			row.Status, row.Message, row.Fix = report.Warning, "systemd says it is masked", "systemctl --user unmask "+name
		case u.Load == "error" || u.Load == "bad-setting":
			row.Status, row.Message, row.Fix = report.Failed, "systemd says it is "+u.Load, "systemd-analyze --user verify "+name
		case u.Load != "loaded":
			row.Status, row.Message, row.Fix = report.Warning, "systemd says it is "+u.Load, "midimonctl install"
		case u.Active == "failed":
			row.Status, row.Message, row.Fix = report.Failed, "it failed: "+u.Result, "midimonctl start"
		case u.Enabled != "enabled":
			row.Status, row.Message, row.Fix = report.Warning, "no login starts it", "midimonctl install"
		case name == Socket && !u.Running():
			row.Status, row.Message, row.Fix = report.Warning, "it is "+u.Active, "midimonctl start"
		default:
			row.Message = u.Enabled + " and " + u.Active
		}
		rows = append(rows, row)
	}
	return rows
}

// checkBus tells whether the session bus is there and could start midimon.
func (l *Life) checkBus(ctx context.Context) report.Check {
	row := report.Check{Name: "bus", Status: report.OK, Message: "the session bus answers, and a call to " + l.Name + " starts midimon"}
	able, err := (bus{l.Address}).activatable(ctx, l.Name)
	switch {
	case errors.Is(err, errNoBus):
		row.Status, row.Message, row.Fix = report.Warning, err.Error(), remedy.SessionBus()
	case err != nil:
		row.Status, row.Message, row.Fix = report.Failed, fmt.Sprintf("the session bus does not answer: %v", err), remedy.SessionBus()
	case !able:
		row.Status, row.Message, row.Fix = report.Warning, "the session bus answers, and cannot start midimon", "midimonctl install"
	}
	return row
}

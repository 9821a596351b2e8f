// Package dbusapi is midimon on D-Bus: the objects, the private socket's server and the
// client. It translates between the bus and a Backend and holds no state of the daemon.
package dbusapi

import (
	"context"

	"github.com/amiable-dev/midimon/engine/report"
)

// A Backend answers for the daemon. Its errors wrap the sentinels of engine/report.
type Backend interface {
	// Status is what the daemon last published. It never blocks.
	Status() *report.Status
	// Subscribe reports changes until cancel is called. Wake (capacity 1) has a value after
	// Status changed or an event came; drain takes the events waiting, in order, and says
	// how many were dropped because nobody drained (at most 256 wait).
	Subscribe() (wake <-chan struct{}, drain func() (events []report.Event, dropped uint64), cancel func())
	// Reload reads the configuration again and returns when that is done. It returns the
	// outcome and an error wrapping report.ErrConfigInvalid when the old one goes on.
	Reload(ctx context.Context, trigger string) (report.Reload, error)
	// SetMode makes the named mode the base mode.
	SetMode(ctx context.Context, name string) error
	// Pause closes or opens the gate of all actions.
	Pause(ctx context.Context, paused bool) error
	// Panic lets go of everything held and ends every sequence.
	Panic(ctx context.Context) error
	// SetDeviceEnabled switches a device by its ID.
	SetDeviceEnabled(ctx context.Context, id string, enabled bool) error
	// Reconnect closes and opens a device's ports.
	Reconnect(ctx context.Context, id string) error
}

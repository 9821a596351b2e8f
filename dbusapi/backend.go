// Package dbusapi is midimon on D-Bus: the objects, the private socket's server and the
// client. It translates between the bus and a Backend and holds no state of the daemon.
package dbusapi

import (
	"context"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
)

// A Backend answers for the daemon. Its errors wrap the sentinels of engine/report.
type Backend interface {
	// Status is what the daemon last published. It never blocks.
	Status() *report.Status
	// Subscribe reports changes until cancel is called. Wake (capacity 1) has a value after
	// Status changed or an event came; drain takes the events waiting, in order, and says
	// how many were dropped because nobody drained (at most 256 wait). The list is good until
	// the next drain.
	Subscribe() (wake <-chan struct{}, drain func() (events []report.Event, dropped uint64), cancel func())
	// Reload reads the configuration again and returns when that is done. It returns the
	// outcome and an error wrapping report.ErrConfigInvalid when the old one goes on.
	Reload(ctx context.Context, trigger string) (report.Reload, error)
	// SetMode makes the named mode the base mode.
	SetMode(ctx context.Context, name string) error
	// Pause closes or opens the gate of all actions.
	Pause(ctx context.Context, paused bool) error
	// Validate says whether a text is a configuration without errors, and what there is to say.
	Validate(ctx context.Context, text string) (ok bool, diagnostics []report.Diagnostic, err error)
	// ArmRevert goes back to the configuration before when that time has passed, unless Keep
	// comes before with the generation returned. Revert does at once.
	ArmRevert(ctx context.Context, after time.Duration) (generation uint64, err error)
	Keep(ctx context.Context, generation uint64) error
	Revert(ctx context.Context) error

	// ListModes are the modes in the order of the configuration.
	ListModes() []report.Mode
	// CycleMode makes another mode the base mode, so many places onwards.
	CycleMode(ctx context.Context, step int) (mode string, err error)
	// HoldMode makes a mode act until ReleaseMode, or until the caller is Gone. So does Inhibit
	// with the gate of all actions, and ReportFocus with who has the focus. An event
	// ModeHoldReleased says that a hold was ended otherwise.
	HoldMode(ctx context.Context, caller, mode, reason, app string) (cookie uint32, err error)
	ReleaseMode(ctx context.Context, caller string, cookie uint32) error
	Inhibit(ctx context.Context, caller string, by report.Inhibitor) (cookie uint32, err error)
	Uninhibit(ctx context.Context, caller string, cookie uint32) error
	ReportFocus(ctx context.Context, caller, app string) error
	// Gone ends everything that a caller holds.
	Gone(ctx context.Context, caller string) error

	// Mappings are those that the filter wants, in the order of the configuration.
	Mappings(ctx context.Context, f report.MappingFilter) ([]report.Mapping, error)
	Mapping(ctx context.Context, id string) (report.Mapping, error)
	// Trigger does what a mapping does at a press.
	Trigger(ctx context.Context, id string) error
	// SetEnabled switches a mapping until the next reload.
	SetEnabled(ctx context.Context, id string, on bool) error

	// Watch tells of every message from now on, until cancel is called. What finds no place is
	// counted by dropped.
	Watch(ctx context.Context) (seen <-chan report.Seen, dropped func() uint64, cancel func(), err error)
	// Why is what was decided about the newest events, at most n of them, the newest last.
	Why(ctx context.Context, n int) ([]report.Decision, error)
	// Stats are the counters now; ResetStats makes them, and Status' Reloads, begin anew.
	Stats(ctx context.Context) (report.Stats, error)
	ResetStats(ctx context.Context) error

	// Panic lets go of everything held and ends every sequence.
	Panic(ctx context.Context) error
	// SetDeviceEnabled switches a device by its ID.
	SetDeviceEnabled(ctx context.Context, id string, enabled bool) error
	// Reconnect closes and opens a device's ports.
	Reconnect(ctx context.Context, id string) error
	// Identify makes a device show itself.
	Identify(ctx context.Context, id string) error
	// Send sends whole MIDI messages to a device.
	Send(ctx context.Context, id string, midi []byte) error
}

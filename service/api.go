package service

import (
	"context"
	"fmt"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// Status is what is so. It never blocks; the value is not changed later.
func (d *Daemon) Status() *report.Status { return d.board.current() }

// Subscribe reports changes until cancel is called. Wake has a value after Status changed or
// an event came; drain takes the events waiting, in order, and says how many were dropped
// because more than 256 waited.
func (d *Daemon) Subscribe() (wake <-chan struct{}, drain func() (events []report.Event, dropped uint64), cancel func()) {
	return d.board.subscribe()
}

// Reload reads the configuration again and returns when that is done. Requests that come
// together share one reading. Errors wrap report.ErrConfigInvalid or
// report.ErrConfigUnreadable, and then the previous one goes on.
func (d *Daemon) Reload(ctx context.Context, trigger string) (report.Reload, error) {
	return d.reloader.Reload(ctx, trigger)
}

// change makes a change of the engine and returns when Status shows what came of it.
func (d *Daemon) change(ctx context.Context, c func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect) error {
	return d.shown(d.loop.Do(ctx, c))
}

// SetMode makes the named mode the base mode. Error: report.ErrUnknownMode.
func (d *Daemon) SetMode(ctx context.Context, name string) error {
	return d.inMode(ctx, name, func(e *engine.Engine, mode int, now time.Duration, out []effect.Effect) []effect.Effect {
		return e.SetMode(mode, effect.ByCaller, now, out)
	})
}

// inMode makes a change with the named mode.
func (d *Daemon) inMode(ctx context.Context, name string, c func(e *engine.Engine, mode int, now time.Duration, out []effect.Effect) []effect.Effect) error {
	found := false
	err := d.change(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		for i := range e.Program().Modes {
			if e.Program().Modes[i].Name == name {
				found = true
				return c(e, i, now, out)
			}
		}
		return out
	})
	if err == nil && !found {
		return fmt.Errorf("%w: %s", report.ErrUnknownMode, name)
	}
	return err
}

// CycleMode makes the mode so many places after the acting one the base mode, round and
// round, and returns its name.
func (d *Daemon) CycleMode(ctx context.Context, step int) (mode string, err error) {
	err = d.change(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		out = e.CycleMode(step, effect.ByCaller, now, out)
		mode = e.Program().Modes[e.BaseMode()].Name
		return out
	})
	return mode, err
}

// Pause closes or opens the gate of all actions.
func (d *Daemon) Pause(ctx context.Context, paused bool) error {
	if err := d.loop.Do(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		return e.SetGate(effect.Paused, paused, now, out)
	}); err != nil {
		return err
	}
	d.board.post(func() { d.board.phase.Paused = paused })
	return nil
}

// Panic lets go of everything held, ends every sequence and silences what was played.
func (d *Daemon) Panic(ctx context.Context) error {
	return d.change(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		mode := e.Program().Modes[e.Mode()].Name
		out = append(out, effect.Effect{Kind: effect.Act, At: now, Arrived: now, Mode: mode, Action: &effect.Panic{}})
		return e.Release(effect.ByPanic, now, out)
	})
}

// SetDeviceEnabled switches a configured device, until midimon ends. Errors:
// report.ErrUnknownDevice, report.ErrNotSupported.
func (d *Daemon) SetDeviceEnabled(ctx context.Context, id string, enabled bool) error {
	return d.ports.SetEnabled(ctx, id, enabled)
}

// Reconnect closes a configured device's ports and opens them again. Errors:
// report.ErrUnknownDevice, report.ErrNotSupported.
func (d *Daemon) Reconnect(ctx context.Context, id string) error {
	return d.ports.Reconnect(ctx, id)
}

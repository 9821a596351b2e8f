package service

import (
	"context"
	"fmt"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/reload"
)

// undo keeps the configuration before the last accepted one. It belongs to whoever reloads:
// everything happens between reloads.
type undo struct {
	is, was    *accepted // nil: there is none
	timer      *time.Timer
	generation uint64 // that the timer takes back; 0: it does not run
}

// accepted is a configuration that was good.
type accepted struct {
	program  *engine.Program
	settings config.Settings
	text     [32]byte // checksum of what was read
}

// accept takes a new one in, and says what it changed. The same text read again is no new
// one: what came before it is still what can be gone back to. A new one ends the waiting.
func (u *undo) accept(o *reload.Outcome) report.Diff {
	next := &accepted{o.Program, o.Settings, o.Sum}
	if u.is == nil || u.is.text != next.text {
		u.disarm()
		u.was = u.is
	}
	u.is = next
	if u.was == nil {
		return report.Diff{}
	}
	return u.was.program.Diff(u.is.program)
}

func (u *undo) armed() uint64 { return u.generation }

func (u *undo) disarm() {
	if u.timer != nil {
		u.timer.Stop()
	}
	u.timer, u.generation = nil, 0
}

// nothingBefore is the error of going back where there is nothing to go back to.
var errNothingBefore = fmt.Errorf("%w: there is no configuration before this one", report.ErrNotSupported)

// ArmRevert goes back to the configuration before the last accepted one when that time has
// passed, unless Keep comes before, with the generation returned: that of the one which acts.
// A newer configuration that is accepted ends it, and so does another ArmRevert. Error:
// report.ErrNotSupported, there is none before.
func (d *Daemon) ArmRevert(ctx context.Context, after time.Duration) (generation uint64, err error) {
	err = d.reloader.Between(ctx, func(ctx context.Context) error {
		if d.undo.was == nil {
			return errNothingBefore
		}
		d.undo.disarm()
		generation = d.board.generation()
		d.undo.generation = generation
		d.undo.timer = time.AfterFunc(after, func() { d.expire(ctx, generation) })
		d.board.post(func() { d.board.base.Armed = generation })
		return nil
	})
	return generation, err
}

// expire goes back if that is still what is wanted.
func (d *Daemon) expire(ctx context.Context, generation uint64) {
	err := d.reloader.Between(ctx, func(ctx context.Context) error {
		if d.undo.generation != generation {
			return nil // kept at the last moment
		}
		return d.goBack(ctx)
	})
	if err != nil && ctx.Err() == nil {
		d.o.Log.Error("cannot go back to the configuration before", "err", err)
	}
}

// Keep keeps the configuration that ArmRevert returned the generation of. Error:
// report.ErrUnknownCookie, that one is not waiting: it was taken back, or kept, or a newer
// one came.
func (d *Daemon) Keep(ctx context.Context, generation uint64) error {
	return d.reloader.Between(ctx, func(context.Context) error {
		if d.undo.generation == 0 || d.undo.generation != generation {
			return fmt.Errorf("%w: generation %d does not wait to be kept", report.ErrUnknownCookie, generation)
		}
		d.undo.disarm()
		d.board.post(func() { d.board.base.Armed = 0 })
		return nil
	})
}

// Revert goes back to the configuration before the last accepted one, at once. It acts until
// a newer file is accepted, or the same one because Reload asks for it. Error:
// report.ErrNotSupported, there is none before.
func (d *Daemon) Revert(ctx context.Context) error {
	return d.reloader.Between(ctx, d.goBack)
}

func (d *Daemon) goBack(ctx context.Context) error {
	u, b := &d.undo, d.board
	if u.was == nil {
		return errNothingBefore
	}
	began := time.Now()
	if err := d.ports.Swap(ctx, u.was.program); err != nil {
		return err
	}
	took := time.Since(began)
	d.applySettings(u.was.settings)
	u.disarm()
	u.is, u.was = u.was, nil
	p := u.is.program
	r := report.Reload{
		Time: began, OK: true, Trigger: "revert", Took: took, Phases: report.Phases{Swap: took},
		Generation: b.generation() + 1, Modes: len(p.Modes), Mappings: len(p.Mappings),
	}
	b.finished(func() {
		b.program = p
		b.base.Generation, b.base.ConfigStatus, b.base.Armed, b.base.LastReload = r.Generation, configKept, 0, r
		b.rows.Set(report.Check{
			Name: configCheck, Status: report.Warning, Fix: "midimonctl reload",
			Message: "the configuration at " + b.base.ConfigPath + " was taken back, the one before it acts",
		})
	}, &r)
	d.o.Log.Info("went back to the configuration before", "generation", r.Generation, "mappings", r.Mappings)
	return nil
}

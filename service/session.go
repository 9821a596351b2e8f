package service

import (
	"cmp"
	"context"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// A Sensor tells a daemon about the world around it until ctx is done. It waits for events and
// wakes nobody without.
type Sensor interface {
	Run(ctx context.Context, d *Daemon)
	// Again makes it look anew: a controller came, and with it perhaps somebody who hopes that we
	// missed something.
	Again()
}

// What cannot be known is taken to be open, and what is not waited for is done all the same, only
// perhaps too late: both are warnings.
const (
	sessionCheck = "session"
	sleepCheck   = "sleep"
)

// settleWithin is how long what is held may take to be released before the machine sleeps. logind
// waits 5 s, unless it is told otherwise.
const settleWithin = 4 * time.Second

// SetSession says how the user's session fares. While the screen is locked, mappings act only if
// they are meant to; while no session of the user's is in front, or the machine sleeps, none does.
// With none at a seat no keyboard of ours is left there. When it returns of a machine that is about
// to sleep, what was held is released. After a sleep every port is opened anew. One sensor alone calls it.
func (d *Daemon) SetSession(ctx context.Context, s report.Session) error {
	if d.o.SetPresent != nil && s.Present { // before anything may be pressed
		d.o.SetPresent(true)
	}
	if err := d.SetLocked(ctx, s.Locked); err != nil {
		return err
	}
	inactive, sleeps, woke := s.Asleep || !s.Active, false, false
	if err := d.change(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		sleeps, woke = !d.asleep && s.Asleep, d.asleep && !s.Asleep
		d.asleep = s.Asleep
		if d.inactive == inactive {
			return out // closing a gate twice would let go twice
		}
		d.inactive = inactive
		return e.SetGate(effect.Inactive, inactive, now, out)
	}); err != nil {
		return err
	}
	if d.o.SetPresent != nil && !s.Present { // after everything was let go of
		d.o.SetPresent(false)
	}
	if sleeps {
		d.settle(ctx)
	}
	row := report.Check{Name: sessionCheck, Status: report.OK}
	if !s.Known {
		row.Status, row.Fix = report.Warning, cmp.Or(s.Fix, report.Unexplained)
		row.Message = "logind does not answer: whether the screen is locked, or another user in front, is not known"
	}
	if s.Known && s.Assumed {
		row.Status, row.Fix = report.Warning, cmp.Or(s.Fix, report.Unexplained)
		row.Message = "the screen is taken to be locked, since somebody asked for that and nobody says that it is not: little acts"
	}
	sleep := report.Check{Name: sleepCheck, Status: report.OK}
	if s.Undelayed != "" {
		sleep.Status, sleep.Fix = report.Warning, "systemctl status polkit systemd-logind"
		sleep.Message = "the machine does not wait for midimon before it sleeps, and keys may be released only afterwards: " + s.Undelayed
	}
	d.board.post(func() { d.board.rows.Set(row); d.board.rows.Set(sleep) })
	if woke {
		return d.ports.ReopenAll(ctx)
	}
	return nil
}

// settle waits until what was held is released. A backend that hangs does not keep the machine awake.
func (d *Daemon) settle(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, d.settleWithin)
	defer cancel()
	if err := d.loop.Settle(within); err != nil && ctx.Err() == nil {
		d.o.Log.Warn("the machine sleeps before everything is released", "err", err)
	}
}

// lookAgain makes the sensors look anew when a device has come.
func (d *Daemon) lookAgain(was, is map[string]bool) {
	for name := range is {
		if !was[name] {
			for _, s := range d.o.Sensors {
				s.Again()
			}
			return
		}
	}
}

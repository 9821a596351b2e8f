package service

import (
	"context"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// Why is what was decided about the newest events, at most n of them, and why; the newest last.
func (d *Daemon) Why(ctx context.Context, n int) (decisions []report.Decision, err error) {
	err = d.look(ctx, func(e *engine.Engine) { decisions = e.Why(n) })
	return decisions, err
}

// Toggles is which toggles are on, by state.
func (d *Daemon) Toggles(ctx context.Context) (on map[string]bool, err error) {
	err = d.look(ctx, func(e *engine.Engine) { on = e.Toggles() })
	return on, err
}

// Stats are the counters now.
func (d *Daemon) Stats(ctx context.Context) (report.Stats, error) { return d.loop.Stats(ctx) }

// ResetStats makes the counters begin anew, those of reloads too.
func (d *Daemon) ResetStats(ctx context.Context) error {
	if err := d.loop.ResetStats(ctx); err != nil {
		return err
	}
	d.board.post(func() { d.board.base.Reloads = report.Reloads{} })
	return nil
}

// Watch tells of every message from now on, until cancel is called. What finds no place is
// counted by dropped.
func (d *Daemon) Watch(ctx context.Context) (seen <-chan report.Seen, dropped func() uint64, cancel func(), err error) {
	return d.loop.Watch(ctx)
}

// look asks the engine something.
func (d *Daemon) look(ctx context.Context, ask func(e *engine.Engine)) error {
	return d.loop.Do(ctx, func(e *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		ask(e)
		return out
	})
}
